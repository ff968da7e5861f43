// A recording lives as long as its connection: closing it stops the work at once.
import { $, ask, connection, saveAs, say, tell } from "./ask.js";
import { live } from "./live.js";
import { pose } from "./pose.js";

let socket = null;

export function offerRecordings(motions, kinds) {
  for (const motion of motions) $("what").add(new Option(`the motion “${motion}”`, motion));
  for (const kind of kinds) $("kind").add(new Option(kind));
}

function end() {
  socket?.close();
  socket = null;
  $("recording").hidden = true;
  $("record").disabled = false;
}

function showProgress(words) {
  const isWatching = words.watched !== undefined;
  $("enough").hidden = !isWatching;
  $("progress").value = isWatching ? words.watched / words.seconds : words.drawn / words.frames;
  $("progress-words").textContent = isWatching
    ? `watching, ${words.watched} of ${words.seconds} s`
    : `drawing, ${words.drawn} of ${words.frames}`;
}

function record() {
  if (!live.token) return say("open a drawing first");
  say(null);
  let file = null;
  const made = socket = connection(`/api/recording/${live.token}`);
  $("record").disabled = true;
  $("recording").hidden = false;
  $("enough").hidden = true;
  $("progress").value = 0;
  $("progress-words").textContent = "beginning";
  const order = { motion: $("what").value || null, kind: $("kind").value, seconds: Number($("seconds").value) };
  made.onopen = () => tell(made, order);
  made.onmessage = (event) => {
    if (typeof event.data !== "string") {
      saveAs(event.data.slice(0, event.data.size, file.type), file.file);
      return end();
    }
    const words = JSON.parse(event.data);
    if (words.fault) say(words.fault);
    else if (words.file) file = words;
    else showProgress(words);
  };
  made.onclose = () => made === socket && end();
}

$("record").addEventListener("click", record);
$("enough").addEventListener("click", () => tell(socket, { enough: true }));
$("cancel").addEventListener("click", end);

$("still").addEventListener("click", async () => {
  if (!live.token) return say("open a drawing first");
  say(null);
  try {
    const answer = await ask(`/api/still/${live.token}?${new URLSearchParams(pose)}`);
    saveAs(await answer.blob(), "still.png");
  } catch (error) {
    say(error.message);
  }
});
