// Sends poses, shows pictures. What the axes are, and which motions there are, the server says.
const $ = (id) => document.getElementById(id);
const state = { token: null, socket: null, pose: {}, axes: [], motion: null, upload: null };

async function ask(path, options) {
  const response = await fetch(path, options);
  if (!response.ok) {
    const answer = await response.json().catch(() => ({}));
    throw new Error(answer.fault ?? `the server answered ${response.status}`);
  }
  return response;
}

function say(fault) {
  $("fault").hidden = !fault;
  $("fault").textContent = fault ?? "";
}

// Sliders.

const neutral = (axis) => (axis.name === "mouth" ? axis.low : axis.rest);

function makeSlider(axis) {
  const row = document.createElement("label");
  row.className = "axis";
  const name = document.createElement("span");
  name.textContent = axis.name;
  const slider = Object.assign(document.createElement("input"), {
    type: "range", id: `axis-${axis.name}`, min: axis.low, max: axis.high, step: 0.01,
  });
  slider.value = neutral(axis);
  const number = document.createElement("output");
  const meaning = document.createElement("small");
  meaning.textContent = axis.meaning;
  row.append(name, slider, number, meaning);
  slider.addEventListener("input", () => setAxis(axis.name, Number(slider.value)));
  slider.addEventListener("dblclick", () => setAxis(axis.name, neutral(axis)));
  $("sliders").append(row);
}

function showPose() {
  for (const axis of state.axes) {
    const slider = $(`axis-${axis.name}`);
    slider.value = state.pose[axis.name];
    slider.parentElement.querySelector("output").textContent = state.pose[axis.name].toFixed(2);
  }
}

function setAxis(name, value) {
  setPose({ [name]: value });
}

function setPose(values) {
  for (const [name, value] of Object.entries(values)) {
    const axis = state.axes.find((one) => one.name === name);
    state.pose[name] = Math.min(axis.high, Math.max(axis.low, value));
  }
  pressMotion(null);
  showPose();
  tell({ pose: state.pose });
}

function resetPose() {
  setPose(Object.fromEntries(state.axes.map((axis) => [axis.name, neutral(axis)])));
}

// The live connection.

function tell(message) {
  if (state.socket?.readyState === WebSocket.OPEN) state.socket.send(JSON.stringify(message));
}

const rate = { times: [], milliseconds: 0 };

function connect() {
  state.socket?.close();
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const socket = new WebSocket(`${scheme}://${location.host}/api/live/${state.token}`);
  socket.binaryType = "blob";
  socket.onopen = () => tell(state.motion ? { motion: state.motion } : { pose: state.pose });
  socket.onmessage = async (event) => {
    if (typeof event.data === "string") return takeWords(JSON.parse(event.data));
    const picture = await createImageBitmap(event.data);
    const canvas = $("canvas");
    canvas.width = picture.width;
    canvas.height = picture.height;
    canvas.getContext("2d").drawImage(picture, 0, 0);
    $("hint").hidden = true;
    countFrame();
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ shown: true }));
  };
  socket.onclose = () => {
    if (socket === state.socket) $("rate").textContent = "not connected";
  };
  state.socket = socket;
}

function takeWords(words) {
  if (words.fault) return say(words.fault);
  rate.milliseconds = words.milliseconds;
  if (state.motion) {
    state.pose = words.pose;
    showPose();
  }
}

function countFrame() {
  const now = performance.now();
  rate.times = [...rate.times.filter((time) => now - time < 1000), now];
  $("rate").textContent = `${rate.milliseconds.toFixed(0)} ms a picture, ${rate.times.length} a second`;
  $("canvas").dataset.frames = Number($("canvas").dataset.frames ?? 0) + 1;
}

// Drawings.

async function open(answer) {
  $("report").hidden = !answer.faults?.length;
  $("faults").replaceChildren(...(answer.faults ?? []).map((fault) => {
    const item = document.createElement("li");
    item.textContent = fault.text;
    return item;
  }));
  if (answer.preview) $("preview").src = answer.preview;
  $("mend").hidden = !answer.fixable || !state.upload;
  if (!answer.name) return;
  $("name").textContent = answer.name;
  if (!answer.token) return;
  state.token = answer.token;
  connect();
}

