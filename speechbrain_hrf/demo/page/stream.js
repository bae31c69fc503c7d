/* Sound in pieces becomes results: resampled, cut into windows, classified,
combined. The same for a microphone and a file, and as the command line does.

Authors
 * The speechbrain_hrf authors 2026
*/

import { Combination } from "./combination.js";
import { largest } from "./numbers.js";
import { Resampler } from "./resample.js";
import { Windows } from "./windows.js";

// A device that cannot keep up leaves windows out rather than fall behind.
const MOST_WAITING = 4;
const PAUSE = 30; // ms of work after which the page may react

export class Stream {
  /** onResult is called with each window's {start, stop, from, milliseconds,
   * logProbabilities, probabilities, index, probability}, times in seconds of
   * the sound, and what all windows so far give: see Combination. */
  constructor(model, rate, onResult) {
    const { sample_rate: modelRate, window, labels } = model.manifest;
    Object.assign(this, { model, onResult });
    this.resampler = new Resampler(rate, modelRate);
    this.windows = new Windows(window, modelRate);
    this.combination = new Combination(labels.length);
    this.waiting = [];
    this.leftOut = 0;
    this.work = Promise.resolve();
    this.onError = () => {}; // called if work fails; finish() throws the error
    this.paused = performance.now();
  }

  /** Takes sound as it comes; onResult follows. */
  push(samples) {
    this.#queue(this.windows.push(this.resampler.push(samples)));
    while (this.waiting.length > MOST_WAITING) {
      this.waiting.shift();
      this.leftOut++;
    }
  }

  /** Takes sound that can wait for its results. */
  async pushAll(samples) {
    this.#queue(this.windows.push(this.resampler.push(samples)));
    await this.work;
  }

  /** Ends the sound; resolves when the last result was given. */
  async finish() {
    this.#queue(this.windows.push(this.resampler.finish()));
    this.#queue(this.windows.finish());
    await this.work;
  }

  #queue(windows) {
    this.waiting.push(...windows);
    this.work = this.work.then(() => this.#run());
    this.work.catch(this.onError);
  }

  async #run() {
    while (this.waiting.length) {
      const { samples, ...times } = this.waiting.shift();
      const output = await this.model.run(samples);
      const probabilities = Array.from(output.logProbabilities, Math.exp);
      const index = largest(probabilities);
      const probability = probabilities[index];
      const overall = this.combination.add(probabilities);
      this.onResult(
        { ...times, ...output, probabilities, index, probability },
        overall,
      );
      if (performance.now() - this.paused > PAUSE) await this.#pause();
    }
  }

  async #pause() {
    await new Promise((resolve) => setTimeout(resolve));
    this.paused = performance.now();
  }
}
