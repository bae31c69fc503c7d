"""What counts as a waveform, and how it becomes mono samples of -1 to 1.

Example
-------
>>> stereo = np.array([[0, 16384], [16384, 16384]], np.int16)
>>> mono(stereo)
array([0.25, 0.5 ], dtype=float32)

Authors
 * The speechbrain_hrf authors 2026
"""

import numbers
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from speechbrain_hrf.dataio.sound.audio_files import RATES

Samples = NDArray[np.float32]

# More than a sound card has: such an array has its axes the other way round.
_MOST_CHANNELS = 64

# What stands for 0 and for 1 in integer samples, as in WAV files.
_INTEGERS = {"uint8": (128, 2**7), "int16": (0, 2**15), "int32": (0, 2**31)}


def mono(waveform: ArrayLike) -> Samples:
    """Samples of a waveform, averaged over its channels.

    Arguments
    ---------
    waveform : numpy.ndarray
        [samples] or [samples, channels], as soundfile and sounddevice give
        it: floats (of which -1 to 1 is the full scale), int16, int32 or uint8.

    Returns
    -------
    numpy.ndarray
        float32, [samples]

    Raises
    ------
    TypeError
        The samples are of another type.
    ValueError
        The array has other axes, or holds NaN or infinite samples.

    Example
    -------
    >>> mono(np.zeros((2, 16000)))
    Traceback (most recent call last):
    ...
    ValueError: The waveform's shape (2, 16000) means 16000 channels, and 64 is
    the most. If it is [channels, samples], transpose it.
    """
    waveform = check_waveform(waveform)
    if waveform.ndim == 1:
        samples = _as_float(waveform)
    else:
        # Channel by channel: a mean over an axis may add up in another order
        # for another number of samples.
        samples = _as_float(waveform[:, 0])
        for channel in range(1, waveform.shape[1]):
            samples = samples + _as_float(waveform[:, channel])
        samples = samples / np.float32(waveform.shape[1])
    if not np.isfinite(samples).all():
        raise ValueError(
            "The waveform holds NaN or infinite samples (or some that float32 "
            "cannot hold): the recording is damaged, or something before this "
            "divided by zero."
        )
    return np.ascontiguousarray(samples)


def join(chunks: Iterable[ArrayLike]) -> Samples:
    """The parts of one recording as a whole, mono.

    Arguments
    ---------
    chunks : iterable of numpy.ndarray
        See ``mono``.

    Returns
    -------
    numpy.ndarray
        float32, [samples]; none of no chunk.

    Example
    -------
    >>> join([[0.5], [0.0, 1.0]])
    array([0.5, 0. , 1. ], dtype=float32)
    """
    return np.concatenate([np.zeros(0, np.float32), *map(mono, chunks)])


def check_waveform(waveform: ArrayLike) -> NDArray[Any]:
    """An array with the axes and the type of a waveform.

    Arguments
    ---------
    waveform : numpy.ndarray
        Or what numpy makes an array of.

    Returns
    -------
    numpy.ndarray
        The same samples.

    Raises
    ------
    TypeError, ValueError
        See ``mono``.

    Example
    -------
    >>> check_waveform([0.5, 1.5]).shape
    (2,)
    """
    try:
        waveform = np.asarray(waveform)
    except ValueError as error:
        raise ValueError(f"The waveform is no array: {error}") from error
    if waveform.dtype.kind != "f" and waveform.dtype.name not in _INTEGERS:
        raise TypeError(
            f"Samples of type {waveform.dtype} have no known full scale: give "
            "floats from -1 to 1, int16, int32 or uint8."
        )
    if waveform.ndim not in (1, 2):
        raise ValueError(
            f"The waveform's shape is {waveform.shape}: give one waveform, "
            "[samples] or [samples, channels]."
        )
    channels = waveform.shape[1] if waveform.ndim == 2 else 1
    if channels > _MOST_CHANNELS:
        raise ValueError(
            f"The waveform's shape {waveform.shape} means {channels} channels, "
            f"and {_MOST_CHANNELS} is the most. If it is [channels, samples], "
            "transpose it."
        )
    if channels == 0:
        raise ValueError(f"A shape of {waveform.shape} has no channel.")
    return waveform


def check_rate(rate: float) -> int:
    """A sample rate as an int.

    Arguments
    ---------
    rate : int
        Samples per second; a float with nothing behind the point will do.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        It is no number, or not one that a recording has.

    Example
    -------
    >>> check_rate(16)
    Traceback (most recent call last):
    ...
    ValueError: The sample rate is 16: give a whole number of samples per
    second from 1000 to 768000.
    """
    whole = isinstance(rate, numbers.Real) and rate == rate // 1
    if not whole or not RATES[0] <= rate <= RATES[1]:
        raise ValueError(
            f"The sample rate is {rate!r}: give a whole number of samples per "
            f"second from {RATES[0]} to {RATES[1]}."
        )
    return int(rate)


def _as_float(samples: NDArray[Any]) -> Samples:
    if samples.dtype.kind == "f":
        with np.errstate(over="ignore"):  # infinite then, which is refused
            return samples.astype(np.float32)
    zero, full_scale = _INTEGERS[samples.dtype.name]
    return (samples.astype(np.float32) - zero) / np.float32(full_scale)
