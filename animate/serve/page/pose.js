// The sliders and the pad. What the axes are the server says; here they get words.
import { $ } from "./ask.js";
import { tellLive } from "./live.js";

const WORDS = {
  head_x: ["Look", "down", "up"], head_y: ["Turn", "right", "left"], neck_z: ["Tilt", "right", "left"],
  left_eye: ["Left eye", "open", "shut"], right_eye: ["Right eye", "open", "shut"],
  mouth: ["Mouth", "shut", "open"],
};
// Its positive end is on the viewer's left, so that is where its slider has it.
const LEFTWARD = new Set(["head_y", "neck_z"]);

export const pose = {};
let axes = [];
let held = new Set();
let source = null;
let touched = -Infinity;

const neutral = (axis) => (axis.name === "mouth" ? axis.low : axis.rest);

export function makeSliders(known) {
  axes = known;
  for (const axis of axes) {
    pose[axis.name] = neutral(axis);
    makeSlider(axis);
  }
  show();
}

function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function makeSlider(axis) {
  const [word, low, high] = WORDS[axis.name] ?? [axis.name, axis.low, axis.high];
  const slider = element("input", {
    type: "range", id: `axis-${axis.name}`, min: axis.low, max: axis.high, step: 0.01,
    className: LEFTWARD.has(axis.name) ? "leftward" : "", ariaLabel: word, title: axis.meaning,
  });
  const ends = LEFTWARD.has(axis.name) ? [high, low] : [low, high];
  const hold = element("button", { className: "hold", id: `hold-${axis.name}`, textContent: "hold" });
  hold.title = "hold this where it is, whatever moves the rest";
  const row = element("div", { className: "axis" },
    element("span", {}, word, element("small", { textContent: axis.name })),
    element("div", {}, slider, element("p", { className: "ends" },
      ...ends.map((end) => element("small", { textContent: end })))),
    element("output", {}), hold);
  slider.value = neutral(axis);
  slider.addEventListener("input", () => setPose({ [axis.name]: Number(slider.value) }));
  slider.addEventListener("dblclick", () => setPose({ [axis.name]: neutral(axis) }));
  hold.addEventListener("click", () => setHeld(held.has(axis.name)
    ? [...held].filter((name) => name !== axis.name) : [...held, axis.name]));
  $("sliders").append(row);
}

function show() {
  for (const axis of axes) {
    const slider = $(`axis-${axis.name}`);
    const row = slider.closest(".axis");
    slider.value = pose[axis.name];
    const [from, to] = [neutral(axis), pose[axis.name]].map((at) => (at - axis.low) / (axis.high - axis.low));
    slider.style.setProperty("--from", Math.min(from, to));
    slider.style.setProperty("--to", Math.max(from, to));
    row.querySelector("output").textContent = (Math.round(100 * pose[axis.name]) / 100 || 0).toFixed(2); // never -0.00
    $(`hold-${axis.name}`).hidden = !source;
    $(`hold-${axis.name}`).setAttribute("aria-pressed", held.has(axis.name));
  }
  $("knob").style.left = `${50 - 50 * pose.head_y}%`;
  $("knob").style.top = `${50 - 50 * pose.head_x}%`;
  $("driven").hidden = !source;
  $("driven").firstChild.textContent = held.size
    ? `${[...held].map((name) => WORDS[name][0].toLowerCase()).join(", ")} held; the rest follows: ${source}.`
    : `All follow: ${source}. Move one to hold it.`;
  $("release").hidden = !held.size;
}

export function setPose(values) {
  for (const [name, value] of Object.entries(values)) {
    const axis = axes.find((one) => one.name === name);
    pose[name] = Math.min(axis.high, Math.max(axis.low, value));
  }
  touched = performance.now();
  if (source) held = new Set([...held, ...Object.keys(values)]);
  show();
  tellLive(source ? { pose, held: [...held] } : { pose });
}

function setHeld(names) {
  held = new Set(names);
  touched = performance.now();
  show();
  tellLive({ pose, held: [...held] });
}

export function resetPose() {
  setHeld([]);
  if (!source) setPose(Object.fromEntries(axes.map((axis) => [axis.name, neutral(axis)])));
}

// What the server shows; but a hand on a slider is not pulled away.
export function followWords(words) {
  source = words.source;
  if (performance.now() - touched < 300) return show();
  held = new Set(words.held);
  Object.assign(pose, words.pose);
  show();
}

// Pointer on the pad and on the picture. Positive head_y turns to the viewer's left, head_x up.
export function turnsHead(area, isReady, reach) {
  const turn = (event) => {
    const box = area.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * 2 - 1;
    const y = ((event.clientY - box.top) / box.height) * 2 - 1;
    setPose({ head_y: -x * reach, head_x: -y * reach });
  };
  area.addEventListener("pointerdown", (event) => {
    if (!isReady()) return;
    area.setPointerCapture(event.pointerId);
    turn(event);
  });
  area.addEventListener("pointermove", (event) => {
    if (area.hasPointerCapture(event.pointerId)) turn(event);
  });
}

const STEPS = {
  ArrowLeft: ["head_y", 0.1], ArrowRight: ["head_y", -0.1], ArrowUp: ["head_x", 0.1],
  ArrowDown: ["head_x", -0.1], q: ["neck_z", 0.1], e: ["neck_z", -0.1],
};

export function takesKeys() {
  $("release").addEventListener("click", () => setHeld([]));
  document.addEventListener("keydown", (event) => {
    if (/INPUT|SELECT|BUTTON|SUMMARY/.test(event.target.tagName)) return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = STEPS[event.key];
    if (step) setPose({ [step[0]]: pose[step[0]] + step[1] });
    else if (event.key === "0") resetPose();
    else if (event.key === "m") setPose({ mouth: pose.mouth > 0.5 ? 0 : 1 });
    else if (event.key === " ") {
      const closed = pose.left_eye > 0.5 ? 0 : 1;
      setPose({ left_eye: closed, right_eye: closed });
    } else return;
    event.preventDefault();
  });
}
