/* The buttons, the place to drop a file, and the lines that say what goes on.

Authors
 * The speechbrain_hrf authors 2026
*/

export class Controls {
  constructor(find, body) {
    Object.assign(this, { find, body, stop: null });
  }

  /** Lets the reader begin; each way has a function that begins it. */
  ready(onMicrophone, onFile) {
    const listen = this.find("listen");
    const file = this.find("file");
    listen.addEventListener("click", () =>
      this.stop ? this.stop() : onMicrophone(),
    );
    file.addEventListener("change", () => {
      const [chosen] = file.files;
      file.value = ""; // so that the same file can be chosen again
      if (chosen) onFile(chosen);
    });
    this.#takeDrops(onFile);
    this.end("Ready. Use the microphone, or choose a sound file.");
    listen.disabled = false;
  }

  /** Something runs, which the first button stops from now on. */
  begin(text, stop) {
    this.stop = stop;
    this.alarm("");
    this.note("");
    this.status(text);
    const listen = this.find("listen");
    const file = this.find("file");
    listen.textContent = "Stop";
    // What is disabled loses the focus, and a keyboard its place on the page.
    if (document.activeElement === file) listen.focus();
    file.disabled = true;
  }

  end(text) {
    this.stop = null;
    this.status(text);
    this.progress(null);
    this.level(null);
    this.find("listen").textContent = "Use the microphone";
    this.find("file").disabled = false;
  }

  status(text) {
    this.find("status").textContent = text;
  }

  alarm(text) {
    this.#line("alarm", text);
  }

  note(text) {
    this.#line("note", text);
  }

  /** From 0 to 1, or null for none. */
  progress(share) {
    const bar = this.find("progress");
    bar.hidden = share === null;
    bar.value = share ?? 0;
  }

  /** How loud the microphone is: its largest sample, or null for none. */
  level(peak) {
    const bar = this.find("level");
    bar.hidden = peak === null;
    // 60 dB below the loudest is the bar's beginning.
    const share = 1 + Math.log10(Math.max(peak ?? 0, 1e-3)) / 3;
    bar.firstElementChild.style.transform = `scaleX(${Math.min(share, 1)})`;
  }

  #line(id, text) {
    this.find(id).textContent = text;
    this.find(id).hidden = !text;
  }

  #takeDrops(onFile) {
    const { body } = this;
    body.addEventListener("dragover", (event) => {
      event.preventDefault();
      body.classList.toggle("dropping", !this.stop);
    });
    body.addEventListener("dragleave", (event) => {
      if (!body.contains(event.relatedTarget))
        body.classList.remove("dropping");
    });
    body.addEventListener("drop", (event) => {
      event.preventDefault();
      body.classList.remove("dropping");
      const [file, ...others] = event.dataTransfer.files;
      if (this.stop)
        return this.alarm("Stop what is running before you drop a file.");
      if (!file) return this.alarm("What was dropped is no file.");
      onFile(file);
      if (others.length)
        this.note(`Of ${others.length + 1} files, only the first is read.`);
    });
  }
}
