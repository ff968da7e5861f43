// Shows what the scan found, a page of models at a time, and sends what a person decides.
const $ = (id) => document.getElementById(id);
const state = { models: [], current: 0, page: 0, pages: 1, axes: [] };
const TOP = 0.25, CHIN = 0.75, MIDDLE = 0.5;  // where the head box lies in every picture

function element(name, attributes = {}, ...children) {
  const made = Object.assign(document.createElement(name), attributes);
  made.append(...children);
  return made;
}

function say(fault) {
  $("fault").hidden = !fault;
  $("fault").textContent = fault ?? "";
}

async function ask(path, options) {
  const response = await fetch(path, options);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.fault ?? `the server answered ${response.status}`);
  return answer;
}

// Pictures load when they come into sight.

const watcher = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    watcher.unobserve(target);
    target.src = target.dataset.src;
  }
}, { rootMargin: "300px" });

function lazyPicture(src, alt) {
  const image = element("img", { alt, draggable: false });
  image.dataset.src = src;
  image.addEventListener("error", () => {
    if (image.src) image.replaceWith(element("div", { className: "broken", textContent: "cannot be drawn" }));
  });
  watcher.observe(image);
  return image;
}

function pictureOf(model, view, choice = {}) {
  // What it was drawn of is part of the address, so that a change is never a picture of before.
  const mark = JSON.stringify([model.annotation.head_box, model.annotation.drives]);
  let hash = 0;
  for (const letter of mark) hash = (hash * 31 + letter.codePointAt(0)) >>> 0;
  return `/api/models/${model.sha256}/picture/${view}?${new URLSearchParams({ ...choice, v: hash })}`;
}

// Cards.

function card(model, index) {
  const made = element("article", { className: "card" });
  made.dataset.sha256 = model.sha256;
  made.addEventListener("pointerdown", () => goTo(index));
  made.append(
    element("div", { className: "top" },
      element("b", { textContent: model.name || model.path.split("/").pop() }),
      element("span", { className: `status ${model.status}`, textContent: model.status })),
    element("div", { className: "path", textContent: model.path, title: `${model.path}\n${model.licence}` }));
  if (model.annotation) made.append(head(model), smalls(model, index), bars(model));
  const why = model.status === "refused" ? [model.code, model.message, ...model.objections] : model.objections;
  if (model.missing.length) made.append(element("p", { className: "missing", textContent: toDo(model) }));
  made.append(element("p", { className: "why", textContent: why.filter(Boolean).join("; ") }));
  if (model.annotation) made.append(actions(model, index));
  return made;
}

// What a person has to give before a refused model can be used.
const TO_GIVE = {
  left_eye: "choose a morph that shuts the left eye", right_eye: "choose a morph that shuts the right eye",
  mouth: "choose a morph that opens the mouth", head_box: "put the lines onto the head",
  textures: "accept it without its textures",
};
const toDo = (model) => `to use it: ${model.missing.map((what) => TO_GIVE[what]).join(", ")}`;

// Dragging a line moves the head box, and with it at once the framing of the picture: the line stays
// where pictures have it, and what is to lie on it comes to it. In shares of the picture; the head is
// never made less than LEAST high.

const LEAST = 0.15, REACH = 0.5;
const LINES = {
  middle: { rest: MIDDLE, least: -REACH, most: 1 + REACH, kind: "middle" },
  top: { rest: TOP, least: -REACH, most: CHIN - LEAST, kind: "cut" },
  chin: { rest: CHIN, least: TOP + LEAST, most: 1 + REACH, kind: "cut low" },
};

function head(model) {
  const box = element("div", { className: "head" }, lazyPicture(pictureOf(model, "rest"), "at rest"));
  for (const which of Object.keys(LINES)) box.append(draggable(box, which, model));
  return box;
}

function framed(image, { top, chin, middle }) {
  const scale = (CHIN - TOP) / (chin - top);
  const across = MIDDLE - middle * scale, down = TOP - top * scale;
  image.style.transform = `translate(${across * 100}%, ${down * 100}%) scale(${scale})`;
}

// The head box with a line of the picture moved to a share of it.
function boxWith(found, which, share) {
  const height = (found.skull_top_y - found.chin_y) / (CHIN - TOP);
  if (which === "middle") return { centre_x: found.centre_x + (share - MIDDLE) * height };
  return { [which === "top" ? "skull_top_y" : "chin_y"]: found.skull_top_y - (share - TOP) * height };
}

