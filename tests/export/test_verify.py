"""The check of an export sees what is wrong, and says what cannot be checked.

Authors
 * The speechbrain_hrf authors 2026
"""

import io
import os
import subprocess
import sys
from math import inf, nan

import numpy as np
import pytest
import soundfile
import torch

from speechbrain_hrf.export import (
    VerificationError,
    export_pretrained,
    fresh_process,
    pretrained,
    verify,
)
from speechbrain_hrf.export.model import trained_model
from speechbrain_hrf.export.training import Training
from speechbrain_hrf.export.verify import audio_files, measure_difference


@pytest.mark.parametrize(
    "found, label, difference",
    [
        ([-0.5, -0.8], "a", 0.1),
        ([-0.5, -51.9], "a", 51.0),  # absolute, however large they are
        ([-0.5, -0.9], "b", inf),  # not the label of the largest
        ([-0.9], "a", inf),
        ([-0.5, nan], "a", inf),
        ([-0.5, -inf], "a", inf),
    ],
)
def test_difference(found, label, difference):
    measured = measure_difference(([-0.5, -0.9], "a"), (found, label), "ab")
    assert measured == pytest.approx(difference)


def test_two_that_are_no_number_do_not_agree():
    assert (
        measure_difference(([-1.0, nan], "a"), ([-1.0, nan], "a"), "ab") == inf
    )


def test_audio(training_output, tmp_path):
    """Given files, else the test set, else signals made on the spot."""
    training = Training(training_output())
    mine, scratch = str(tmp_path / "mine.wav"), tmp_path / "scratch"
    scratch.mkdir()
    soundfile.write(mine, 0.1 * torch.randn(40 * 8000).numpy(), 8000)
    ((cut,), said) = audio_files(training, [mine], scratch)
    assert said == "1 recording given for it"
    assert cut != mine and soundfile.info(cut).duration == 30  # is enough
    files, said = audio_files(training, None, scratch)
    assert len(files) == 3 and said == "3 recordings of the test set"
    (training.folder / "manifests" / "test.json").unlink()
    files, said = audio_files(training, None, scratch)
    assert said.startswith("4 generated signals")
    assert all(soundfile.read(file)[0].any() for file in files)
    with pytest.raises(FileNotFoundError, match="no audio file .*/none.wav"):
        audio_files(training, ["none.wav"], scratch)


def damaged_flac():
    """Its header is fine, and what follows is not."""
    file = io.BytesIO()
    noise = np.random.default_rng(0).standard_normal(16000)
    soundfile.write(file, 0.1 * noise, 16000, format="FLAC")
    content = bytearray(file.getvalue())
    middle = len(content) // 2
    content[middle : middle + 3000] = bytes(3000)
    return bytes(content)


@pytest.mark.parametrize(
    "samples, says",
    [
        (b"no audio", "cannot be read as audio"),
        (damaged_flac(), "cannot be read as audio"),
        (np.zeros(0), "holds no sample"),
        (np.full(8000, np.nan), "itself gives .*nan.* for .*a.wav"),
    ],
    ids=["text", "damaged", "empty", "NaN"],
)
def test_audio_that_is_none(training_output, tmp_path, samples, says):
    path, output = tmp_path / "a.wav", training_output()
    if isinstance(samples, bytes):
        path.write_bytes(samples)
    else:
        soundfile.write(path, samples, 16000, subtype="FLOAT")
    with pytest.raises(ValueError, match=says) as caught:
        export_pretrained(output, tmp_path / "model", audio=[path])
    assert str(path) in str(caught.value)
    assert not [n for n in os.listdir(tmp_path) if "model" in n]


def test_wrong_weights_fail(training_output, quick, tmp_path, monkeypatch):
    """The negative control."""

    def save_wrongly(module, path):
        with torch.no_grad():
            next(module.parameters()).add_(1e-3)
        torch.save(module.state_dict(), path)

    monkeypatch.setattr(pretrained, "save", save_wrongly)
    with pytest.raises(VerificationError) as error:
        export_pretrained(training_output(), tmp_path / "model")
    for part in ("from_hparams", "more than 1e-05", "0.flac", "2.flac"):
        assert part in str(error.value)
    assert not (tmp_path / "model").exists()


def test_a_folder_that_does_not_load(training_output, tmp_path, monkeypatch):
    """What the fresh process said reaches the user."""

    class Wrong(Training):
        def __init__(self, path):
            super().__init__(path)
            write = self.definition.write
            self.definition.write = lambda *args: write(*args).replace(
                "lobes.models.Conformer", "lobes.models.Transducer"
            )

    monkeypatch.setattr(pretrained, "Training", Wrong)
    with pytest.raises(VerificationError, match="no such class.*Transducer"):
        export_pretrained(training_output(), tmp_path / "model")
    assert not (tmp_path / "model").exists()


@pytest.mark.slow  # a fresh process
def test_a_terminal_sees_how_far_it_is(exported, monkeypatch):
    """Three recordings by two routes, each counted when it is answered."""

    class Screen(io.StringIO):
        def isatty(self):
            return True

    output, report = exported
    training = Training(output)
    trained = trained_model(training)
    monkeypatch.setattr(sys, "stderr", Screen())
    verify.verify(report.folder, training, trained, is_safe=True)
    assert "loading the export:   0%" in sys.stderr.getvalue()
    assert "6/6 [" in sys.stderr.getvalue()


@pytest.mark.parametrize("safe", ["", "1"])
def test_the_fresh_process_sees_the_whole_path(tmp_path, safe):
    """Its own folder does not come first; PYTHONSAFEPATH drops no other."""
    (tmp_path / "speechbrain").mkdir()
    first = tmp_path / "speechbrain" / "__init__.py"
    first.write_text("import sys\nsys.exit(sys.path[0])\n")
    request = tmp_path / "request.json"
    request.write_text('{"source": "", "standalone": null}')
    done = subprocess.run(
        [sys.executable, fresh_process.__file__, request, "answer.json"],
        env={
            **os.environ,
            "PYTHONPATH": str(tmp_path),
            "PYTHONSAFEPATH": safe,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr.strip() == str(tmp_path)
