// Puts the page together. What the axes are, and which motions there are, the server says.
import { $, ask, say } from "./ask.js";
import "./camera.js";
import { onOpened, openFirst, showGallery, showLast } from "./drawings.js";
import { connect, live, onWords, tellLive } from "./live.js";
import "./microphone.js";
import { followWords, makeSliders, pose, takesKeys, turnsHead } from "./pose.js";
import { offerRecordings } from "./recording.js";
import { atWork, stopOthers } from "./turns.js";

function makeMotion(name) {
  const button = document.createElement("button");
  button.dataset.motion = name;
  button.textContent = name[0].toUpperCase() + name.slice(1);
  button.addEventListener("click", () => {
    stopOthers(null);
    tellLive({ motion: live.source === name ? null : name });
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
$("fault").addEventListener("click", () => say(null));

const known = await (await ask("/api/axes")).json();
makeSliders(known.axes);
known.motions.forEach(makeMotion);
offerRecordings(known.motions, known.kinds);
showGallery(known.gallery);
turnsHead($("view"), () => live.token, 1.3);
turnsHead($("pad"), () => live.token, 1);
takesKeys();
onWords((words) => {
  followWords(words);
  for (const button of $("motions").children) {
    button.setAttribute("aria-pressed", button.dataset.motion === words.source);
  }
});
// Another drawing goes on as the one before it did.
onOpened((token) => {
  const motion = known.motions.includes(live.source) ? live.source : null;
  const carried = live.token ? (motion ? { motion } : { pose }) : null;
  const drivers = atWork();
  for (const one of drivers) one.stop();
  connect(token, carried);
  for (const one of drivers) one.again();
});
await Promise.all([openFirst(), showLast()]);
document.body.dataset.ready = "yes";
