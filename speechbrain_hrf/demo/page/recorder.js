/* Runs beside the sound card and passes on what the microphone hears, an
eighth of a second or so at a time.

Authors
 * The speechbrain_hrf authors 2026
*/

const PIECE = 4096;

class Recorder extends AudioWorkletProcessor {
  constructor() {
    super();
    this.piece = new Float32Array(PIECE);
    this.filled = 0;
    this.ended = false;
    this.port.onmessage = () => {
      this.#pass();
      this.port.postMessage(null); // nothing follows
      this.ended = true;
    };
  }

  process([channels]) {
    // Without a microphone there are no channels.
    if (this.ended || !channels.length) return !this.ended;
    for (let i = 0; i < channels[0].length; i++) {
      let sum = 0;
      for (const channel of channels) sum += channel[i];
      this.piece[this.filled++] = sum / channels.length;
      if (this.filled === PIECE) this.#pass();
    }
    return true;
  }

  #pass() {
    this.port.postMessage(this.piece.slice(0, this.filled));
    this.filled = 0;
  }
}

registerProcessor("recorder", Recorder);
