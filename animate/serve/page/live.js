// The live connection: poses go, pictures come, one at a time.
import { $, connection, say, tell } from "./ask.js";

export const live = { token: null, source: null };
const SECOND = 1000;
let socket = null;
let listeners = [];
const rate = { times: [], milliseconds: 0, sent: null, latency: null, idle: null };

export const onWords = (listener) => listeners.push(listener);
export const tellLive = (message) => tell(socket, message);

export function connect(token, first) {
  socket?.close();
  live.token = token;
  const made = socket = connection(`/api/live/${token}`);
  made.onopen = () => first && tell(made, first);
  made.onmessage = async (event) => {
    if (typeof event.data === "string") return takeWords(JSON.parse(event.data));
    const picture = await createImageBitmap(event.data);
    if (made !== socket) return;
    const canvas = $("canvas");
    canvas.width = picture.width;
    canvas.height = picture.height;
    canvas.getContext("2d").drawImage(picture, 0, 0);
    $("hint").hidden = true;
    countFrame();
    await whileHidden();
    tell(made, { shown: true });
  };
  made.onclose = () => {
    if (made !== socket) return;
    $("rate").textContent = "not connected; reload the page";
  };
}

export function disconnect() {
  socket?.close();
  socket = live.token = null;
  const canvas = $("canvas");
  canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
  $("hint").hidden = false;
  $("rate").textContent = "";
}

// A page that nobody sees asks for no more pictures; a stage goes on.
function whileHidden() {
  if (!document.hidden) return null;
  return new Promise((seen) => document.addEventListener("visibilitychange", seen, { once: true }));
}

function takeWords(words) {
  if (words.fault) return say(words.fault);
  rate.milliseconds = words.milliseconds;
  live.source = words.source;
  for (const listener of listeners) listener(words);
}

// When the camera's picture was taken that the next one shown is drawn by.
export function shownSince(sent) {
  rate.sent = sent;
}

function countFrame() {
  const now = performance.now();
  rate.times.push(now);
  if (rate.sent !== null) rate.latency = now - rate.sent;
  rate.sent = null;
  if (!live.source?.startsWith("camera")) rate.latency = null;
  showRate();
  clearTimeout(rate.idle);
  rate.idle = setTimeout(showRate, SECOND);
  $("canvas").dataset.frames = Number($("canvas").dataset.frames ?? 0) + 1;
}

// How many a second is said while it moves: of a drawing at rest it would say nothing.
function showRate() {
  if (!live.token) return;
  const now = performance.now();
  rate.times = rate.times.filter((time) => now - time < SECOND);
  const moves = rate.times.length > 1 || (live.source && rate.times.length);
  const often = moves ? `, ${rate.times.length} a second` : "";
  const late = rate.latency === null ? "" : `, ${rate.latency.toFixed(0)} ms from the camera`;
  $("rate").textContent = `${rate.milliseconds.toFixed(0)} ms a picture${often}${late}`;
}