function draggable(box, which, model) {
  const { rest, least, most, kind } = LINES[which], across = which === "middle";
  const line = element("div", { className: kind }, element("span"));
  line.dataset.line = which;
  line.style[across ? "left" : "top"] = `${rest * 100}%`;
  const place = (event) => (across ? event.clientX : event.clientY) / box.getBoundingClientRect().height;
  let share = rest, began = 0;
  const show = (to) => {
    share = to;
    const image = box.querySelector("img");
    if (image) framed(image, { top: TOP, chin: CHIN, middle: MIDDLE, [which]: share });
    const off = ((across ? share - rest : rest - share) / (CHIN - TOP)) * 100;
    line.firstChild.textContent = off ? `${off > 0 ? "+" : ""}${off.toFixed(1)} % of the head` : "";
  };
  line.addEventListener("pointerdown", (event) => {
    line.setPointerCapture(event.pointerId);
    began = place(event);
    event.preventDefault();
  });
  line.addEventListener("pointermove", (event) => {
    if (!line.hasPointerCapture(event.pointerId)) return;
    show(Math.min(most, Math.max(least, rest + place(event) - began)));
  });
  line.addEventListener("pointercancel", () => show(rest));
  line.addEventListener("pointerup", async () => {
    if (share === rest) return;
    const moved = boxWith(model.annotation.head_box, which, share);
    await keep(model, "PATCH", (now = model) => ({ head_box: { ...now.annotation.head_box, ...moved } }));
    show(rest);  // the card is another one by now, unless the server would not have it
  });
  return line;
}

const SMALLS = [["left_eye", "left shut"], ["right_eye", "right shut"], ["both", "both shut"], ["mouth", "mouth shut"]];

function small(src, title, ...captions) {
  const picture = element("div", { className: "picture" }, lazyPicture(src, title));
  return element("button", { className: "small", title },
    picture, ...captions.map((words) => element("small", { textContent: words })));
}

function smalls(model, index) {
  const row = element("div", { className: "smalls" });
  for (const [view, words] of SMALLS) {
    const drives = model.annotation.drives[view];
    const name = drives ? drives.map((drive) => drive.name).join(" + ") || "none: choose" : "";
    const title = drives ? `${words}: ${name}; choose another` : words;
    const button = small(pictureOf(model, view), title, words, name);
    button.dataset.view = view;
    if (drives) button.addEventListener("click", () => chooseMorph(index, view));
    if (drives && !drives.length) button.classList.add("lacking");
    row.append(button);
  }
  return row;
}

const SHORT = { left_eye: "L eye", right_eye: "R eye", skull_top: "top", centre_x: "middle" };

function bars(model) {
  const row = element("div", { className: "bars" });
  for (const [answer, score] of Object.entries(model.annotation.confidence)) {
    const bar = element("i");
    bar.style.setProperty("--share", `${score * 100}%`);
    const low = model.annotation.doubtful.includes(answer);
    row.append(element("div", { className: low ? "low" : "", title: `${answer} ${score.toFixed(2)}` },
      bar, SHORT[answer] ?? answer));
  }
  return row;
}

function actions(model, index) {
  const decision = model.correction?.decision;
  const button = (words, title, pressed, run) => {
    const made = element("button", { textContent: words, title });
    made.setAttribute("aria-pressed", pressed);
    made.addEventListener("click", run);
    return made;
  };
  return element("div", { className: "actions" },
    button("accept", "a", decision === "accept", () => decide(index, "accept")),
    button("reject", "r", decision === "reject", () => decide(index, "reject")),
    button("forget", "take back all that was said of this model", false, () => forget(index)));
}

// Decisions. They go out one by one, and the server adds each to what it has: what this page does
// not know, of another page or of a page left meanwhile, is not lost.

const history = [];
let sending = Promise.resolve();

function inTurn(work) {
  sending = sending.then(work).catch((error) => say(error.message));
  return sending;
}

const find = (sha256) => state.models.findIndex((one) => one.sha256 === sha256);

async function send(sha256, method, values) {
  say(null);
  const answer = await ask(`/api/models/${sha256}/correction`, { method, body: JSON.stringify(values) });
  const index = find(sha256);
  if (index >= 0) {
    state.models[index] = answer;
    const old = $("grid").children[index];
    const made = card(answer, index);
    made.classList.toggle("large", old.classList.contains("large"));
    old.replaceWith(made);
    mark();
  }
  return answer.before;
}

// values: called when its turn has come, with the model as it is known then.
function keep({ sha256 }, method, values) {
  return inTurn(async () => {
    const before = await send(sha256, method, values(state.models[find(sha256)]));
    history.push({ sha256, before });
  });
}

const correct = (model, changes) => keep(model, "PATCH", () => changes);
const decide = (index, decision) => correct(state.models[index], { decision });

const NOTHING = { decision: null, head_box: null, drives: {}, textures: null };
const forget = (index) => keep(state.models[index], "PUT", () => NOTHING);

// Takes back what was decided last on this page.
function undo() {
  return inTurn(async () => {
    const last = history.at(-1);
    if (!last) return say("nothing was decided since this page was loaded");
    if (find(last.sha256) >= 0) goTo(find(last.sha256));
    const { decision, head_box, drives, textures } = last.before ?? NOTHING;
    await send(last.sha256, "PUT", { decision, head_box, drives, textures });
    history.pop();
  });
}

