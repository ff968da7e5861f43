// Which drawing is open: dropped, chosen, mended, from the gallery, or one of the last.
import { $, ask, say } from "./ask.js";
import { onMoved, showHead } from "./head_lines.js";
import { connect, disconnect, live } from "./live.js";
import { forget, lastDrawings, remember } from "./last.js";
import { isSound, play } from "./sound.js";

let upload = null; // what was given, before any mending
let before = null; // the token that was open before the mending
let isMended = false;
let opened = () => {};

export const onOpened = (listener) => { opened = listener; };

const invitation = $("hint").firstChild.textContent;

// The remedies of the command line, as this page has them.
const inThePage = (text) => text
  .replace("say it with --head TOP,CHIN,MIDDLE", "drag the lines below")
  .replaceAll("--fix", "mending");

function show(answer, mended) {
  $("report").hidden = !answer.faults?.length;
  $("faults").replaceChildren(...(answer.faults ?? []).map((fault) => {
    const item = document.createElement("li");
    item.textContent = inThePage(fault.text);
    return item;
  }));
  if (answer.preview) $("preview").src = answer.preview;
  $("mend").hidden = !answer.fixable || !upload;
  $("hint").firstChild.textContent = answer.token || !answer.faults ? invitation : "This one wants mending first: see below";
  $("mended").hidden = !mended;
  isMended = mended;
  if (!mended) showHead(answer);
  if (!answer.token && !live.token) $("choice").open = true;
  if (answer.name) $("name").textContent = answer.name;
  if (answer.token && answer.token !== live.token) opened(answer.token);
}

async function send(given, mend, more = {}) {
  say(null);
  $("view").classList.add("busy");
  try {
    given.blob ??= await (await ask("/api/first/picture")).blob();
    const query = new URLSearchParams({ name: given.name, mend, ...more });
    const answer = await (await ask(`/api/drawing?${query}`, { method: "POST", body: given.blob })).json();
    upload = given;
    show(answer, mend);
    return answer;
  } catch (error) {
    say(error.message);
    return null;
  } finally {
    $("view").classList.remove("busy");
  }
}

async function give(blob, name) {
  before = null;
  const answer = await send({ blob, name }, false);
  if (answer) await remember(blob, name).then(showLast, () => {});
}

export async function openFirst() {
  const answer = await (await ask("/api/first")).json();
  if (answer.name) upload = { blob: null, name: answer.name };
  show(answer, false);
}

// A mended copy; one that was mended before makes room for it.
async function mend(more) {
  const token = live.token;
  const another = isMended;
  const answer = await send(upload, true, another ? { ...more, instead: token } : more);
  if (answer && !another) before = token;
}

// Only where the lines were left last is asked for.
const lines = { newest: null, busy: false };
onMoved(async (head) => {
  lines.newest = head;
  if (lines.busy) return;
  lines.busy = true;
  while (lines.newest) {
    const newest = lines.newest;
    lines.newest = null;
    await mend({ head: newest });
  }
  lines.busy = false;
});

$("file").addEventListener("change", () => {
  const [file] = $("file").files;
  if (file) give(file, file.name);
  $("file").value = "";
});
$("view").addEventListener("click", () => live.token || $("file").click());
$("mend").addEventListener("click", () => mend({}));
$("undo").addEventListener("click", async () => {
  const answer = await send(upload, false);
  if (!answer || answer.token) return;
  if (before) opened(before);
  else disconnect();
});
for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    document.body.classList.toggle("over", kind === "dragover" || kind === "dragenter");
    const [file] = kind === "drop" ? event.dataTransfer.files : [];
    if (file && isSound(file)) play(file);
    else if (file) give(file, file.name);
  });
}

// Thumbnails.

function thumb(source, name, open) {
  const button = document.createElement("button");
  const image = Object.assign(document.createElement("img"), { src: source, alt: name, title: name });
  button.append(image);
  button.addEventListener("click", open);
  return button;
}

export function showGallery(names) {
  $("gallery").replaceChildren(...names.map((name) => {
    const address = `/page/gallery/${encodeURIComponent(name)}`;
    const open = async () => {
      before = null;
      await send({ blob: await (await ask(address)).blob(), name }, false);
    };
    return thumb(address, name, () => open().catch((error) => say(error.message)));
  }));
}

export async function showLast() {
  const kept = await lastDrawings();
  $("last-title").hidden = !kept.length;
  $("last").replaceChildren(...kept.map(({ id, blob, name }) => {
    const item = document.createElement("span");
    const remove = Object.assign(document.createElement("button"), {
      className: "forget", textContent: "×", title: `forget ${name}`,
    });
    remove.addEventListener("click", () => forget(id).then(showLast));
    item.append(thumb(URL.createObjectURL(blob), name, () => give(blob, name)), remove);
    return item;
  }));
}
