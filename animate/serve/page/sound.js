// A sound file: the server hears it as a whole, then the page plays it and says where it is.
import { $, connection, say, tell } from "./ask.js";
import { live } from "./live.js";
import { stopOthers, takesTurns } from "./turns.js";

const PART = 64 << 10;
const MOST_WAITING = 1 << 20; // bytes
const SUFFIXES = /\.(wav|mp3|ogg|oga|opus|flac|m4a|aac|aiff?|wma|amr|webm|mp4|m4v|mov|mkv|avi|mpe?g|flv)$/i;

let on = null; // the sound that is open: its file, its connection
const player = () => $("sound");

export const isSound = (file) => /^(audio|video)\//.test(file.type) || (!file.type.startsWith("image/") && SUFFIXES.test(file.name));
const isOn = () => on !== null;

// A file that the server asks for; resolves with what it heard.
function upload(mine) {
  return new Promise((done, failed) => {
    mine.socket.onopen = () => tell(mine.socket, { name: mine.file.name, bytes: mine.file.size });
    mine.socket.onmessage = (event) => {
      const words = JSON.parse(event.data);
      if (words.fault) failed(new Error(words.fault));
      else if (words.send) sendParts(mine).catch(failed);
      else done(words);
    };
    mine.socket.onclose = () => failed(new Error("the sound's connection was closed; drop it again"));
  });
}

async function sendParts({ socket, file }) {
  for (let at = 0; at < file.size && socket.readyState === WebSocket.OPEN; at += PART) {
    while (socket.bufferedAmount > MOST_WAITING) await new Promise((go) => setTimeout(go, 10));
    const part = await file.slice(at, at + PART).arrayBuffer();
    if (socket.readyState === WebSocket.OPEN) socket.send(part);
  }
}

export async function play(file, from = 0) {
  stopOthers(sound);
  stop();
  say(null);
  if (!live.token) return say("open a drawing first");
  const mine = on = { file, socket: connection(`/api/sound/${live.token}`) };
  note(`listening to ${file.name} …`);
  try {
    const heard = await upload(mine);
    if (on !== mine) return;
    mine.socket.onmessage = (event) => stop(JSON.parse(event.data).fault);
    mine.socket.onclose = () => mine === on && stop();
    note([file.name, ...heard.notes.map((one) => one.replace(/^.*?: /, ""))].join(": "));
    begin(mine, from);
  } catch (error) {
    if (on === mine) stop(error.message);
  }
}

function begin(mine, from) {
  mine.address = URL.createObjectURL(mine.file);
  player().src = mine.address;
  player().currentTime = from;
  player().hidden = false;
  $("end-sound").hidden = false;
  // A browser may want a press of the button first.
  player().play().catch((error) => error.name === "NotAllowedError" && note(`${mine.file.name}: press play`));
}

function stop(fault) {
  const old = on;
  on = null;
  old?.socket.close();
  if (old?.address) {
    last = { file: old.file, at: player().currentTime };
    player().pause();
    player().removeAttribute("src");
    URL.revokeObjectURL(old.address);
  }
  player().hidden = $("end-sound").hidden = true;
  note(null);
  if (fault) say(fault);
}

function note(words) {
  $("playing").hidden = !words;
  $("playing").textContent = words ?? "";
}

let last = null; // for another drawing: what was played, and how far
const sound = { isOn, stop, again: () => last && play(last.file, last.at) };
takesTurns(sound);
for (const kind of ["play", "playing", "pause", "waiting", "seeked", "timeupdate", "ended"]) {
  player().addEventListener(kind, () => {
    const isPlaying = !player().paused && !player().ended && player().readyState > 2;
    tell(on?.socket, { at: player().currentTime, playing: isPlaying });
  });
}
player().addEventListener("error", () => {
  if (on && player().hasAttribute("src")) {
    stop(`${on.file.name}: this browser cannot play it; convert it to MP3, or use: animate video --audio`);
  }
});
$("end-sound").addEventListener("click", () => stop());
$("sound-file").addEventListener("change", () => {
  const [file] = $("sound-file").files;
  if (file) play(file);
  $("sound-file").value = "";
});
