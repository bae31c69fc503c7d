/* Decodes WAV files, so that the samples are exactly those of the file: the
browser's own decoder would resample them to the rate of its sound card.

Authors
 * The speechbrain_hrf authors 2026
*/

const PCM = 1,
  FLOAT = 3,
  EXTENSIBLE = 0xfffe;

// Lengths from here on are stand-ins, as is 0 where no chunk follows: who writes
// into a pipe, or is switched off while it records, knows none.
const UNKNOWN_FROM = 0x7ffff000;

// A chunk behind the samples, such as a list of titles, is shorter than this.
const LONGEST_CHUNK = 2 ** 24;

// By format and bytes of a sample. Where a sample has fewer bits than that,
// they are the upper ones. In a RIFX file the upper byte comes first.
const READERS = {
  [`${PCM}/1`]: (view, at) => (view.getUint8(at) - 128) / 128,
  [`${PCM}/2`]: (view, at, little) => view.getInt16(at, little) / 0x8000,
  [`${PCM}/3`]: (view, at, little) =>
    (view.getInt16(at + (little ? 1 : 0), little) * 256 +
      view.getUint8(at + (little ? 0 : 2))) /
    0x800000,
  [`${PCM}/4`]: (view, at, little) => view.getInt32(at, little) / 0x80000000,
  [`${FLOAT}/4`]: (view, at, little) => view.getFloat32(at, little),
  [`${FLOAT}/8`]: (view, at, little) => view.getFloat64(at, little),
};

/** Whether the bytes start as those of a WAV file do. */
export function isWav(buffer) {
  const view = new DataView(buffer);
  return (
    buffer.byteLength >= 12 &&
    ["RIFF", "RIFX"].includes(name(view, 0)) &&
    name(view, 8) === "WAVE"
  );
}

/**
 * The sound of a WAV file: {samples: Float32Array, rate, missing, unknown}, of
 * which the samples are the mean of its channels, and so many are missing at the
 * end. If the file does not say how long it is, all to its end is taken.
 * null if the samples are no plain numbers, which the browser's decoder may
 * know. Throws an Error that says what is broken.
 */
export function decodeWav(buffer) {
  const view = new DataView(buffer);
  const little = name(view, 0) === "RIFF";
  let format = null;
  let found = null;
  for (let at = 12; at + 8 <= view.byteLength;) {
    const kind = name(view, at);
    const bytes = view.getUint32(at + 4, little);
    const start = at + 8;
    if (found?.told && ["data", "fmt ", "RIFF", "RIFX"].includes(kind))
      throw new Error("it has more samples behind those that it begins with");
    if (kind === "fmt ") {
      if (format) throw new Error("it describes its samples twice");
      format = readFormat(view, start, bytes, little);
    }
    if (kind === "data") {
      if (!format) throw new Error("its samples come before their description");
      const unknown =
        bytes >= UNKNOWN_FROM ||
        (bytes === 0 &&
          start < view.byteLength &&
          !isChunk(view, start, little));
      const told = unknown ? view.byteLength - start : bytes;
      found = { start, told, unknown };
      if (unknown) break;
    }
    at = start + bytes + (bytes % 2); // chunks start at even places
  }
  if (found) return readSamples(view, found, format, little);
  throw new Error("it ends before its first sample");
}

function isChunk(view, at, little) {
  return (
    at + 8 <= view.byteLength &&
    /^[ -~]{4}$/.test(name(view, at)) &&
    view.getUint32(at + 4, little) < LONGEST_CHUNK
  );
}

function readFormat(view, start, bytes, little) {
  if (bytes < 16 || start + bytes > view.byteLength) {
    throw new Error("the description of its samples is damaged");
  }
  let coding = view.getUint16(start, little);
  if (coding === EXTENSIBLE && bytes >= 26)
    coding = view.getUint16(start + 24, little);
  const channels = view.getUint16(start + 2, little);
  const rate = view.getUint32(start + 4, little);
  if (!channels || !rate)
    throw new Error(`its header says ${channels} channels and ${rate} Hz`);
  const width = view.getUint16(start + 12, little) / channels;
  return { channels, rate, width, read: READERS[`${coding}/${width}`] };
}

function readSamples(view, { start, told, unknown }, format, little) {
  const { channels, rate, width, read } = format;
  if (!read) return null;
  const frame = channels * width;
  const present = Math.floor((view.byteLength - start) / frame);
  const count = Math.min(Math.floor(told / frame), present);
  const samples = new Float32Array(count);
  for (let i = 0, at = start; i < count; i++) {
    let sum = 0;
    for (let c = 0; c < channels; c++, at += width)
      sum += read(view, at, little);
    samples[i] = sum / channels;
  }
  return {
    samples,
    rate,
    missing: Math.floor(told / frame) - count,
    unknown,
  };
}

function name(view, at) {
  return String.fromCharCode(...[0, 1, 2, 3].map((i) => view.getUint8(at + i)));
}
