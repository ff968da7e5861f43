// What of this page drives the drawing by itself: a camera, a microphone, a sound; one at a time.
const all = []; // each has isOn(), stop() and again()

export const takesTurns = (one) => all.push(one);
export const atWork = () => all.find((one) => one.isOn());

export function stopOthers(than) {
  for (const one of all) if (one !== than && one.isOn()) one.stop();
}
