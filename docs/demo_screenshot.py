"""Takes the README's picture of the demo page, docs/demo.png.

    python docs/demo_screenshot.py <pretrained folder> <sound file> ...

The files, one after the other, are given to the page as one recording.

Authors
 * The speechbrain_hrf authors 2026
"""

import argparse
import pathlib
import shutil
import tempfile
import threading

import numpy as np
import soundfile
from playwright.sync_api import sync_playwright

from speechbrain_hrf.demo import onnxruntime_web, page_files, page_server

PICTURE = pathlib.Path(__file__).with_name("demo.png")
SIZE = {"width": 800, "height": 640}
ARGUMENTS = ["--no-sandbox", "--disable-gpu"]


def main():
    """Serves the page, lets it hear the files, and takes the picture."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", help="pretrained folder with model.onnx")
    parser.add_argument("files", nargs="+", help="of one sample rate")
    options = parser.parse_args()
    files = page_files(options.folder, onnxruntime_web())
    with (
        tempfile.TemporaryDirectory() as scratch,
        page_server(files, port=0) as server,
    ):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        recording = joined(options.files, pathlib.Path(scratch))
        take("http://{}:{}/".format(*server.server_address), recording)
        server.shutdown()
    print(f"{PICTURE}: {PICTURE.stat().st_size / 1024:.0f} KiB")


def joined(files, folder):
    """One WAV file of several recordings."""
    sounds, rates = zip(*map(soundfile.read, files), strict=True)
    sounds = [x if x.ndim == 1 else x.mean(axis=1) for x in sounds]
    (rate,) = set(rates)
    soundfile.write(folder / "recording.wav", np.concatenate(sounds), rate)
    return folder / "recording.wav"


def take(address, recording):
    """The page after it has heard a recording."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=ARGUMENTS
        )
        page = browser.new_page(viewport=SIZE)
        page.goto(address)
        page.wait_for_selector("#listen:enabled")
        page.set_input_files("#file", recording)
        page.wait_for_selector("#status:text('is done')")
        page.wait_for_timeout(300)  # a frame, for the chart
        page.screenshot(path=PICTURE, full_page=True)
        browser.close()


if __name__ == "__main__":
    main()
