"""A long list of recordings shows how far it is, if somebody can see it.

Authors
 * The speechbrain_hrf authors 2026
"""

import io
import sys

import numpy as np
import pytest
import soundfile

from speechbrain_hrf.runtime import progress
from speechbrain_hrf.runtime.__main__ import main


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self):
        return True


@pytest.fixture(scope="module")
def sounds(tmp_path_factory):
    """A folder of 25 short recordings, one of them damaged."""
    folder = tmp_path_factory.mktemp("many")
    for number in range(25):
        soundfile.write(folder / f"{number}.wav", np.zeros(800), 16000)
    (folder / "7.wav").write_bytes(b"no sound")
    return folder


def classify(monkeypatch, model, inputs, out, err):
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    main([str(model), *map(str, inputs)])
    return out.getvalue(), err.getvalue()


def test_a_bar_beside_results_that_go_to_a_file(
    monkeypatch, onnx_folder, sounds
):
    """It ends with all of them; results and errors keep lines of their own."""
    out, err = classify(
        monkeypatch, onnx_folder, [sounds], io.StringIO(), Screen()
    )
    assert len(out.splitlines()) == 24
    assert "classifying:   0%" in err and "25/25 [" in err
    lines = err.replace("\r", "\n").splitlines()
    assert [line for line in lines if "7.wav" in line][0].startswith("Error: ")


@pytest.mark.parametrize(
    "out, err, count",
    [
        (Screen, Screen, 25),  # results are seen themselves
        (io.StringIO, io.StringIO, 25),  # nobody looks
        (io.StringIO, Screen, 19),  # done at once
    ],
)
def test_no_bar(monkeypatch, onnx_folder, sounds, out, err, count):
    inputs = sorted(sounds.iterdir(), reverse=True)[:count]
    printed, errors = classify(monkeypatch, onnx_folder, inputs, out(), err())
    assert len(printed.splitlines()) == count - 1
    assert errors.startswith("Error: ") and errors.count("\n") == 1


def test_without_tqdm(monkeypatch, onnx_folder, sounds):
    """The runner alone has no such package."""
    monkeypatch.setattr(progress, "tqdm", None)
    out, err = classify(
        monkeypatch, onnx_folder, [sounds], io.StringIO(), Screen()
    )
    assert len(out.splitlines()) == 24
    assert err.startswith("Error: ") and err.count("\n") == 1
