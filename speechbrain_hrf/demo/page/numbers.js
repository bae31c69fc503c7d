/* Small sums over lists, and numbers as text.

Authors
 * The speechbrain_hrf authors 2026
*/

/** Place of the largest value; of equal ones, the first. */
export function largest(values) {
  return values.indexOf(Math.max(...values));
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2
    ? sorted[middle]
    : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** With two digits that mean something, and thousands apart. */
export function figure(value) {
  const digits =
    Math.abs(value) < 100
      ? { maximumSignificantDigits: 2 }
      : { maximumFractionDigits: 0 };
  return value.toLocaleString("en", digits);
}

export function percent(probability) {
  return `${Math.round(100 * probability)}\u00a0%`; // on one line
}

/** 75 seconds as 1:15. */
export function clock(seconds) {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