// Another morph.

async function chooseMorph(index, axis) {
  const model = state.models[index];
  $("morphs-title").textContent = `${axis.replace("_", " ")} of ${model.name || model.path}`;
  $("morph-list").replaceChildren("reading ...");
  $("morphs").showModal();
  try {
    const names = await ask(`/api/models/${model.sha256}/morphs`);
    const now = model.annotation.drives[axis].map((drive) => drive.morph);
    const order = [...names.keys()].sort((a, b) => now.includes(b) - now.includes(a));
    $("morph-list").replaceChildren(...order.map((morph) => {
      const name = names[morph];
      const view = axis === "mouth" ? "rest" : axis;
      const choice = { axis, morph, side: sideOf(axis) };
      const button = small(pictureOf(model, view, choice), name, name);
      button.classList.toggle("chosen", now.includes(morph));
      button.dataset.morph = morph;
      button.addEventListener("click", () => {
        $("morphs").close();
        const drive = { morph, name, weight: 1, side: sideOf(axis) };
        correct(model, { drives: { [axis]: [drive] } });
      });
      return button;
    }));
  } catch (error) {
    $("morph-list").replaceChildren(error.message);
  }
}

function sideOf(axis) {
  // Of whatever is chosen for an eye, the other eye's half is left out.
  return axis === "mouth" ? "whole" : { left_eye: "left", right_eye: "right" }[axis];
}

// What nobody waits for any more is not drawn.
$("morphs").addEventListener("close", () => {
  for (const image of $("morph-list").querySelectorAll("img")) image.removeAttribute("src");
  $("morph-list").replaceChildren();
});

$("morph-search").addEventListener("input", () => {
  const words = $("morph-search").value.toLowerCase();
  for (const button of $("morph-list").children) {
    button.hidden = !button.title.toLowerCase().includes(words);
  }
});
$("morph-search").addEventListener("keydown", (event) => {
  if (event.key === "Enter") event.preventDefault();
});

// Pages and keys.

async function load() {
  say(null);
  const query = new URLSearchParams({
    status: $("status").value, source: $("source").value, search: $("search").value, page: state.page,
  });
  try {
    const answer = await ask(`/api/models?${query}`);
    Object.assign(state, { models: answer.models, pages: Math.max(1, answer.pages), current: 0, axes: answer.axes });
    if ($("source").options.length === 1) {
      $("source").append(...answer.sources.map((name) => element("option", { value: name, textContent: name || "(top folder)" })));
    }
    $("count").textContent = `${answer.count} models`;
    $("page").textContent = `${state.page + 1} / ${state.pages}`;
    $("previous").disabled = state.page === 0;
    $("next").disabled = state.page + 1 >= state.pages;
    $("grid").replaceChildren(...state.models.map(card));
    mark();
  } catch (error) {
    say(error.message);
  }
}

function mark() {
  [...$("grid").children].forEach((one, index) => one.classList.toggle("current", index === state.current));
}

function goTo(index) {
  if (!state.models.length) return;
  state.current = Math.min(state.models.length - 1, Math.max(0, index));
  mark();
}

function step(by) {
  goTo(state.current + by);
  $("grid").children[state.current]?.scrollIntoView({ block: "nearest" });
}

// The next model is current before the answer comes, so that two quick keys are two models.
function decideAndGoOn(decision) {
  const index = state.current;
  step(1);
  decide(index, decision);
}

const keys = {
  j: () => step(1), k: () => step(-1), ArrowRight: () => step(1), ArrowLeft: () => step(-1),
  ArrowDown: () => step(1), ArrowUp: () => step(-1),
  a: () => decideAndGoOn("accept"), r: () => decideAndGoOn("reject"), u: undo,
  e: () => $("grid").children[state.current]?.classList.toggle("large"),
  "1": () => chooseMorph(state.current, "left_eye"), "2": () => chooseMorph(state.current, "right_eye"),
  "3": () => chooseMorph(state.current, "mouth"),
  "/": () => $("search").focus(), "?": () => $("help").showModal(),
};
document.addEventListener("keydown", (event) => {
  if (/INPUT|SELECT/.test(event.target.tagName) || document.querySelector("dialog[open]")) return;
  if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
  const needsModel = !"/?jku".includes(event.key) && !event.key.startsWith("Arrow");
  if (needsModel && !state.models[state.current]?.annotation) return;
  event.preventDefault();
  keys[event.key]();
});
for (const id of ["status", "source", "search"]) {
  $(id).addEventListener("change", () => { state.page = 0; load(); });
}
$("previous").addEventListener("click", () => { state.page -= 1; load(); });
$("next").addEventListener("click", () => { state.page += 1; load(); });
$("help-button").addEventListener("click", () => $("help").showModal());

await load();
document.body.dataset.ready = "yes";
