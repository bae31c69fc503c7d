/* The microphone, as it is: at the sound card's own rate and without the
changes that browsers make for telephone calls, which emotions do not survive.

Authors
 * The speechbrain_hrf authors 2026
*/

import { Problem } from "./problem.js";

const RAW = {
  echoCancellation: false,
  noiseSuppression: false,
  autoGainControl: false,
};

const PATIENCE = 1000; // ms for the recorder's last words

const REFUSALS = {
  NotAllowedError:
    "The microphone was refused. Allow it for this page (in most " +
    "browsers by the symbol beside the address) and try again, or choose " +
    "a file.",
  NotFoundError:
    "There is no microphone. Connect one and try again, or choose a file.",
  NotReadableError:
    "The microphone cannot be read; another program may be using it. " +
    "Close that program and try again, or choose a file.",
};
REFUSALS.SecurityError = REFUSALS.NotAllowedError;

export class Microphone {
  /**
   * Opens the microphone. onSamples is called with each piece of sound, the
   * mean of its channels; onLost if the microphone goes away by itself.
   */
  static async open(onSamples, onLost) {
    if (!navigator.mediaDevices?.getUserMedia || !globalThis.AudioWorkletNode) {
      throw new Problem(
        globalThis.isSecureContext
          ? "This browser gives pages no microphone. Choose a file, or " +
              "take another browser."
          : "Browsers give the microphone only to pages of this machine " +
              "(http://127.0.0.1) or that came by https. Choose a file, or " +
              "open the page by https.",
      );
    }
    const stream = await ask();
    const context = new AudioContext();
    try {
      await context.audioWorklet.addModule(
        new URL("recorder.js", import.meta.url),
      );
      await context.resume();
      return new Microphone(stream, context, onSamples, onLost);
    } catch (error) {
      stop(stream);
      await context.close();
      throw error;
    }
  }

  constructor(stream, context, onSamples, onLost) {
    this.stream = stream;
    this.context = context;
    this.rate = context.sampleRate;
    this.source = context.createMediaStreamSource(stream);
    this.recorder = new AudioWorkletNode(context, "recorder");
    this.recorder.port.onmessage = (event) => onSamples(event.data);
    // Only what leads to the loudspeaker is run. The recorder gives silence.
    this.source.connect(this.recorder).connect(context.destination);
    for (const track of stream.getTracks()) track.onended = onLost;
  }

  /** Lets the microphone go; what it has heard has been given by then. */
  async close() {
    stop(this.stream);
    this.source.disconnect();
    await new Promise((resolve) => {
      const give = this.recorder.port.onmessage;
      this.recorder.port.onmessage = (event) =>
        event.data ? give(event) : resolve();
      this.recorder.port.postMessage("end");
      setTimeout(resolve, PATIENCE); // a suspended one does not answer
    });
    await this.context.close();
  }
}

function stop(stream) {
  for (const track of stream.getTracks()) {
    track.onended = null;
    track.stop();
  }
}

async function ask() {
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: RAW });
  } catch (error) {
    const text = REFUSALS[error.name];
    throw text ? new Problem(text) : error;
  }
}
