// What of this page drives the drawing by itself: camera and microphone together, or a sound.
const all = []; // each has isOn(), stop() and again(); and isPerson, where it is a part of one

export const takesTurns = (one) => all.push(one);
export const atWork = () => all.filter((one) => one.isOn());

export function stopOthers(than) {
  for (const one of atWork()) if (one !== than && !(one.isPerson && than?.isPerson)) one.stop();
}
