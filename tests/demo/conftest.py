"""What the tests of the page share: its files, a browser, an open page.

Authors
 * The speechbrain_hrf authors 2026
"""

import functools

import pytest
from chromium import launcher

from demo.pages import ELSEWHERE, RATE, opened, running, tone
from speechbrain_hrf.demo import onnxruntime_web, page_files, page_server
from speechbrain_hrf.runtime import Classifier


@pytest.fixture(scope="session")
def runtime_files():
    """onnxruntime-web, fetched by npm if it is not in the user's cache."""
    try:
        return onnxruntime_web()
    except OSError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="package")
def launched():
    """Gives a function that starts headless Chromium with more arguments."""
    with launcher() as launch:
        yield functools.partial(launch, ELSEWHERE)


@pytest.fixture(scope="package")
def classifier(onnx_folder):
    """The runner of the model that the page runs."""
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    return Classifier(onnx_folder)


@pytest.fixture(scope="package")
def pitches(classifier):
    """Of two steady sounds of which the model is sure, by their labels.

    Wherever it begins to listen: their phases differ from frame to frame,
    which those of multiples of 100 Hz do not.
    """
    sure = {}
    for pitch in range(217, 4000, 151):
        sound = tone(pitch, 2.01)
        heard = [classifier(sound[start:], RATE) for start in (0, 25, 111)]
        labels = {result.label for result in heard}
        least = min(result.probability for result in heard)
        if len(labels) == 1 and least > 0.9:
            sure.setdefault(labels.pop(), pitch)
    assert len(sure) > 1, sure
    return dict(list(sure.items())[:2])


@pytest.fixture(scope="package")
def browser(launched, pitches, tmp_path_factory):
    """A browser whose microphone hears the first of the steady sounds."""
    soundfile = pytest.importorskip("soundfile")
    path = tmp_path_factory.mktemp("microphone") / "tone.wav"
    # Longer than any test listens: where it starts again, there is a gap.
    soundfile.write(path, tone(next(iter(pitches.values())), 60), RATE)
    running = launched(
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={path}",
    )
    yield running
    running.close()


@pytest.fixture(scope="session")
def files(onnx_folder, runtime_files):
    """The files of the page."""
    return page_files(onnx_folder, runtime_files)


@pytest.fixture(scope="package")
def address(files):
    """Where the page is served."""
    with running(page_server(files, port=0)) as address:
        yield address


@pytest.fixture(scope="package")
def shared_page(browser, address):
    """The page, opened once: to do so takes a second or more."""
    with opened(browser, address) as shared:
        yield shared


@pytest.fixture
def page(shared_page):
    """The shared page, without results; in the end, without trouble."""
    page, trouble, _ = shared_page
    trouble.clear()
    page.evaluate("results.length = heard.length = 0")
    yield page
    assert trouble == []


@pytest.fixture
def say(tmp_path):
    """Gives a function that writes samples as a WAV file."""
    soundfile = pytest.importorskip("soundfile")

    def write(samples, rate=RATE, name="said.wav", subtype="PCM_16"):
        soundfile.write(tmp_path / name, samples, rate, subtype=subtype)
        return tmp_path / name

    return write
