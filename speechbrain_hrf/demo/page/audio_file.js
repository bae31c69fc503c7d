/* From a file that the reader has chosen to samples.

Authors
 * The speechbrain_hrf authors 2026
*/

import { Problem } from "./problem.js";
import { decodeWav, isWav } from "./wav.js";

// The browser decodes to a rate that it is told. Where the file's own is not
// known, this is that of most compressed sound.
const RATE = 48000;

const BY_BROWSER =
  "The browser decoded this file, so that the last digits of the results " +
  "may differ from those of other programs. A WAV file is read sample by " +
  "sample.";

// What the runner takes: others are mistakes.
const RATES = [1000, 768000];

/** {samples: Float32Array, rate, note} of a File; the note is to be shown. */
export async function readAudioFile(file) {
  const buffer = await bytes(file);
  if (buffer.byteLength === 0)
    throw new Problem(`${file.name} is empty: it has no bytes.`);
  const sound = wav(file, buffer) ?? (await byBrowser(file, buffer));
  if (sound.rate < RATES[0] || sound.rate > RATES[1]) {
    throw new Problem(
      `${file.name} is broken: it says ${sound.rate} samples per second.`,
    );
  }
  if (sound.samples.length === 0)
    throw new Problem(`${file.name} is empty: it holds no sound.`);
  if (!sound.samples.every(Number.isFinite)) {
    throw new Problem(
      `${file.name} is broken: it holds values that are no numbers (NaN ` +
        "or infinity).",
    );
  }
  return sound;
}

async function bytes(file) {
  try {
    return await file.arrayBuffer();
  } catch {
    throw new Problem(
      `${file.name} cannot be read. It may be a folder, too large for ` +
        "this browser, or changed or gone since it was chosen.",
    );
  }
}

function wav(file, buffer) {
  if (!isWav(buffer)) return null;
  try {
    const sound = decodeWav(buffer);
    let note = "";
    if (sound?.missing)
      note =
        `${file.name} is cut off: ${sound.missing} samples are missing at ` +
        "its end.";
    else if (sound?.unknown)
      note =
        `${file.name} does not say how long it is, as its recorder was not ` +
        "stopped or wrote into a pipe: all to its end is used.";
    return sound && { ...sound, note };
  } catch (error) {
    throw new Problem(`${file.name} is a broken WAV file: ${error.message}.`);
  }
}

async function byBrowser(file, buffer) {
  let sound;
  try {
    const context = new OfflineAudioContext(1, 1, flacRate(buffer) ?? RATE);
    sound = await context.decodeAudioData(buffer);
  } catch {
    throw new Problem(
      `${file.name} cannot be decoded: it is no sound file, broken, or ` +
        "of a format that this browser does not know. WAV, FLAC and MP3 " +
        "work in most.",
    );
  }
  return { samples: mean(sound), rate: sound.sampleRate, note: BY_BROWSER };
}

/** Samples per second of a FLAC file, which begins with them; else null. */
function flacRate(buffer) {
  const bytes = new Uint8Array(buffer, 0, Math.min(buffer.byteLength, 21));
  const flac = String.fromCharCode(...bytes.slice(0, 4)) === "fLaC";
  return flac ? (bytes[18] << 12) | (bytes[19] << 4) | (bytes[20] >> 4) : null;
}

function mean(sound) {
  const samples = new Float32Array(sound.length);
  for (let c = 0; c < sound.numberOfChannels; c++) {
    sound
      .getChannelData(c)
      .forEach((value, i) => (samples[i] += value / sound.numberOfChannels));
  }
  return samples;
}
