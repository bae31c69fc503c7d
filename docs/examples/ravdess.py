"""RAVDESS as SpeechBrain's datasets; put your own data in its place."""

from pathlib import Path

import torch
from speechbrain.dataio.audio_io import load
from speechbrain.dataio.dataset import DynamicItemDataset
from speechbrain.dataio.preprocess import AudioNormalizer
from speechbrain.utils.data_pipeline import provides, takes


def load_ravdess(data_folder):
    """A training set, and a test set of four actors who are not in it."""
    files = sorted(Path(data_folder).glob("Actor_*/03-01-*"))
    if not files:
        raise FileNotFoundError(f"{data_folder} has no Actor_*/03-01-*.wav")
    normalize = AudioNormalizer(sample_rate=16000)  # and to mono

    @takes("path")
    @provides("wav", "label")
    def read(path):
        yield normalize(*load(path, channels_first=False))
        # 03-01-06-01-02-01-12.wav is the sixth emotion, by actor 12.
        yield torch.tensor([int(Path(path).stem[6:8]) - 1])

    speech = DynamicItemDataset(
        {f.stem: {"path": str(f), "actor": int(f.stem[-2:])} for f in files},
        dynamic_items=[read],
        output_keys=["id", "wav", "label"],
    )
    return (
        speech.filtered_sorted(key_max_value={"actor": 20}),
        speech.filtered_sorted(key_min_value={"actor": 21}),
    )
