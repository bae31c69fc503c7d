"""The samples of audio files, at one rate.

``read`` gives any usable file, or its start, as mono samples at the model's
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
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import soundfile as sf
import torch
from numpy.typing import NDArray
from speechbrain.dataio.preprocess import AudioNormalizer

from speechbrain_hrf.dataio.sound.archive import open_audio
from speechbrain_hrf.dataio.sound.audio_files import (
    UnusableAudio,
    cause,
    check_end,
    check_header,
)
from speechbrain_hrf.dataio.sound.sound_file import SoundFile
from speechbrain_hrf.runtime.resample import resample

# Context on each side of a cut that is resampled. The resampler's filter
# reaches 6 zero crossings, 0.8 ms at 8 kHz.
_MARGIN_SECONDS = 0.01

# torchaudio's filters have a tap for each phase and each input of a cycle: from
# 44101 Hz to 16000, 706 million, in float64. Below this they are the faster
# ones; above, ours are, which keep only the taps that are not 0.
_MOST_TAPS = 2**19


def read(
    path: str | os.PathLike[str],
    stop: float | None = None,
    sample_rate: int = 16000,
) -> torch.Tensor:
    """Reads a file, or the start of it, as mono samples at one rate.

    Only the part asked for is decoded. What comes back is exactly the start of
    the whole resampled file: the cut is made after resampling, with enough
    context behind it.

    Arguments
    ---------
    path : str or os.PathLike
        The file: any rate, any number of channels (averaged).
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
        When samples up to the stop are missing, cannot be decoded, or are NaN
        or infinite. Of an MP3, what is there is taken, as SpeechBrain does:
        its length may be an estimate.

    Example
    -------
    >>> import numpy as np, soundfile as sf
    >>> path = getfixture("tmpdir").join("tone.wav").strpath
    >>> sf.write(path, 0.1 * np.ones(16000), 8000)
    >>> read(path, stop=0.75).shape
    torch.Size([12000])
    """
    if stop is not None and stop <= 0:
        raise ValueError(f"{os.fspath(path)}: cannot read up to {stop} s")
    with _open(path) as file:
        rate, frames, end = file.samplerate, file.frames, None
        if stop is not None:
            end = math.floor(stop * sample_rate + 0.5)  # round half up
            margin = math.ceil(_MARGIN_SECONDS * sample_rate)
            last = math.ceil((end + margin) * rate / sample_rate)
            frames = min(frames, last)
        samples = file.read_whole(frames)
        if not file.is_mpeg:
            if frames == file.frames:  # fewer than announced if it was cut off
                check_end(path, file.extra_info)
            _check_count(path, samples, frames)
        wave = _normalize(samples, rate, sample_rate)[:end]
    if len(wave) == 0:
        raise UnusableAudio(path, "it holds no samples")
    return _check_finite(path, wave)


def read_parts(
    path: str | os.PathLike[str],
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
    parts = [(start, stop) for start, stop in parts]
    impossible = [part for part in parts if not 0 <= part[0] < part[1]]
    if impossible or not parts:
        what = f"the part {[*impossible[0]]}" if impossible else "no part"
        raise ValueError(
            f"{os.fspath(path)}: cannot read {what}: give one or more "
            f"[start, stop] in samples, with 0 <= start < stop"
        )
    with _open(path) as file:
        end = max(stop for _, stop in parts)
        if end > file.frames:
            raise UnusableAudio(
                path,
                f"it holds {file.frames} samples and cannot be read up to "
                f"sample {end}",
            )
        rate = file.samplerate
        wave = np.concatenate(_cut(file, parts))
    _check_count(path, wave, sum(stop - start for start, stop in parts))
    return _check_finite(path, _normalize(wave, rate, sample_rate))


@contextlib.contextmanager
def _open(path: str | os.PathLike[str]) -> Iterator[SoundFile]:
    """What is open to be decoded; errors name the path."""
    try:
        with SoundFile(open_audio(path)) as file:
            check_header(path, file.samplerate, file.frames)
            yield file
    except (sf.SoundFileError, OSError) as error:
        raise UnusableAudio(
            path, f"it cannot be decoded ({cause(error)})"
        ) from error


def _cut(
    file: SoundFile, parts: Sequence[Sequence[int]]
) -> list[NDArray[np.float32]]:
    """Samples of each part, [time, channels]."""
    if not file.jumps:
        whole = file.read_whole(max(stop for _, stop in parts))
        return [whole[start:stop] for start, stop in parts]
    waves = []
    for start, stop in parts:
        file.seek(start)
        waves.append(file.read_whole(stop - start))
    return waves


def _normalize(
    wave: NDArray[np.float32], rate: int, sample_rate: int
) -> torch.Tensor:
    """Mono samples at another rate, [time]."""
    divisor = math.gcd(rate, sample_rate)
    if (rate // divisor) * (sample_rate // divisor) > _MOST_TAPS:
        mono = torch.from_numpy(wave).mean(1).numpy()
        return torch.from_numpy(resample(mono, rate, sample_rate))
    samples: torch.Tensor = _normalizer(sample_rate)(
        torch.from_numpy(wave), rate
    )
    return samples


def _check_count(
    path: str | os.PathLike[str], wave: NDArray[np.float32], count: int
) -> None:
    missing = count - len(wave)
    if missing:
        raise UnusableAudio(path, f"{missing} samples cannot be decoded")


def _check_finite(
    path: str | os.PathLike[str], wave: torch.Tensor
) -> torch.Tensor:
    if not torch.isfinite(wave).all():
        raise UnusableAudio(path, "it holds NaN or infinite samples")
    return wave


@functools.lru_cache(maxsize=8)
def _normalizer(sample_rate: int) -> AudioNormalizer:
    """One per rate: it keeps its resampling filters."""
    return AudioNormalizer(sample_rate)
