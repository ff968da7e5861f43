// Three lines on the drawing as it was given: skull top, chin, middle. Who drags one says where the head is.
import { $ } from "./ask.js";

const LEAST = 0.02; // of the drawing's height, of a head
const STEP = 0.002;
const PATIENCE = 400; // milliseconds after the last key
const KEYS = { ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1, ArrowRight: 1 };

const at = { top: 0.25, chin: 0.75, middle: 0.5 }; // shares of the drawing's height, and of its width
let size = { width: 1, height: 1 };
let moved = () => {};
let pending = null;

export const onMoved = (listener) => { moved = listener; };

// What the server says of a drawing that is not mended.
export function showHead({ preview, head, width, height, faults }) {
  $("head").hidden = !preview;
  if (!preview) return;
  size = { width, height };
  const [top, chin, middle] = head ?? [height / 4, 3 * height / 4, width / 2];
  Object.assign(at, { top: top / height, chin: chin / height, middle: middle / width });
  for (const name of Object.keys(at)) at[name] = Math.min(1, Math.max(0, at[name]));
  $("whole").src = preview;
  if (faults.some((one) => one.code === "unsure-head")) $("head").open = true;
  place();
}

function place() {
  $("line-top").style.top = `${100 * at.top}%`;
  $("line-chin").style.top = `${100 * at.chin}%`;
  $("line-middle").style.left = `${100 * at.middle}%`;
  for (const name of Object.keys(at)) {
    const full = name === "middle" ? size.width : size.height;
    $(`line-${name}`).setAttribute("aria-valuenow", Math.round(at[name] * full));
    $(`line-${name}`).setAttribute("aria-valuemax", full);
  }
  frame();
}

// How it will be framed, at once; the moving picture follows when the line is let go.
function frame() {
  const whole = $("whole");
  const canvas = $("framed");
  const brush = canvas.getContext("2d");
  brush.clearRect(0, 0, canvas.width, canvas.height);
  const side = 2 * (at.chin - at.top) * whole.naturalHeight;
  if (!side) return;
  const scale = canvas.width / side;
  brush.setTransform(scale, 0, 0, scale, 0, 0);
  brush.drawImage(whole, side / 2 - at.middle * whole.naturalWidth, side / 4 - at.top * whole.naturalHeight);
  brush.resetTransform();
}

function put(name, share) {
  const low = name === "chin" ? at.top + LEAST : 0;
  const high = name === "top" ? at.chin - LEAST : 1;
  at[name] = Math.min(high, Math.max(low, share));
  place();
}

function tell() {
  clearTimeout(pending);
  pending = null;
  const { width, height } = size;
  moved([at.top * height, at.chin * height, at.middle * width].map((one) => one.toFixed(1)).join());
}

for (const name of Object.keys(at)) {
  const line = $(`line-${name}`);
  let from = null;
  // By how far the pointer has come: the page may move under it when an answer arrives.
  const follow = (event) => {
    const { clientWidth, clientHeight } = $("whole");
    const by = name === "middle" ? (event.clientX - from.x) / clientWidth : (event.clientY - from.y) / clientHeight;
    put(name, from.share + by);
  };
  line.addEventListener("pointerdown", (event) => {
    line.setPointerCapture(event.pointerId);
    from = { x: event.clientX, y: event.clientY, share: at[name] };
    event.preventDefault();
    line.focus();
  });
  line.addEventListener("pointermove", (event) => {
    if (!line.hasPointerCapture(event.pointerId)) return;
    follow(event);
    line.dataset.moved = "yes";
  });
  line.addEventListener("lostpointercapture", () => {
    if (line.dataset.moved) tell();
    delete line.dataset.moved;
  });
  line.addEventListener("keydown", (event) => {
    if (!KEYS[event.key]) return;
    put(name, at[name] + KEYS[event.key] * STEP * (event.shiftKey ? 10 : 1));
    event.preventDefault();
    event.stopPropagation(); // arrows turn the head elsewhere
    clearTimeout(pending);
    pending = setTimeout(tell, PATIENCE);
  });
}
$("whole").addEventListener("load", frame);
