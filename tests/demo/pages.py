"""Sounds to play, servers of pages, and what a browser is told to keep.

Authors
 * The speechbrain_hrf authors 2026
"""

import contextlib
import functools
import http.server
import threading

import numpy as np

# A name of another machine, by which this one is found.
ELSEWHERE = "--host-resolver-rules=MAP demo.example 127.0.0.1"
RATE = 16000


def tone(pitch, seconds, rate=RATE):
    """A steady sound."""
    time = np.arange(round(seconds * rate)) / rate
    return 0.4 * np.sin(2 * np.pi * pitch * time)


def change(pitches, seconds, rate=RATE):
    """One steady sound after another, in some noise: labels that change."""
    parts = [tone(pitch, seconds / len(pitches), rate) for pitch in pitches]
    sound = np.concatenate(parts)
    return sound + np.random.default_rng(0).normal(0, 0.01, len(sound))


@contextlib.contextmanager
def running(server):
    """Runs a server; gives its address."""
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield "http://{}:{}/".format(*server.server_address)
        finally:
            server.shutdown()
            thread.join()


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Any static web server, without its log."""

    def log_message(self, *_):
        """Says nothing."""

    def end_headers(self):
        """Tests change files more often than once in a second."""
        self.send_header("Cache-Control", "no-store")
        super().end_headers()


def plain_server(folder):
    """Python's own web server, which knows nothing of the page."""
    handler = functools.partial(Quiet, directory=folder)
    return http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)


# Keeps what the page's events tell, and what its microphone has heard.
RECORD = """
globalThis.results = [];
document.addEventListener("result", (event) => results.push(event.detail));
globalThis.heard = [];
const Node = globalThis.AudioWorkletNode;
if (Node) globalThis.AudioWorkletNode = class extends Node {
  constructor(context, name) {
    super(context, name);
    globalThis.rate = context.sampleRate;
    this.port.addEventListener("message", ({ data }) => {
      if (data) heard.push(...data);
    });
  }
};
const devices = navigator.mediaDevices;
if (devices) {
  const ask = devices.getUserMedia.bind(devices);
  devices.getUserMedia = async (wanted) => (globalThis.stream = await ask(wanted));
}
"""


@contextlib.contextmanager
def opened(browser, url, microphone=True, ready=True, **options):
    """A page; all that stands on its console; all that was asked for."""
    context = browser.new_context(**options)
    if microphone:
        context.grant_permissions(["microphone"])
    trouble, requests = [], []
    context.on("request", lambda request: requests.append(request))
    page = context.new_page()
    page.on("console", lambda message: trouble.append(message.text))
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.add_init_script(RECORD)
    page.goto(url)
    if ready:
        page.wait_for_selector("#listen:enabled")
    yield page, trouble, requests
    context.close()
