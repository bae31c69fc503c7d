"""Frame-level HuBERT features: the paper's Table VII, for comparison.

Needs transformers (``pip install "speechbrain-hrf[hubert]"``), which is only
imported when it is used.

Example
-------
>>> base = Geometry(768, (10, 3, 3, 3, 3, 2, 2), (5, 2, 2, 2, 2, 2, 2))
>>> base.frames_for(5 * 16000), base.samples_for(1), base.samples_for(2)
(249, 400, 720)

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import NamedTuple

import torch

_INSTALL = (
    "HuBERT features need transformers: pip install transformers, or "
    'pip install "speechbrain-hrf[hubert]".'
)
_LOCAL = (
    "Where the Hugging Face Hub cannot be reached, give a local folder with "
    "config.json, preprocessor_config.json and the weights as hubert_source; "
    "elsewhere, 'hf download facebook/hubert-base-ls960 --local-dir hubert' "
    "makes one."
)


class HubertFrames(torch.nn.Module):
    """Waveforms to the last hidden states of a frozen HuBERT.

    SpeechBrain's wrapper loads and runs the model, and normalises waveforms
    where the model was trained on normalised ones. There is no padding: the
    first frame starts at the first sample.

    Arguments
    ---------
    source : str
        Name on the Hugging Face Hub, or a local folder.
    sample_rate : int
        Of the waveforms, Hz.

    Raises
    ------
    ImportError
        If transformers is not installed.
    OSError
        If the model cannot be loaded.
    ValueError
        If it is of another kind, or for another sample rate.

    Example
    -------
    >>> from transformers import (
    ...     HubertConfig, HubertModel, Wav2Vec2FeatureExtractor)
    >>> folder = getfixture("tmpdir").strpath
    >>> tiny = HubertConfig(hidden_size=16, num_hidden_layers=1,
    ...     num_attention_heads=2, intermediate_size=16, conv_dim=[8] * 7)
    >>> _ = HubertModel(tiny).save_pretrained(folder)
    >>> _ = Wav2Vec2FeatureExtractor().save_pretrained(folder)
    >>> HubertFrames(folder)(torch.rand(1, 5 * 16000)).shape
    torch.Size([1, 249, 16])
    """

    #: Why the export refuses a model on these features.
    why_not_exported = (
        "its features come from HuBERT, a model of some 100 million parameters "
        "that no small device holds. It serves for comparison; train with "
        "--features fbank what is to be exported."
    )

    def __init__(self, source: str, sample_rate: int = 16000):
        super().__init__()
        self.source = source
        self.sample_rate = sample_rate
        self.geometry = read_geometry(source)
        self.hubert = _load(source)
        trained_at = self.hubert.feature_extractor.sampling_rate
        if trained_at != sample_rate:
            raise ValueError(
                f"{source} is for audio of {trained_at} Hz, but sample_rate "
                f"is {sample_rate}."
            )

    def forward(self, wavs: torch.Tensor) -> torch.Tensor:
        """Waveforms to features.

        Arguments
        ---------
        wavs : torch.Tensor
            [B, samples]; fewer than one frame's are zero-filled to one.

        Returns
        -------
        torch.Tensor
            [B, T, F]
        """
        missing = self.samples_for(1) - wavs.shape[1]
        if missing > 0:
            wavs = torch.nn.functional.pad(wavs, (0, missing))
        return self.hubert(wavs)

    def samples_for(self, frames: int) -> int:
        """How many samples give so many frames.

        Arguments
        ---------
        frames : int

        Returns
        -------
        int
        """
        return self.geometry.samples_for(frames)

    def train(self, mode: bool = True) -> HubertFrames:
        """Stays in evaluation mode: frozen, and without dropout."""
        return super().train(False)

    def __reduce__(self) -> tuple[type, tuple[str, int]]:
        # Its weight norm cannot be pickled; another process loads it anew.
        return type(self), (self.source, self.sample_rate)


class Geometry(NamedTuple):
    """Frames of a model that begins with unpadded convolutions.

    Arguments
    ---------
    n_feats : int
        Features per frame.
    kernels, strides : tuple of int
        Of the convolutions.

    Example
    -------
    >>> Geometry(16, (3, 3), (2, 2)).frames_for(500)
    124
    """

    n_feats: int
    kernels: tuple[int, ...]
    strides: tuple[int, ...]

    def frames_for(self, samples: int) -> int:
        """How many frames so many samples give.

        Arguments
        ---------
        samples : int

        Returns
        -------
        int
        """
        for kernel, stride in zip(self.kernels, self.strides, strict=True):
            samples = (samples - kernel) // stride + 1
        return samples

    def samples_for(self, frames: int) -> int:
        """How many samples, at least, give so many frames.

        Arguments
        ---------
        frames : int

        Returns
        -------
        int
        """
        layers = zip(self.kernels, self.strides, strict=True)
        for kernel, stride in reversed(list(layers)):
            frames = (frames - 1) * stride + kernel
        return frames


def read_geometry(source: str) -> Geometry:
    """Reads a model's frames from its configuration, without its weights.

    Arguments
    ---------
    source : str
        Name on the Hugging Face Hub, or a local folder.

    Returns
    -------
    Geometry

    Raises
    ------
    ImportError
        If transformers is not installed.
    OSError
        If there is no such model, or it cannot be reached.
    ValueError
        If it is of another kind.

    Example
    -------
    >>> folder = getfixture("tmpdir")
    >>> folder.join("config.json").write('{"model_type": "hubert"}')
    >>> read_geometry(folder.strpath).n_feats
    768
    """
    try:
        from transformers import AutoConfig
    except ImportError as error:
        raise ImportError(_INSTALL) from error
    with _explain(source):
        config = AutoConfig.from_pretrained(source, cache_dir=_hub_cache())
    if not hasattr(config, "conv_kernel"):
        raise ValueError(
            f"hubert_source {source} is of type {config.model_type}, which has "
            "no frames of audio: give a HuBERT."
        )
    return Geometry(
        config.hidden_size,
        tuple(config.conv_kernel),
        tuple(config.conv_stride),
    )


def _load(source: str) -> torch.nn.Module:
    from speechbrain.integrations.huggingface.hubert import HuBERT

    with _explain(source):
        return HuBERT(source, _hub_cache(), freeze=True)


def _hub_cache() -> str:
    from huggingface_hub.constants import HF_HUB_CACHE

    return HF_HUB_CACHE


@contextlib.contextmanager
def _explain(source: str) -> Iterator[None]:
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, ValueError, SafetensorError) as error:
        reason = str(error).splitlines()[0].rstrip(" .!")
        raise OSError(
            f"Cannot load a HuBERT from hubert_source {source}: {reason}. "
            f"{_LOCAL}"
        ) from error
