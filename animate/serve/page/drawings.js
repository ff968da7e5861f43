// Which drawing is open: dropped, chosen, mended, from the gallery, or one of the last.
import { $, ask, say } from "./ask.js";
import { connect, disconnect, live } from "./live.js";
import { forget, lastDrawings, remember } from "./last.js";
import { isSound, play } from "./sound.js";

let upload = null; // what was given, before any mending
let before = null; // the token that was open before the mending
let opened = () => {};

export const onOpened = (listener) => { opened = listener; };

function show(answer, mended) {
  $("report").hidden = !answer.faults?.length;
  $("faults").replaceChildren(...(answer.faults ?? []).map((fault) => {
    const item = document.createElement("li");
    item.textContent = fault.text;
    return item;
  }));
  if (answer.preview) $("preview").src = answer.preview;
  $("mend").hidden = !answer.fixable || !upload;
  $("mended").hidden = !mended;
  if (!answer.token && !live.token) $("choice").open = true;
  if (answer.name) $("name").textContent = answer.name;
  if (answer.token && answer.token !== live.token) opened(answer.token);
}

async function send(given, mend) {
  say(null);
  $("view").classList.add("busy");
  try {
    const query = new URLSearchParams({ name: given.name, mend });
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
  show(await (await ask("/api/first")).json(), false);
}

$("file").addEventListener("change", () => {
  const [file] = $("file").files;
  if (file) give(file, file.name);
  $("file").value = "";
});
$("mend").addEventListener("click", async () => {
  const token = live.token;
  if (await send(upload, true)) before = token;
});
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
