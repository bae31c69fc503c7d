/* One sound, from its source to what is shown for it.

Authors
 * The speechbrain_hrf authors 2026
*/

import { readAudioFile } from "./audio_file.js";
import { Microphone } from "./microphone.js";
import { clock, figure } from "./numbers.js";
import { Problem, told } from "./problem.js";
import { Stream } from "./stream.js";

export class Session {
  constructor(model, controls, results, facts) {
    Object.assign(this, { model, controls, results, facts });
  }

  /** Listens until it is stopped. */
  microphone() {
    return this.#run("Waiting for the microphone…", async (stopped, stop) => {
      let stream;
      const microphone = await Microphone.open(
        (samples) => this.#hear(samples, stream),
        () =>
          stop(
            "The microphone has gone: it was unplugged, or taken from " +
              "this page. Start again when it is back.",
          ),
      );
      stream = this.#stream(microphone.rate, null);
      stream.onError = () => stop();
      this.controls.status("Listening.");
      this.controls.note(
        `The microphone gives ${figure(microphone.rate)} samples per ` +
          "second, without the browser's echo and noise treatment.",
      );
      const lost = await stopped;
      await microphone.close();
      await stream.finish();
      if (lost) throw new Problem(lost);
      return "Stopped.";
    });
  }

  /** Reads a file to its end, or until it is stopped. */
  file(file) {
    return this.#run(`Reading ${file.name}…`, async (stopped) => {
      let going = true;
      stopped.then(() => (going = false));
      const { samples, rate, note } = await readAudioFile(file);
      const stream = this.#stream(rate, samples.length / rate);
      if (note) this.controls.note(note);
      for (let at = 0; going && at < samples.length; at += rate) {
        await stream.pushAll(samples.subarray(at, at + rate));
        this.controls.progress(at / samples.length);
      }
      await stream.finish();
      this.results.conclude();
      return going
        ? `${file.name}, ${clock(samples.length / rate)} long, is done.`
        : "Stopped.";
    });
  }

  async #run(text, task) {
    let stop;
    const stopped = new Promise((resolve) => (stop = resolve));
    this.controls.begin(text, () => stop());
    this.facts.reset();
    this.results.reset(null);
    try {
      this.controls.end(await task(stopped, stop));
    } catch (error) {
      this.controls.end("Nothing is running.");
      this.controls.alarm(told(error));
    }
    this.#draw();
  }

  #stream(rate, seconds) {
    this.results.reset(seconds);
    this.facts.begin();
    return new Stream(this.model, rate, (result, overall) => {
      this.results.add(result, overall);
      this.facts.add(result);
      this.#drawSoon();
      // For who wants the figures themselves.
      document.dispatchEvent(
        new CustomEvent("result", { detail: { ...result, ...overall } }),
      );
    });
  }

  #hear(samples, stream) {
    if (!stream) return; // not everything is there yet
    stream.push(samples);
    this.controls.level(
      samples.reduce((peak, x) => Math.max(peak, Math.abs(x)), 0),
    );
    if (stream.leftOut) {
      this.controls.note(
        "This device is too slow for one window after each hop: " +
          `${figure(stream.leftOut)} windows were left out.`,
      );
    }
  }

  #drawSoon() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.#draw();
    });
  }

  #draw() {
    this.results.draw();
    this.facts.draw();
  }
}
