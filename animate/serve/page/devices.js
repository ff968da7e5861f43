// A camera or a microphone that drives: its button, the choice of several, why there is none.
import { $, say } from "./ask.js";
import { live } from "./live.js";
import { stopOthers, takesTurns } from "./turns.js";

const remedies = (name) => ({
  NotFoundError: `no ${name} is there; plug one in, then press the button again`,
  NotAllowedError: `the page may not use the ${name}; allow it beside the address, then press the button again`,
  NotReadableError: `the ${name} is in use; end the other program, then press the button again`,
  OverconstrainedError: `that ${name} is not there any more; press the button again for another`,
});

// name: also the id of its button and, with an s, of the choice. isOn(): whether one is in use.
// start() takes one into use, or fails; end() lets it go, if any is. Gives what takes turns.
export function drives({ name, isOn, start, end }) {
  const [button, select] = [$(name), $(`${name}s`)];
  const device = { isOn, stop, again, isPerson: true };
  let attempt = 0;

  function showOn() {
    button.setAttribute("aria-pressed", isOn());
    button.textContent = isOn() ? `Turn the ${name} off` : `Use my ${name}`;
  }

  function stop(fault) {
    attempt += 1;
    end();
    showOn();
    if (fault) say(fault);
  }

  async function again() {
    stopOthers(device);
    say(null);
    const mine = attempt += 1;
    try {
      if (!live.token) throw new Error("open a drawing first");
      if (!navigator.mediaDevices) {
        throw new Error(`a browser gives ${name}s only to a page of its own machine; open http://127.0.0.1:${location.port}`);
      }
      const started = start();
      showOn();
      await started;
    } catch (error) {
      if (mine !== attempt) return; // ended meanwhile: its failing says nothing of what is on now
      if (error.name === "OverconstrainedError") forgetChoice(select);
      stop(remedies(name)[error.name] ?? error.message);
    }
  }

  takesTurns(device);
  button.addEventListener("click", () => (isOn() ? stop() : again()));
  select.addEventListener("change", () => {
    if (isOn()) stop();
    again();
  });
  return device;
}

// A choice of devices, shown where there are several. Browsers tell their names once one may be used.
export async function offerDevices(select, kind, inUse) {
  const known = await navigator.mediaDevices.enumerateDevices();
  const devices = known.filter((one) => one.kind === kind && one.deviceId);
  select.replaceChildren(...devices.map((one, k) => (
    new Option(one.label || `${k + 1}`, one.deviceId, false, one.deviceId === inUse))));
  select.hidden = devices.length < 2;
}

// What getUserMedia is asked for: the device that was chosen.
export const chosen = (select) => (select.value ? { deviceId: { exact: select.value } } : {});

// The chosen device is there no more: whichever is, is asked for next.
function forgetChoice(select) {
  select.replaceChildren();
  select.hidden = true;
}
