// Only the picture of the drawing that was opened last, whatever drives it.
import { connection, tell } from "./ask.js";

const canvas = document.getElementById("canvas");
const AGAIN = 1000; // milliseconds until it asks again: the program may be started after the stage

function watch() {
  const socket = connection("/api/stage");
  socket.onmessage = async (event) => {
    if (typeof event.data === "string") {
      const words = JSON.parse(event.data);
      if (words.background !== undefined) document.body.style.background = words.background ?? "";
      return;
    }
    const picture = await createImageBitmap(event.data);
    canvas.width = picture.width;
    canvas.height = picture.height;
    canvas.getContext("2d").drawImage(picture, 0, 0);
    canvas.dataset.frames = Number(canvas.dataset.frames ?? 0) + 1;
    tell(socket, { shown: true });
  };
  socket.onclose = () => setTimeout(watch, AGAIN);
}

watch();
