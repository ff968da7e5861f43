// "Use my camera": small JPEGs go, one at a time and always the newest; landmarks come back.
import { $, connection, say, tell } from "./ask.js";
import { chosen, drives, offerDevices } from "./devices.js";
import { live, shownSince } from "./live.js";

const WIDTH = 320;
const QUALITY = 0.8;
const TICK = 1000 / 60;

let on = null; // the camera in use: its stream, its connection, its ticker
const small = document.createElement("canvas");
const video = Object.assign(document.createElement("video"), { muted: true, playsInline: true });

async function ready(socket) {
  return new Promise((done, failed) => {
    socket.onmessage = (event) => {
      const words = JSON.parse(event.data);
      if (words.fault) failed(new Error(words.fault));
      else done();
    };
    socket.onclose = () => failed(new Error("the camera's connection was closed; reload the page"));
  });
}

async function start() {
  note("getting ready");
  const mine = on = { socket: connection(`/api/camera/${live.token}`), stream: null, ticker: null, sent: 0, waits: false, times: [] };
  $("calibrate").disabled = false;
  await ready(mine.socket);
  const wanted = { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 30 }, ...chosen($("cameras")) };
  const stream = await navigator.mediaDevices.getUserMedia({ video: wanted });
  if (on !== mine) return stream.getTracks().forEach((track) => track.stop());
  mine.stream = stream;
  const [track] = stream.getVideoTracks();
  await offerDevices($("cameras"), "videoinput", track.getSettings().deviceId);
  track.onended = () => camera.stop("the camera was unplugged or taken away; plug it in, then press the button again");
  video.srcObject = stream;
  await video.play();
  if (on === mine) begin(mine);
}

function begin(mine) {
  mine.socket.onmessage = (event) => take(mine, JSON.parse(event.data));
  mine.socket.onclose = () => mine === on && camera.stop();
  tell(mine.socket, { mirrored: $("mirrored").checked, landmarks: $("landmarks").checked });
  // A worker's clock goes on where the page is behind other windows.
  mine.ticker = new Worker("/page/ticker.js");
  mine.ticker.onmessage = () => sendFrame(mine);
  mine.ticker.postMessage(TICK);
  noteCalibrating();
}

function end() {
  const old = on;
  on = null;
  old?.ticker?.terminate();
  old?.stream?.getTracks().forEach((track) => track.stop());
  old?.socket.close();
  video.srcObject = null;
  note(null);
  $("calibrate").disabled = $("me").hidden = true;
}

function sendFrame(mine) {
  if (mine !== on || mine.waits || video.readyState < 2 || !video.videoWidth) return;
  if (mine.socket.readyState !== WebSocket.OPEN) return;
  if (video.currentTime === mine.at) return;
  mine.at = video.currentTime;
  mine.waits = true;
  mine.sent = performance.now();
  small.width = Math.min(WIDTH, video.videoWidth);
  small.height = Math.max(1, Math.round(small.width * video.videoHeight / video.videoWidth));
  small.getContext("2d").drawImage(video, 0, 0, small.width, small.height);
  small.toBlob((blob) => mine === on && blob && mine.socket.send(blob), "image/jpeg", QUALITY);
}

function take(mine, words) {
  mine.waits = false;
  if (words.fault) return say(words.fault);
  if (mine !== on || words.face === undefined) return;
  shownSince(mine.sent);
  const now = performance.now();
  mine.times = [...mine.times.filter((time) => now - time < 1000), now];
  const speed = `${mine.times.length} a second, ${words.milliseconds.toFixed(0)} ms each`;
  if (!words.face) note(`no face is seen: come into the light, look into the camera (${speed})`);
  else if (!words.calibrated) noteCalibrating();
  else note(`your face is followed (${speed})`);
  showMe(words.landmarks);
}

function showMe(landmarks) {
  const canvas = $("me");
  canvas.hidden = !$("landmarks").checked;
  if (canvas.hidden) return;
  canvas.width = small.width;
  canvas.height = small.height;
  const brush = canvas.getContext("2d");
  if ($("mirrored").checked) brush.setTransform(-1, 0, 0, 1, canvas.width, 0);
  brush.drawImage(small, 0, 0);
  brush.fillStyle = "#5f8";
  for (let k = 0; k < (landmarks?.length ?? 0); k += 2) {
    brush.fillRect(landmarks[k] * canvas.width - 0.5, landmarks[k + 1] * canvas.height - 0.5, 1.5, 1.5);
  }
}

// cue: shown on the picture too, where people look.
function note(words, cue = null) {
  for (const [name, text] of [["watching", words], ["cue", cue]]) {
    $(name).hidden = !text;
    $(name).textContent = text ?? "";
  }
}

function noteCalibrating() {
  const words = "look straight, eyes open, mouth shut …";
  note(words, words);
}

const camera = drives({ name: "camera", isOn: () => on !== null, start, end });
$("calibrate").addEventListener("click", () => {
  tell(on?.socket, { calibrate: true });
  noteCalibrating();
});
for (const name of ["mirrored", "landmarks"]) {
  $(name).addEventListener("change", () => {
    tell(on?.socket, { [name]: $(name).checked });
    if (!$("landmarks").checked) $("me").hidden = true;
  });
}
