/* What runs here: the model, its size, its speed, and what was sent for it.

Authors
 * The speechbrain_hrf authors 2026
*/

import { figure, median } from "./numbers.js";
import { Windows } from "./windows.js";

const KEPT = 1000; // latencies, of which the median is told

export class Facts {
  constructor(find) {
    this.find = find;
    this.reset();
    new PerformanceObserver((list) => {
      const late = list
        .getEntries()
        .filter((entry) => entry.startTime > this.began);
      this.requests += late.length;
    }).observe({ type: "resource" });
  }

  model({ manifest, file }) {
    const check = file.checked
      ? "its SHA-256 is the one of the manifest"
      : "its SHA-256 was not checked, which browsers do only by https";
    const { size, hop, rate } = new Windows(
      manifest.window,
      manifest.sample_rate,
    );
    this.#show({
      window:
        `A window is the last ${figure(size / rate)} s of sound; a new one ` +
        `comes every ${figure(hop / rate)} s.`,
      model: `${manifest.model}, ${figure(manifest.parameters)} parameters`,
      size: `${figure(file.bytes / 1024)} KiB; ${check}`,
    });
  }

  /** Forgets the last sound's figures. */
  reset() {
    Object.assign(this, {
      latencies: [],
      work: 0,
      sound: 0,
      requests: 0,
      began: Infinity,
    });
    this.#show({ latency: "–", factor: "–", requests: "–" });
  }

  /** Sound comes in from now on. */
  begin() {
    if (this.began === Infinity) this.began = performance.now();
  }

  add({ milliseconds, from, stop }) {
    this.work += milliseconds / 1000;
    this.sound += stop - from;
    this.latencies.push(milliseconds);
    if (this.latencies.length > KEPT) this.latencies.shift();
  }

  draw() {
    if (!this.latencies.length) return;
    const { latencies, work, sound, requests } = this;
    this.#show({
      latency:
        `${figure(median(latencies))} ms (median of ` +
        `${figure(latencies.length)})`,
      factor:
        `${figure(work / sound)} (${figure((1000 * work) / sound)} ms of ` +
        "work for each second of sound)",
      requests: `${requests}`,
    });
  }

  #show(texts) {
    for (const [id, text] of Object.entries(texts))
      this.find(id).textContent = text;
  }
}