async function upload(blob, name, mend) {
  say(null);
  state.upload = { blob, name };
  try {
    const query = new URLSearchParams({ name, mend });
    const answer = await ask(`/api/drawing?${query}`, { method: "POST", body: blob });
    await open(await answer.json());
  } catch (error) {
    say(error.message);
  }
}

$("file").addEventListener("change", () => {
  const [file] = $("file").files;
  if (file) upload(file, file.name, false);
});
$("mend").addEventListener("click", () => upload(state.upload.blob, state.upload.name, true));
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    $("view").classList.toggle("over", kind === "dragover");
    const [file] = kind === "drop" ? event.dataTransfer.files : [];
    if (file) upload(file, file.name, false);
  });
}

// Motions, backgrounds, saving.

function pressMotion(name) {
  state.motion = name;
  for (const button of $("motions").children) {
    button.setAttribute("aria-pressed", button.textContent === name);
  }
}

function makeMotion(name) {
  const button = document.createElement("button");
  button.textContent = name;
  button.addEventListener("click", () => {
    const chosen = state.motion === name ? null : name;
    pressMotion(chosen);
    tell(chosen ? { motion: chosen } : { pose: state.pose });
  });
  $("motions").append(button);
}

function setBackground(name, colour) {
  $("view").classList.toggle("checker", name === "checker");
  $("view").style.background = { checker: "", light: "#fff", dark: "#000" }[name] ?? colour;
  for (const button of $("backgrounds").querySelectorAll("button")) {
    button.setAttribute("aria-pressed", button.dataset.background === name);
  }
}

$("backgrounds").addEventListener("click", (event) => {
  if (event.target.dataset.background) setBackground(event.target.dataset.background);
});
$("colour").addEventListener("input", () => setBackground("colour", $("colour").value));

async function save(path, button) {
  if (!state.token) return say("open a drawing first");
  say(null);
  button.disabled = true;
  try {
    const answer = await ask(path);
    const name = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition"))[1];
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await answer.blob());
    link.download = name;
    link.click();
  } catch (error) {
    say(error.message);
  } finally {
    button.disabled = false;
  }
}

$("still").addEventListener("click", (event) => {
  save(`/api/still/${state.token}?${new URLSearchParams(state.pose)}`, event.target);
});
XX
// Pointer and keys on the picture.

function turnTo(event) {
  const box = $("view").getBoundingClientRect();
  const x = ((event.clientX - box.left) / box.width) * 2 - 1;
  const y = ((event.clientY - box.top) / box.height) * 2 - 1;
  // Positive head_y turns to the viewer's left, positive head_x up.
  setPose({ head_y: -x * 1.3, head_x: -y * 1.3 });
}

$("view").addEventListener("pointerdown", (event) => {
  if (!state.token) return;
  $("view").setPointerCapture(event.pointerId);
  turnTo(event);
});
$("view").addEventListener("pointermove", (event) => {
  if ($("view").hasPointerCapture(event.pointerId)) turnTo(event);
});

const steps = {
  ArrowLeft: ["head_y", 0.1], ArrowRight: ["head_y", -0.1], ArrowUp: ["head_x", 0.1],
  ArrowDown: ["head_x", -0.1], q: ["neck_z", 0.1], e: ["neck_z", -0.1],
};
document.addEventListener("keydown", (event) => {
  if (/INPUT|SELECT|BUTTON/.test(event.target.tagName) || event.ctrlKey || event.metaKey) return;
  const step = steps[event.key];
  if (step) setPose({ [step[0]]: state.pose[step[0]] + step[1] });
  else if (event.key === "0") resetPose();
  else if (event.key === "m") setPose({ mouth: state.pose.mouth > 0.5 ? 0 : 1 });
  else if (event.key === " ") {
    const closed = state.pose.left_eye > 0.5 ? 0 : 1;
    setPose({ left_eye: closed, right_eye: closed });
  } else return;
  event.preventDefault();
});

const known = await (await ask("/api/axes")).json();
state.axes = known.axes;
for (const axis of state.axes) {
  state.pose[axis.name] = neutral(axis);
  makeSlider(axis);
}
showPose();
known.motions.forEach(makeMotion);
await open(await (await ask("/api/first")).json());
document.body.dataset.ready = "yes";
