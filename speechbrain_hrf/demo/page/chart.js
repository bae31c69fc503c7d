/* Emotion over time: a row for each label, a column for each window, the darker
the more probable. One colour and its strength, so that nobody has to tell
colours apart; names and current figures are text beside the picture.

Authors
 * The speechbrain_hrf authors 2026
*/

import { clock, percent } from "./numbers.js";

const AXIS = 22; // px below the rows, for the times
const TICKS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200];

export class Chart {
  constructor(canvas, list, labels) {
    this.canvas = canvas;
    this.labels = labels;
    this.rows = labels.map((label) => row(list, label));
    this.results = [];
    this.from = 0;
    this.to = 1;
    const draw = () => this.#draw();
    new ResizeObserver(draw).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  }

  /** Shows results, of {from, start, stop, probabilities, index}, of which
   * each has a column from `from` to `stop`; all in seconds. */
  show(results, from, to) {
    Object.assign(this, { results, from, to });
    const last = results.at(-1);
    this.rows.forEach(({ item, share }, i) => {
      share.textContent = last ? percent(last.probabilities[i]) : "–";
      item.classList.toggle("first", i === last?.index);
    });
    this.canvas.setAttribute("aria-label", summary(results, this.labels));
    this.#draw();
  }

  #draw() {
    const { canvas, from, to } = this;
    const { width, height } = canvas.getBoundingClientRect();
    if (!width) return; // out of sight
    const scale = devicePixelRatio;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    const pen = canvas.getContext("2d");
    pen.scale(scale, scale);
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(`--${name}`);
    // On whole pixels of the screen: columns touch without a seam.
    const x = (seconds) =>
      Math.round(((seconds - from) / (to - from)) * width * scale) / scale;
    const size = (height - AXIS) / this.labels.length;

    pen.fillStyle = colour("shade");
    pen.fillRect(0, 0, width, height - AXIS);
    for (const result of this.results) {
      const left = Math.max(x(result.from), 0);
      const right = x(result.stop);
      if (right <= 0) continue;
      this.#column(pen, result, left, right - left, size, colour);
    }
    pen.fillStyle = colour("page"); // a gap between the rows
    this.labels.forEach((_, i) =>
      pen.fillRect(0, (i + 1) * size - 1, width, 1),
    );
    axis(pen, { from, to, x, width, top: height - AXIS, ink: colour("soft") });
  }

  #column(pen, { probabilities, index }, left, width, size, colour) {
    pen.fillStyle = colour("link");
    probabilities.forEach((probability, i) => {
      pen.globalAlpha = probability;
      pen.fillRect(left, i * size, width, size - 1);
    });
    pen.globalAlpha = 1;
    pen.fillStyle = colour("text");
    pen.fillRect(left, (index + 1) * size - 5, width, 3);
  }
}

function row(list, label) {
  const item = document.createElement("li");
  const name = document.createElement("span");
  const share = document.createElement("span");
  name.textContent = name.title = label;
  item.append(name, " ", share);
  list.append(item);
  return { item, share };
}

function axis(pen, { from, to, x, width, top, ink }) {
  pen.fillStyle = ink;
  pen.font = "12px system-ui, sans-serif";
  pen.textBaseline = "bottom";
  const step =
    TICKS.find((tick) => ((to - from) / tick) * 48 <= width) ?? TICKS.at(-1);
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) {
    pen.fillRect(x(at) - (at === to ? 1 : 0), top, 1, 5);
    const text = clock(at);
    const half = pen.measureText(text).width / 2;
    pen.fillText(
      text,
      Math.min(Math.max(x(at) - half, 0), width - 2 * half),
      top + AXIS,
    );
  }
}

/** The course of the labels in words, the latest ten of its parts. */
function summary(results, labels) {
  const parts = [];
  for (const { from, stop, index } of results) {
    const last = parts.at(-1);
    if (last?.index === index) last.stop = stop;
    else parts.push({ from, stop, index });
  }
  const texts = parts
    .slice(-10)
    .map(
      (part) =>
        `${clock(part.from)} to ${clock(part.stop)} ${labels[part.index]}`,
    );
  return `Emotion over time: ${texts.join(", ") || "nothing yet"}.`;
}
