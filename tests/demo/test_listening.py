"""The page in a real browser says what the runner says, and tells nobody.

Authors
 * The speechbrain_hrf authors 2026
"""

import json

import numpy as np
import pytest

from demo.pages import RATE, change, tone

# Two builds of ONNX Runtime, and a resampler in double precision here.
TOLERANCE = 1e-3


def choose(page, path):
    """Gives the page a file and waits for the end of it."""
    page.set_input_files("#file", path)
    page.wait_for_selector("#status:text('is done'), #alarm:visible")
    assert page.inner_text("#alarm") == ""


def assert_equal(found, expected, labels):
    """Windows, probabilities, labels and combinations of all results."""
    assert len(found) == len(expected) > 0
    for ours, runner in zip(found, expected, strict=True):
        assert ours["start"] == pytest.approx(runner.start)
        assert ours["stop"] == pytest.approx(runner.stop)
        assert ours["logProbabilities"] == pytest.approx(
            list(runner.log_probabilities.values()),
            abs=TOLERANCE,
            rel=TOLERANCE,
        )
        assert labels[ours["index"]] == runner.label
        assert labels[ours["mean"]["index"]] == runner.combined.label
        assert ours["mean"]["probability"] == pytest.approx(
            runner.combined.probability, abs=TOLERANCE
        )


def results(page):
    """What the page's events told, with lists as Python's."""
    return page.evaluate(
        "results.map((r) => ({...r, logProbabilities: [...r.logProbabilities]}))"
    )


@pytest.mark.parametrize("rate", [16000, 8000, 44100, 48000])
def test_a_file_gives_what_the_runner_gives(
    page, say, classifier, pitches, rate
):
    """At several rates; shorter and longer than a window."""
    for seconds in (0.3, 5.7):
        page.evaluate("results.length = 0")
        path = say(change(pitches.values(), seconds, rate), rate)
        samples, _ = read(path)
        expected = list(classifier.stream([samples], rate))
        choose(page, path)
        assert_equal(results(page), expected, classifier.labels)
    votes = classifier.stream([samples], rate, combine="majority")
    for ours, runner in zip(results(page), votes, strict=True):
        majority = ours["majority"]
        assert classifier.labels[majority["index"]] == runner.combined.label
        assert majority["probability"] == runner.combined.probability
    assert len({result.label for result in expected}) > 1
    last = page.inner_text("#latest").split()
    assert last[0] == expected[-1].label
    assert last[1] == f"{round(100 * expected[-1].probability)}"
    assert page.inner_text("#mean").split()[0] == expected[-1].combined.label


def read(path):
    """A file's samples as the runner's command line has them."""
    import soundfile

    return soundfile.read(path, dtype="float32")


@pytest.mark.parametrize("rate", [16000, 44100])
def test_other_formats_are_decoded_by_the_browser(
    page, say, classifier, pitches, rate
):
    """FLAC at its own rate, so that the figures are the same; it says so."""
    import soundfile

    wav = say(change(pitches.values(), 2.2, rate), rate)
    flac = wav.with_suffix(".flac")
    samples, _ = read(wav)
    soundfile.write(flac, samples, rate)
    choose(page, flac)
    expected = list(classifier.stream([samples], rate))
    assert_equal(results(page), expected, classifier.labels)
    assert "browser decoded this file" in page.inner_text("#note")
    choose(page, wav)
    assert not page.is_visible("#note")


def test_the_microphone_gives_what_the_runner_gives(
    page, shared_page, classifier, pitches, say
):
    """On exactly the samples that the page heard, from its first to its last.

    What it heard is a steady sound over and over; so its label is known, too,
    and another steady sound has another one.
    """
    _, _, requests = shared_page
    loaded = len(requests)
    page.click("#listen")
    page.wait_for_selector("#status:text('Listening')")
    window = classifier.manifest["window"]["samples"] / RATE
    page.wait_for_timeout(1000 * window + 1100)
    assert page.inner_text("#listen") == "Stop"
    page.click("#listen")
    page.wait_for_selector("#status:text('Stopped')")

    heard, rate = json.loads(page.evaluate("JSON.stringify([heard, rate])"))
    heard = np.array(heard, np.float32)
    assert len(heard) > (window + 1) * rate and np.abs(heard).max() > 0.1
    found = results(page)
    expected = list(classifier.stream([heard], rate))
    assert_equal(found, expected, classifier.labels)

    label, other = pitches
    full = [x for x in found if x["start"] > 0]
    assert len(full) >= 2
    assert {classifier.labels[x["index"]] for x in full} == {label}
    choose(page, say(tone(pitches[other], 3)))
    assert page.inner_text("#latest").split()[0] == other
    assert len(requests) == loaded
    assert page.inner_text("#requests") == "0"
    # The microphone was let go.
    assert page.evaluate("stream.getTracks()[0].readyState") == "ended"


def test_a_dropped_file_is_read(page, say):
    """Anywhere on the page; of several the first, and it says so."""
    content = list(say(tone(500, 1)).read_bytes())
    drop = """([names, content]) => {
      const transfer = new DataTransfer();
      for (const name of names)
        transfer.items.add(new File([new Uint8Array(content)], name));
      for (const kind of ["dragover", "drop"])
        document.body.dispatchEvent(new DragEvent(kind,
          {dataTransfer: transfer, bubbles: true, cancelable: true}));
    }"""
    page.evaluate(drop, [["a.wav", "b.wav"], content])
    page.wait_for_selector("#status:text('a.wav')")
    page.wait_for_selector("#status:text('is done')")
    assert "only the first" in page.inner_text("#note")
    assert len(results(page)) == 2
    page.evaluate(drop, [[], []])
    assert "no file" in page.inner_text("#alarm")


@pytest.mark.slow
def test_a_long_file_can_be_stopped(page, say):
    """The page reacts while it works."""
    page.set_input_files("#file", say(np.zeros(600 * RATE, np.float32)))
    page.wait_for_selector("#result:visible")
    page.click("#listen")
    page.wait_for_selector("#status:text('Stopped')")
    assert 0 < len(results(page)) < 1200


def test_the_facts(page, say, onnx_folder):
    """Size, parameters, latency and real-time factor are those of the run."""
    size = (onnx_folder / "model.onnx").stat().st_size / 1024
    assert page.inner_text("#size").startswith(f"{size:.0f} KiB")
    assert "SHA-256 is the one of the manifest" in page.inner_text("#size")
    assert page.inner_text("#model") == "Tiny, 3,236 parameters"
    choose(page, say(tone(500, 3)))
    times = [result["milliseconds"] for result in results(page)]
    latency, unit, *count = page.inner_text("#latency").split()
    assert (unit, count) == ("ms", ["(median", "of", "6)"])
    assert float(latency) == pytest.approx(np.median(times), rel=0.06)
    factor = float(page.inner_text("#factor").split()[0])
    assert factor == pytest.approx(sum(times) / 3000, rel=0.06)
