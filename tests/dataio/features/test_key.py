"""Whatever changes the features changes what they are made from.

Authors
 * The speechbrain_hrf authors 2026
"""

import os

import numpy as np
import pytest
import soundfile as sf
import torch
from speechbrain.lobes.features import MFCC, Fbank

from speechbrain_hrf.dataio.features import key as feature_key
from speechbrain_hrf.dataio.features.key import (
    feature_settings,
    features_made_from,
)
from speechbrain_hrf.dataio.segments import SegmentFeatures


def settings(compute_features=None, frames=500, **options):
    compute_features = compute_features or Fbank(n_mels=26, deltas=True)
    return feature_settings(
        SegmentFeatures(compute_features, frames, **options)
    )


class Scaled(Fbank):
    """Features with a weight, as those of a pretrained model have."""

    def __init__(self, weight):
        super().__init__(n_mels=26, deltas=True)
        self.weight = torch.nn.Parameter(torch.tensor(weight))

    def forward(self, wav):
        return super().forward(wav) * self.weight


def test_the_same_features_have_the_same_settings(monkeypatch):
    torch.manual_seed(0)
    before = settings()
    assert all(before["versions"].values())
    torch.manual_seed(1)
    assert settings() == before
    threads = torch.get_num_threads()
    torch.set_num_threads(1 if threads > 1 else 2)
    try:
        assert settings() == before
    finally:
        torch.set_num_threads(threads)
    monkeypatch.setattr(feature_key, "FORMAT", 0)
    assert settings() != before


@pytest.mark.parametrize(
    "changed",
    [
        {"compute_features": Fbank(n_mels=27, deltas=True)},
        {"compute_features": Fbank(n_mels=26)},
        {"compute_features": Fbank(n_mels=26, deltas=True, context=True)},
        {"compute_features": Fbank(n_mels=26, deltas=True, hop_length=9.9)},
        {"compute_features": Fbank(n_mels=26, deltas=True, f_max=7900)},
        {"compute_features": MFCC(n_mels=26)},
        {"compute_features": Scaled(1.0)},  # the same values, another class
        {"frames": 400},
        {"sample_rate": 8000},
        {"hop": 0.02},  # the test files are shorter than a segment
    ],
    ids=str,
)
def test_any_other_option_shows(changed):
    assert settings(**changed) != settings()


def test_other_weights_show():
    assert settings(Scaled(1.0)) != settings(Scaled(1.0 + 1e-6))
    assert settings(Scaled(1.0))["values"] == settings()["values"]


def test_random_features_cannot_be_cached():
    class Dithered(Fbank):
        def forward(self, wav):
            return super().forward(wav + 0.01 * torch.randn_like(wav))

    with pytest.raises(ValueError, match="Dithered.*cache_features to False"):
        settings(Dithered())


@pytest.fixture
def clips(tmp_path):
    for name in "ab":
        samples = 0.1 * np.random.default_rng(ord(name)).random(800)
        sf.write(tmp_path / f"{name}.wav", samples, 16000)
    return {name: (str(tmp_path / f"{name}.wav"),) for name in "ab"}


def test_a_corpus_may_move(clips, tmp_path):
    before = features_made_from({}, clips, tmp_path)
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    for name in "ab":
        os.rename(tmp_path / f"{name}.wav", folder / f"{name}.wav")
    moved = {name: (str(folder / f"{name}.wav"),) for name in "ab"}
    assert features_made_from({}, moved, folder) == before


def test_other_audio_shows(clips, tmp_path):
    before = features_made_from({}, clips, tmp_path)
    assert features_made_from({}, clips, tmp_path) == before
    found = [before]

    path = clips["a"][0]
    times = os.stat(path).st_atime_ns, os.stat(path).st_mtime_ns + 1000
    os.utime(path, ns=times)
    found.append(features_made_from({}, clips, tmp_path))

    sf.write(path, np.zeros(801), 16000)
    os.utime(path, ns=times)  # another size only
    found.append(features_made_from({}, clips, tmp_path))

    found.append(features_made_from({}, {"a": clips["a"]}, tmp_path))
    renamed = {"c": clips["a"], "b": clips["b"]}
    found.append(features_made_from({}, renamed, tmp_path))
    swapped = {"a": clips["b"], "b": clips["a"]}
    found.append(features_made_from({}, swapped, tmp_path))
    for parts in ([[0, 400]], [[0, 401]], [[0, 200], [200, 400]]):
        cut = {**clips, "a": (*clips["a"], parts)}
        found.append(features_made_from({}, cut, tmp_path))
    for number, made_from in enumerate(found):
        assert made_from not in found[:number], number


def test_an_archive_stands_for_its_members(tmp_path):
    archive = tmp_path / "300_P.zip"
    archive.write_bytes(b"PK")
    clips = {"300": (f"{archive}!/300_AUDIO.wav", [[0, 1]])}
    before = features_made_from({}, clips, tmp_path)
    archive.write_bytes(b"PK2")
    assert features_made_from({}, clips, tmp_path) != before
