/* Changes the sample rate as torchaudio.functional.resample does by default: a
sinc kernel under a Hann window, six zero crossings wide, that lets pass 99 % of
the band. Sound may come in pieces of any length.

Authors
 * The speechbrain_hrf authors 2026
*/

const CROSSINGS = 6;
const ROLLOFF = 0.99;

export class Resampler {
  constructor(from, to) {
    const divisor = gcd(from, to);
    this.from = from / divisor;
    this.to = to / divisor;
    this.filters = from === to ? null : filters(this.from, this.to);
    this.waiting = new Float32Array(0); // input that is still needed
    this.before = 0; // input samples before it
    this.made = 0; // output samples so far
  }

  /** What can be told of the output after this piece of input. */
  push(samples) {
    if (!this.filters) return samples;
    const joined = new Float32Array(this.waiting.length + samples.length);
    joined.set(this.waiting);
    joined.set(samples, this.waiting.length);
    this.waiting = joined;
    return this.#make(false);
  }

  /** The rest of the output: what follows the input is silence. */
  finish() {
    return this.filters ? this.#make(true) : new Float32Array(0);
  }

  #make(last) {
    const { from, to, filters } = this;
    const received = this.before + this.waiting.length;
    const end = Math.ceil((received * to) / from);
    const output = [];
    for (let n = this.made; n < end; n++) {
      const filter = filters[n % to];
      const start = Math.floor(n / to) * from + filter.first;
      if (!last && start + filter.taps.length > received) break;
      output.push(dot(filter.taps, this.waiting, start - this.before));
    }
    this.made += output.length;
    this.#forget();
    return Float32Array.from(output);
  }

  /** Drops the input that no later output needs. */
  #forget() {
    const { from, to, filters, made } = this;
    const needed = Math.floor(made / to) * from + filters[made % to].first;
    const extra = Math.min(
      Math.max(needed - this.before, 0),
      this.waiting.length,
    );
    this.waiting = this.waiting.slice(extra);
    this.before += extra;
  }
}

function gcd(a, b) {
  return b ? gcd(b, a % b) : a;
}

/** The sum of taps times samples; outside of the samples lies silence. */
function dot(taps, samples, start) {
  const first = Math.max(0, -start);
  const end = Math.min(taps.length, samples.length - start);
  let sum = 0;
  for (let k = first; k < end; k++) sum += taps[k] * samples[start + k];
  return sum;
}

/** For each of the output's positions within a block: where its filter starts
 * in the input, relative to that of the block, and its taps. */
function filters(from, to) {
  const band = Math.min(from, to) * ROLLOFF;
  const width = Math.ceil((CROSSINGS * from) / band);
  return Array.from({ length: to }, (_, phase) => {
    const taps = [];
    let first = null;
    // torchaudio rounds this to single precision, and the model knows it so.
    const offset = Math.fround(phase / to);
    // Only where the window is: an odd rate has thousands of phases.
    const centre = Math.round(offset * from);
    for (let k = centre - width - 1; k <= centre + width + 1; k++) {
      const t = (k / from - offset) * band;
      if (Math.abs(t) >= CROSSINGS) continue; // the window is zero there
      first ??= k;
      taps.push(tap(t) * (band / from));
    }
    return { first, taps: Float32Array.from(taps) };
  });
}

function tap(t) {
  const hann = Math.cos((t * Math.PI) / CROSSINGS / 2) ** 2;
  return t === 0 ? hann : (hann * Math.sin(t * Math.PI)) / (t * Math.PI);
}
