// "Use my microphone": samples go in small packets, those that cannot leave at once are left out.
import { $, connection, tell } from "./ask.js";
import { chosen, drives, offerDevices } from "./devices.js";
import { live } from "./live.js";

const MOST_WAITING = 16 << 10; // bytes
const QUIET = 33; // of 32768: a microphone that is muted gives no more
const PATIENCE = 3000; // milliseconds of nothing

let on = null; // the microphone in use: its stream, its connection, its sound graph

async function start() {
  note("getting ready");
  const mine = on = { socket: connection(`/api/microphone/${live.token}`), stream: null, context: null, heard: performance.now() };
  mine.socket.onmessage = (event) => takeWords(mine, JSON.parse(event.data));
  mine.socket.onclose = () => mine === on && microphone.stop();
  const opened = new Promise((done) => { mine.socket.onopen = done; });
  // As it is: what makes calls pleasant takes vowels for noise.
  const wanted = { echoCancellation: false, noiseSuppression: false, autoGainControl: false, ...chosen($("microphones")) };
  const stream = await navigator.mediaDevices.getUserMedia({ audio: wanted });
  if (on !== mine) return stream.getTracks().forEach((track) => track.stop());
  mine.stream = stream;
  const [track] = stream.getAudioTracks();
  track.onended = () => microphone.stop("the microphone was unplugged or taken away; plug it in, then press the button again");
  await offerDevices($("microphones"), "audioinput", track.getSettings().deviceId);
  await opened;
  await listen(mine);
}

async function listen(mine) {
  const context = mine.context = new AudioContext();
  await context.audioWorklet.addModule("/page/packets.js");
  await context.resume();
  if (on !== mine) return context.close();
  const packets = new AudioWorkletNode(context, "packets", { channelCount: 1, channelCountMode: "explicit" });
  packets.port.onmessage = (event) => send(mine, event.data);
  tell(mine.socket, { rate: context.sampleRate });
  context.createMediaStreamSource(mine.stream).connect(packets);
  packets.connect(context.destination); // which hears silence
  note("your voice is followed");
}

function send(mine, packet) {
  if (mine !== on || mine.socket.readyState !== WebSocket.OPEN) return;
  const now = performance.now();
  if (packet.some((sample) => Math.abs(sample) > QUIET)) mine.heard = now;
  note(now - mine.heard < PATIENCE ? "your voice is followed"
    : "nothing is heard: speak, or see whether the microphone is muted");
  if (mine.socket.bufferedAmount < MOST_WAITING) mine.socket.send(packet);
}

function takeWords(mine, words) {
  if (words.fault && mine === on) microphone.stop(words.fault);
}

function end() {
  const old = on;
  on = null;
  old?.context?.close();
  old?.stream?.getTracks().forEach((track) => track.stop());
  old?.socket.close();
  note(null);
}

function note(words) {
  if ($("listening").textContent === (words ?? "")) return;
  $("listening").hidden = !words;
  $("listening").textContent = words ?? "";
}

const microphone = drives({ name: "microphone", isOn: () => on !== null, start, end });
