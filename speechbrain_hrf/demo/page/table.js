/* The results as a table, for who would rather read them.

Authors
 * The speechbrain_hrf authors 2026
*/

import { clock, percent } from "./numbers.js";

export class Table {
  constructor(details, body, labels) {
    Object.assign(this, { details, body, labels, results: [] });
    details.addEventListener("toggle", () => this.show(this.results));
  }

  /** Shows the results, newest first; nothing is made while it is folded. */
  show(results) {
    this.results = results;
    if (!this.details.open) return;
    const fragment = document.createDocumentFragment();
    for (const result of results) fragment.prepend(this.#row(result));
    this.body.replaceChildren(fragment);
  }

  #row({ start, stop, index, probability }) {
    const row = document.createElement("tr");
    const head = document.createElement("th");
    head.scope = "row";
    head.textContent = `${clock(start)} to ${clock(stop)}`;
    row.append(head);
    for (const text of [this.labels[index], percent(probability)]) {
      row.insertCell().textContent = text;
    }
    return row;
  }
}
