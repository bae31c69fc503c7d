/* Cuts sound into overlapping windows, as the command line's runner does.

Authors
 * The speechbrain_hrf authors 2026
*/

export class Windows {
  /** window: the manifest's, {samples, hop_samples}; rate: the model's. */
  constructor(window, rate) {
    this.rate = rate;
    // Without, the model was trained on whole utterances.
    this.size = window ? window.samples : 5 * rate;
    this.hop = window ? window.hop_samples : rate;
    this.kept = new Float32Array(this.size); // the latest, in a ring
    this.received = 0;
    this.told = 0; // end of the last window
  }

  /** The windows that end within this piece of sound. */
  push(samples) {
    const windows = [];
    for (let at = 0; at < samples.length;) {
      const next = this.told + this.hop;
      const piece = samples.subarray(at, at + next - this.received);
      this.#keep(piece);
      at += piece.length;
      if (this.received === next) windows.push(this.#window());
    }
    return windows;
  }

  /** What is left at the end. */
  finish() {
    return this.received > this.told ? [this.#window()] : [];
  }

  #keep(piece) {
    for (const sample of piece) this.kept[this.received++ % this.size] = sample;
  }

  #window() {
    const { kept, received, size, rate } = this;
    const start = Math.max(0, received - size);
    const samples = new Float32Array(received - start);
    for (let i = 0; i < samples.length; i++)
      samples[i] = kept[(start + i) % size];
    const from = this.told / rate;
    this.told = received;
    return { samples, start: start / rate, stop: received / rate, from };
  }
}
