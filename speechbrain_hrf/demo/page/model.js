/* The model: fetched, checked against the manifest, and run.

Authors
 * The speechbrain_hrf authors 2026
*/

import { Problem } from "./problem.js";

const MODEL = "model.onnx";
const OWN = "manifest_sha256";
const AGAIN = "Write the page again by hrf demo.";

export class Model {
  /** Loads everything; onProgress is called with a share from 0 to 1. */
  static async load(onProgress) {
    const manifest = await readManifest();
    const bytes = await fetched(MODEL);
    const checked = await check(bytes, manifest.graphs[MODEL].sha256);
    const ort = await runtime(onProgress);
    const session = await start(ort, bytes);
    const model = new Model(ort, session, manifest, {
      bytes: bytes.byteLength,
      checked,
    });
    // The first run is slower, and would be the first to fail.
    await model.run(new Float32Array(manifest.sample_rate));
    return model;
  }

  constructor(ort, session, manifest, file) {
    Object.assign(this, { ort, session, manifest, file });
  }

  /** {logProbabilities, milliseconds} of samples at the model's rate. */
  async run(samples) {
    const { Tensor } = this.ort;
    const begin = performance.now();
    const outputs = await this.session.run({
      wavs: new Tensor("float32", samples, [1, samples.length]),
      wav_lens: new Tensor("float32", Float32Array.of(1), [1]),
    });
    const milliseconds = performance.now() - begin;
    const logProbabilities = Float32Array.from(outputs.log_probabilities.data);
    const right = logProbabilities.length === this.manifest.labels.length;
    if (!right || !Number.isFinite(Math.max(...logProbabilities))) {
      throw new Problem(
        `${MODEL} answered ${logProbabilities.join(", ") || "nothing"}, ` +
          "not a probability for each label. Export the model again.",
      );
    }
    return { logProbabilities, milliseconds };
  }
}

async function fetched(name, onProgress) {
  let response;
  try {
    response = await fetch(name, { cache: "no-cache" });
  } catch {
    throw new Problem(
      `${name} could not be loaded: the web server of this page does not ` +
        "answer. Start it again and reload the page.",
    );
  }
  if (!response.ok) {
    throw new Problem(
      `${name} is missing beside this page (HTTP ${response.status}). ${AGAIN}`,
    );
  }
  return onProgress ? inPieces(response, onProgress) : response.arrayBuffer();
}

/** The whole of a response, while its progress is told. */
async function inPieces(response, onProgress) {
  // Not told if the server compresses; then there is no progress to show.
  const total = Number(response.headers.get("Content-Length"));
  const pieces = [];
  let received = 0;
  for (const reader = response.body.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) break;
    pieces.push(value);
    received += value.length;
    if (total) onProgress(Math.min(received / total, 1));
  }
  return new Blob(pieces).arrayBuffer();
}

async function readManifest() {
  const bytes = await fetched("manifest.json");
  let manifest;
  try {
    manifest = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new Problem(`manifest.json is no JSON. ${AGAIN}`);
  }
  if (manifest?.format !== 1) {
    throw new Problem(
      `manifest.json has format ${JSON.stringify(manifest?.format)}, and ` +
        "this page reads 1: model and page are of different versions. " +
        "Export the model again, and write the page again.",
    );
  }
  if (
    !manifest.graphs?.[MODEL]?.sha256 ||
    !Array.isArray(manifest.labels) ||
    !manifest.labels.length ||
    !Number.isInteger(manifest.sample_rate) ||
    manifest.sample_rate < 1
  ) {
    throw new Problem(
      `manifest.json does not describe ${MODEL}, its labels and its ` +
        "sample rate. Export the model again, and write the page again.",
    );
  }
  await refuseChanged(bytes, manifest[OWN]);
  return manifest;
}

/** Whether the manifest is as it was exported; older ones do not tell. */
async function refuseChanged(bytes, told) {
  if (told === undefined || !globalThis.crypto?.subtle) return;
  // Its own checksum is of its text with zeros in the place of that.
  const text = new TextDecoder().decode(bytes).replaceAll("\r\n", "\n");
  const isOne = /^[0-9a-f]{64}$/.test(told);
  const zeroed = isOne && text.replaceAll(told, "0".repeat(64));
  if (!isOne || (await sha256(new TextEncoder().encode(zeroed))) !== told) {
    throw new Problem(
      "manifest.json was changed since it was exported: it is not what its " +
        `own checksum says. ${AGAIN}`,
    );
  }
}

async function sha256(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join(
    "",
  );
}

/** Whether the checksum is right; null where the browser cannot tell. */
async function check(bytes, told) {
  if (!globalThis.crypto?.subtle) return null; // neither https nor this machine
  const found = await sha256(bytes);
  if (found !== told) {
    throw new Problem(
      `${MODEL} is not the file that manifest.json describes (its ` +
        `SHA-256 is ${found.slice(0, 12)}…, not ${told.slice(0, 12)}…): it ` +
        `is broken or of another model. ${AGAIN}`,
    );
  }
  return true;
}

async function runtime(onProgress) {
  if (!globalThis.WebAssembly) {
    throw new Problem(
      "This browser has no WebAssembly, by which the model runs. Take " +
        "another browser.",
    );
  }
  let ort;
  try {
    ort = await import("./onnxruntime/ort.js");
  } catch {
    throw new Problem(
      `onnxruntime/ort.js is missing beside this page or broken. ${AGAIN}`,
    );
  }
  // One thread: more need headers that static web servers rarely send.
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmBinary = await fetched("onnxruntime/ort.wasm", onProgress);
  return ort;
}

async function start(ort, bytes) {
  try {
    return await ort.InferenceSession.create(bytes, {
      executionProviders: ["wasm"],
    });
  } catch (error) {
    throw new Problem(
      `${MODEL} cannot be run by this browser: ${error.message}`,
    );
  }
}
