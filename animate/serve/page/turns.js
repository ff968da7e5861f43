// What of this page drives the drawing by itself: a camera, a microphone, a sound; one at a time.
const all = []; // each has isOn(), stop() and again()

export const takesTurns = (one) => all.push(one);
export const atWork = () => all.find((one) => one.isOn());

export function stopOthers(than) {
  for (const one of all) if (one !== than && one.isOn()) one.stop();
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
export function forgetChoice(select) {
  select.replaceChildren();
  select.hidden = true;
}
