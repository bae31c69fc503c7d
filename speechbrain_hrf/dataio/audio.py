"""The samples of audio files, at one rate.

``read`` gives any usable file, or a part of it, as mono samples at the model's
rate. Which files of a corpus are usable is found out before, by ``probe_all``.

Example
-------
>>> import numpy as np, soundfile as sf
>>> path = getfixture("tmpdir").join("tone.wav").strpath
>>> sf.write(path, 0.1 * np.ones((44100, 2)), 44100)  # stereo, 44.1 kHz
>>> read(path).shape
torch.Size([16000])

Authors
 * The speechbrain_hrf authors 2026
"""

import functools
import math
import os

import torch
from speechbrain.dataio import audio_io
from speechbrain.dataio.preprocess import AudioNormalizer

from speechbrain_hrf.dataio.unusable import UnusableAudio, cause, check_file

# Context on each side of a cut that is resampled. The resampler's filter
# reaches 6 zero crossings, 0.8 ms at 8 kHz.
_MARGIN_SECONDS = 0.01


def read(path, start=0.0, stop=None, sample_rate=16000):
    """Reads a file, or a part of it, as mono samples at one rate.

    Only the part asked for is decoded. What comes back is exactly the part of
    the whole resampled file: the cut is made after resampling, with enough
    context on both sides. Parts that abut in time abut in samples.

    Arguments
    ---------
    path : str or os.PathLike
        The file: any rate, any number of channels (averaged).
    start : float
        Where to start, in seconds.
    stop : float or None
        Where to stop, in seconds; None, or past the end: at the end.
    sample_rate : int
        Samples per second of the result.

    Returns
    -------
    torch.Tensor
        float32 samples, [time].

    Raises
    ------
    UnusableAudio
        When the file cannot be decoded, holds NaN or infinite samples, or
        ends before `start`.

    Example
    -------
    >>> import numpy as np, soundfile as sf
    >>> path = getfixture("tmpdir").join("tone.wav").strpath
    >>> sf.write(path, 0.1 * np.ones(16000), 8000)
    >>> read(path, start=0.5, stop=1.25).shape
    torch.Size([12000])
    """
    if start < 0 or (stop is not None and stop <= start):
        raise ValueError(
            f"{os.fspath(path)}: cannot read from {start} s to {stop} s: "
            f"start must be 0 or more, and stop after it"
        )
    try:
        if start == 0 and stop is None:
            wave, rate = _load(path)
            begin, end = 0, None
        else:
            wave, rate, begin, end = _load_part(path, start, stop, sample_rate)
    except RuntimeError as error:  # what audio_io makes of every failure
        check_file(path)
        raise UnusableAudio(
            path, f"it cannot be decoded ({cause(error.__cause__ or error)})"
        ) from error
    wave = _normalizer(sample_rate)(wave, rate)[begin:end]
    if len(wave) == 0:
        raise UnusableAudio(path, f"it holds no samples from {start} s on")
    if not torch.isfinite(wave).all():
        raise UnusableAudio(path, "it holds NaN or infinite samples")
    return wave


def _load(path, offset=0, frames=-1):
    """Decoded float32 samples [time, channels] and their rate."""
    return audio_io.load(
        os.fspath(path),
        channels_first=False,
        dtype=torch.float32,
        frame_offset=offset,
        num_frames=frames,
    )


def _load_part(path, start, stop, sample_rate):
    """Samples around a part, and where the part is once they are resampled.

    Loading starts at a frame that the resampler maps onto a whole sample
    (every `rate / gcd` frames), so that the phase is the whole file's.
    """
    info = audio_io.info(os.fspath(path))
    rate = info.sample_rate
    begin = math.floor(start * sample_rate + 0.5)  # round half up
    end = None if stop is None else math.floor(stop * sample_rate + 0.5)
    if begin * rate >= info.frames * sample_rate:
        raise UnusableAudio(
            path,
            f"it lasts {info.duration:.3f} s and cannot be read from "
            f"{start} s on",
        )
    if rate == sample_rate:
        wave, rate = _load(path, begin, -1 if end is None else end - begin)
        return wave, rate, 0, None

    divisor = math.gcd(rate, sample_rate)
    frames_per_step, samples_per_step = rate // divisor, sample_rate // divisor
    margin = math.ceil(_MARGIN_SECONDS * sample_rate)
    step = max(0, (begin - margin) // samples_per_step)
    offset = step * frames_per_step
    frames = -1
    if end is not None:
        frames = math.ceil((end + margin) * rate / sample_rate) - offset
    wave, rate = _load(path, offset, frames)
    skipped = step * samples_per_step
    return wave, rate, begin - skipped, None if end is None else end - skipped


@functools.lru_cache(maxsize=8)
def _normalizer(sample_rate):
    """One per rate: it keeps its resampling filters."""
    return AudioNormalizer(sample_rate)
