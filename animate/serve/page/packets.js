// On the browser's audio thread: samples, gathered to packets of 20 ms of 16 bits.
class Packets extends AudioWorkletProcessor {
  #packet = new Int16Array(Math.round(sampleRate / 50));
  #filled = 0;

  process([input]) {
    for (const sample of input[0] ?? []) {
      this.#packet[this.#filled++] = Math.max(-1, Math.min(1, sample)) * 32767;
      if (this.#filled < this.#packet.length) continue;
      this.port.postMessage(this.#packet.slice());
      this.#filled = 0;
    }
    return true;
  }
}

registerProcessor("packets", Packets);
