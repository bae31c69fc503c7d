/* Decodes WAV files, so that the samples are exactly those of the file: the
browser's own decoder would resample them to the rate of its sound card.

Authors
 * The speechbrain_hrf authors 2026
*/

const PCM = 1,
  FLOAT = 3,
  EXTENSIBLE = 0xfffe;

// Lengths from here on are stand-ins, as is 0: who writes into a pipe knows
// none.
const UNKNOWN_FROM = 0x7ffff000;

// By format and bytes of a sample. Where a sample has fewer bits than that,
// they are the upper ones.
const READERS = {
  [`${PCM}/1`]: (view, at) => (view.getUint8(at) - 128) / 128,
  [`${PCM}/2`]: (view, at) => view.getInt16(at, true) / 0x8000,
  [`${PCM}/3`]: (view, at) =>
    (view.getInt16(at + 1, true) * 256 + view.getUint8(at)) / 0x800000,
  [`${PCM}/4`]: (view, at) => view.getInt32(at, true) / 0x80000000,
  [`${FLOAT}/4`]: (view, at) => view.getFloat32(at, true),
  [`${FLOAT}/8`]: (view, at) => view.getFloat64(at, true),
};

/** Whether the bytes start as those of a WAV file do. */
export function isWav(buffer) {
  const view = new DataView(buffer);
  return (
    buffer.byteLength >= 12 &&
    name(view, 0) === "RIFF" &&
    name(view, 8) === "WAVE"
  );
}

/**
 * The sound of a WAV file: {samples: Float32Array, rate, missing}, of which the
 * samples are the mean of its channels, and so many are missing at the end.
 * null if the samples are no plain numbers, which the browser's decoder may
 * know. Throws an Error that says what is broken.
 */
export function decodeWav(buffer) {
  const view = new DataView(buffer);
  let format = null;
  for (let at = 12; at + 8 <= view.byteLength;) {
    const kind = name(view, at);
    const bytes = view.getUint32(at + 4, true);
    const start = at + 8;
    if (kind === "fmt ") format = readFormat(view, start, bytes);
    if (kind === "data") {
      if (!format) throw new Error("its samples come before their description");
      return readSamples(view, start, bytes, format);
    }
    at = start + bytes + (bytes % 2); // chunks start at even places
  }
  throw new Error("it ends before its first sample");
}

function readFormat(view, start, bytes) {
  if (bytes < 16 || start + bytes > view.byteLength) {
    throw new Error("the description of its samples is damaged");
  }
  let coding = view.getUint16(start, true);
  if (coding === EXTENSIBLE && bytes >= 26)
    coding = view.getUint16(start + 24, true);
  const channels = view.getUint16(start + 2, true);
  const rate = view.getUint32(start + 4, true);
  if (!channels || !rate)
    throw new Error(`its header says ${channels} channels and ${rate} Hz`);
  const width = view.getUint16(start + 12, true) / channels;
  return { channels, rate, width, read: READERS[`${coding}/${width}`] };
}

function readSamples(view, start, told, { channels, rate, width, read }) {
  if (!read) return null;
  const frame = channels * width;
  const present = Math.floor((view.byteLength - start) / frame);
  const known = told > 0 && told < UNKNOWN_FROM;
  const count = known ? Math.min(Math.floor(told / frame), present) : present;
  const samples = new Float32Array(count);
  for (let i = 0, at = start; i < count; i++) {
    let sum = 0;
    for (let c = 0; c < channels; c++, at += width) sum += read(view, at);
    samples[i] = sum / channels;
  }
  return {
    samples,
    rate,
    missing: known ? Math.floor(told / frame) - count : 0,
  };
}

function name(view, at) {
  return String.fromCharCode(...[0, 1, 2, 3].map((i) => view.getUint8(at + i)));
}
