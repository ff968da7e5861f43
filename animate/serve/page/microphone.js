// "Use my microphone": samples go in small packets, those that cannot leave at once are left out.
import { $, connection, say, tell } from "./ask.js";
import { live } from "./live.js";
import { chosen, forgetChoice, offerDevices, stopOthers, takesTurns } from "./turns.js";

const MOST_WAITING = 16 << 10; // bytes
const QUIET = 33; // of 32768: a microphone that is muted gives no more
const PATIENCE = 3000; // milliseconds of nothing
const REMEDIES = {
  NotFoundError: "no microphone is there; plug one in, then press the button again",
  NotAllowedError: "the page may not use the microphone; allow it beside the address, then press the button again",
  NotReadableError: "the microphone is in use; end the other program, then press the button again",
  OverconstrainedError: "that microphone is not there any more; press the button again for another",
};

let on = null; // the microphone in use: its stream, its connection, its sound graph

const isOn = () => on !== null;

async function start() {
  if (!live.token) throw new Error("open a drawing first");
  if (!navigator.mediaDevices) {
    throw new Error(`a browser gives microphones only to a page of its own machine; open http://127.0.0.1:${location.port}`);
  }
  note("getting ready");
  const mine = on = { socket: connection(`/api/microphone/${live.token}`), stream: null, context: null, heard: performance.now() };
  mine.socket.onmessage = (event) => takeWords(mine, JSON.parse(event.data));
  mine.socket.onclose = () => mine === on && stop();
  const opened = new Promise((done) => { mine.socket.onopen = done; });
  // As it is: what makes calls pleasant takes vowels for noise.
  const wanted = { echoCancellation: false, noiseSuppression: false, autoGainControl: false, ...chosen($("microphones")) };
  const stream = await navigator.mediaDevices.getUserMedia({ audio: wanted });
  if (on !== mine) return stream.getTracks().forEach((track) => track.stop());
  mine.stream = stream;
  const [track] = stream.getAudioTracks();
  track.onended = () => stop("the microphone was unplugged or taken away; plug it in, then press the button again");
  await offerDevices($("microphones"), "audioinput", track.getSettings().deviceId);
  await opened;
  await listen(mine);
}

async function listen(mine) {
  const context = mine.context = new AudioContext();
  await context.audioWorklet.addModule("/page/packets.js");
  await context.resume();
  if (on !== mine) return;
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
  if (words.fault && mine === on) stop(words.fault);
}

function stop(fault) {
  const old = on;
  on = null;
  old?.context?.close();
  old?.stream?.getTracks().forEach((track) => track.stop());
  old?.socket.close();
  note(null);
  showOn();
  if (fault) say(fault);
}

function note(words) {
  if ($("listening").textContent === (words ?? "")) return;
  $("listening").hidden = !words;
  $("listening").textContent = words ?? "";
}

function showOn() {
  $("microphone").setAttribute("aria-pressed", isOn());
  $("microphone").textContent = isOn() ? "Turn the microphone off" : "Use my microphone";
}

async function again() {
  stopOthers(microphone);
  say(null);
  try {
    const started = start();
    showOn();
    await started;
  } catch (error) {
    if (error.name === "OverconstrainedError") forgetChoice($("microphones"));
    stop(REMEDIES[error.name] ?? error.message);
  }
}

const microphone = { isOn, stop, again };
takesTurns(microphone);
$("microphone").addEventListener("click", () => (isOn() ? stop() : again()));
$("microphones").addEventListener("change", () => {
  if (isOn()) stop();
  again();
});
