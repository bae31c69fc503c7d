/* One label for all windows so far, in the runner's two ways.

Authors
 * The speechbrain_hrf authors 2026
*/

import { largest } from "./numbers.js";

export class Combination {
  constructor(classes) {
    this.sums = new Array(classes).fill(0);
    this.votes = new Array(classes).fill(0);
    this.count = 0;
  }

  /**
   * Takes one window more. Gives, for all windows so far, {mean, majority}: the
   * label of the largest mean probability, and that of the most windows; each
   * {index, probability}, where a majority's is its share of the windows.
   */
  add(probabilities) {
    probabilities.forEach((value, i) => (this.sums[i] += value));
    this.votes[largest(probabilities)]++;
    this.count++;
    // Of equally many votes, the more probable label wins.
    const most = Math.max(...this.votes);
    const mean = largest(this.sums);
    const majority = largest(
      this.sums.map((sum, i) => (this.votes[i] === most ? sum : -1)),
    );
    return {
      mean: { index: mean, probability: this.sums[mean] / this.count },
      majority: { index: majority, probability: most / this.count },
    };
  }
}
