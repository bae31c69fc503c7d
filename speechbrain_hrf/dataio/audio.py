"""The samples of audio files, at one rate.

``read`` gives any usable file, or a part of it, as mono samples at the model's
rate, ``read_parts`` several parts joined end to end. Files may lie in zip
archives, see ``archive``. Which files of a corpus are usable is found out
before, by ``probe_all``.

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

import contextlib
import functools
import math
import os
from collections.abc import Iterable, Sequence

import soundfile as sf
import torch
from speechbrain.dataio.preprocess import AudioNormalizer

from speechbrain_hrf.dataio.archive import open_audio
from speechbrain_hrf.dataio.audio_files import (
    UnusableAudio,
    cause,
    check_length,
)

# Context on each side of a cut that is resampled. The resampler's filter
# reaches 6 zero crossings, 0.8 ms at 8 kHz.
_MARGIN_SECONDS = 0.01


def read(
    path: str | os.PathLike,
    start: float = 0.0,
    stop: float | None = None,
    sample_rate: int = 16000,
) -> torch.Tensor:
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
    with _decodable(path) as file:
        if start == 0 and stop is None:
            wave, begin, end = _frames(file, 0), 0, None
        else:
            wave, begin, end = _part(path, file, start, stop, sample_rate)
        rate = file.samplerate
    wave = _normalizer(sample_rate)(wave, rate)[begin:end]
    if len(wave) == 0:
        raise UnusableAudio(path, f"it holds no samples from {start} s on")
    return _finite(path, wave)


def read_parts(
    path: str | os.PathLike,
    parts: Iterable[Sequence[int]],
    sample_rate: int = 16000,
) -> torch.Tensor:
    """Cuts parts out of a file and joins them end to end.

    Arguments
    ---------
    path : str or os.PathLike
        The file: any rate, any number of channels (averaged).
    parts : iterable of [int, int]
        First sample and the one after the last, in samples of the file, of
        each part in turn. Parts may overlap and come in any order.
    sample_rate : int
        Samples per second of the result, which is resampled when joined.

    Returns
    -------
    torch.Tensor
        float32 samples, [time].

    Raises
    ------
    ValueError
        When there is no part, or one is empty.
    UnusableAudio
        When the file cannot be decoded, holds NaN or infinite samples in
        these parts, or ends before one of them does.

    Example
    -------
    >>> import numpy as np, soundfile as sf
    >>> path = getfixture("tmpdir").join("ramp.wav").strpath
    >>> sf.write(path, np.arange(100) / 128, 16000)
    >>> read_parts(path, [[64, 66], [0, 1]])
    tensor([0.5000, 0.5078, 0.0000])
    """
    parts = [tuple(part) for part in parts]
    impossible = [part for part in parts if not 0 <= part[0] < part[1]]
    if impossible or not parts:
        what = f"the part {[*impossible[0]]}" if impossible else "no part"
        raise ValueError(
            f"{os.fspath(path)}: cannot read {what}: give one or more "
            f"[start, stop] in samples, with 0 <= start < stop"
        )
    with _decodable(path) as file:
        end = max(stop for _, stop in parts)
        if end > file.frames:
            raise UnusableAudio(
                path,
                f"it holds {file.frames} samples and cannot be read up to "
                f"sample {end}",
            )
        waves = [_frames(file, start, stop) for start, stop in parts]
        rate = file.samplerate
    wave = torch.cat(waves)
    missing = sum(stop - start for start, stop in parts) - len(wave)
    if missing:
        raise UnusableAudio(path, f"{missing} samples cannot be decoded")
    return _finite(path, _normalizer(sample_rate)(wave, rate))


@contextlib.contextmanager
def _decodable(path):
    """An open ``soundfile.SoundFile``, whose errors name the path."""
    with open_audio(path) as source:
        try:
            with sf.SoundFile(source) as file:
                check_length(path, file.frames)
                yield file
        except (sf.SoundFileError, OSError) as error:
            raise UnusableAudio(
                path, f"it cannot be decoded ({cause(error)})"
            ) from error


def _frames(file, start, stop=None):
    """Decoded float32 samples from start to stop, [time, channels]."""
    file.seek(min(start, file.frames))
    count = -1 if stop is None else stop - start
    return torch.from_numpy(file.read(count, "float32", always_2d=True))


def _finite(path, wave):
    if not torch.isfinite(wave).all():
        raise UnusableAudio(path, "it holds NaN or infinite samples")
    return wave


def _part(path, file, start, stop, sample_rate):
    """Samples around a part, and where the part is once they are resampled.

    Loading starts at a frame that the resampler maps onto a whole sample
    (every `rate / gcd` frames), so that the phase is the whole file's.
    """
    rate = file.samplerate
    begin = math.floor(start * sample_rate + 0.5)  # round half up
    end = None if stop is None else math.floor(stop * sample_rate + 0.5)
    if begin * rate >= file.frames * sample_rate:
        raise UnusableAudio(
            path,
            f"it lasts {file.frames / rate:.3f} s and cannot be read from "
            f"{start} s on",
        )
    if rate == sample_rate:
        return _frames(file, begin, end), 0, None

    divisor = math.gcd(rate, sample_rate)
    frames_per_step, samples_per_step = rate // divisor, sample_rate // divisor
    margin = math.ceil(_MARGIN_SECONDS * sample_rate)
    step = max(0, (begin - margin) // samples_per_step)
    offset = step * frames_per_step
    last = None
    if end is not None:
        last = math.ceil((end + margin) * rate / sample_rate)
    wave = _frames(file, offset, last)
    skipped = step * samples_per_step
    return wave, begin - skipped, None if end is None else end - skipped


@functools.lru_cache(maxsize=8)
def _normalizer(sample_rate):
    """One per rate: it keeps its resampling filters."""
    return AudioNormalizer(sample_rate)
