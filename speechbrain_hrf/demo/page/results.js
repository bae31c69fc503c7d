/* Shows the results: the labels in large, the chart, the table, and, to who
listens to the page, a change of the label now and then.

Authors
 * The speechbrain_hrf authors 2026
*/

import { Chart } from "./chart.js";
import { clock, percent } from "./numbers.js";
import { Table } from "./table.js";

const SECONDS = 60; // of a microphone's sound in the chart
const KEPT = 3600; // results of a microphone, of which there is no end
const QUIET = 4000; // ms at least between two things that are read aloud

export class Results {
  constructor(find, labels) {
    this.find = find;
    this.labels = labels;
    this.chart = new Chart(find("chart"), find("rows"), labels);
    this.table = new Table(find("details"), find("windows"), labels);
    this.reset(null);
  }

  /** seconds: how long the sound is; null for a microphone. */
  reset(seconds) {
    Object.assign(this, {
      list: [],
      overall: null,
      seconds,
      spoken: null,
      spokenAt: 0,
    });
    this.find("result").hidden = true;
  }

  add(result, overall) {
    this.list.push(result);
    if (this.seconds === null && this.list.length > KEPT) this.list.shift();
    this.overall = overall;
  }

  draw() {
    const last = this.list.at(-1);
    if (!last) return;
    this.find("result").hidden = false;
    this.#label("latest", last);
    this.#label("mean", this.overall.mean);
    this.#label("majority", this.overall.majority);
    this.find("span").textContent =
      `${clock(last.start)} to ${clock(last.stop)}`;
    const to = this.seconds ?? Math.max(last.stop, SECONDS);
    const from = this.seconds === null ? to - SECONDS : 0;
    this.chart.show(this.list, from, to);
    this.table.show(this.list);
    if (this.seconds === null) this.#announce(last, false);
  }

  /** Reads the label of the whole aloud. */
  conclude() {
    if (this.overall) this.#announce(this.overall.mean, true);
  }

  #label(id, { index, probability }) {
    const share = document.createElement("small");
    share.textContent = percent(probability);
    this.find(id).replaceChildren(this.labels[index], " ", share);
  }

  #announce({ index }, now) {
    const quiet = performance.now() - this.spokenAt > QUIET;
    if (index === this.spoken || !(quiet || now)) return;
    this.spoken = index;
    this.spokenAt = performance.now();
    this.find("announcement").textContent = this.labels[index];
  }
}
