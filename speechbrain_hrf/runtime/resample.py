"""Another sample rate, as torchaudio's default resampler computes it.

SpeechBrain resamples with torchaudio's windowed sinc (6 zero crossings, Hann,
rolloff 0.99), so models are trained and evaluated on what it gives. This is the
same filter in numpy, on a whole waveform (``resample``) or piece by piece
(``Resampler``). Both give the same bits, however a waveform is cut into pieces:
every output sample is the same sum, in the same order, of the same products.

Going from `a` to `b` samples per second, in lowest terms, output sample `j` is
centred on input sample `j * a / b`. There are only `b` different filters (the
phases), and only their taps that are not zero are kept. torchaudio keeps `a`
more for each: 350 MiB of zeros from 44101 Hz to 16000.

Example
-------
>>> tone = np.sin(np.arange(44100) * 0.05).astype(np.float32)
>>> resample(tone, 44100, 16000).shape
(16000,)

Authors
 * The speechbrain_hrf authors 2026
"""

import functools
import math

import numpy as np
from numpy.typing import NDArray

from speechbrain_hrf.runtime.waveform import Samples

# torchaudio.functional.resample's defaults, which SpeechBrain leaves alone.
_ZERO_CROSSINGS = 6
_ROLLOFF = 0.99

# Outputs computed at once: what is needed for them stays in a core's cache.
_BLOCK = 4096

# Taps computed at once.
_AT_ONCE = 2**18


def resample(samples: Samples, rate: int, target: int) -> Samples:
    """Resamples a whole waveform.

    Arguments
    ---------
    samples : numpy.ndarray
        float32, [time].
    rate : int
        Its samples per second.
    target : int
        Those of the result.

    Returns
    -------
    numpy.ndarray
        float32, [ceil(time * target / rate)].

    Example
    -------
    >>> resample(np.zeros(3, np.float32), 8000, 16000)
    array([0., 0., 0., 0., 0., 0.], dtype=float32)
    """
    resampler = Resampler(rate, target)
    return np.concatenate([resampler.push(samples), resampler.flush()])


class Resampler:
    """Resamples a waveform that comes piece by piece.

    Arguments
    ---------
    rate : int
        Samples per second of what comes.
    target : int
        Samples per second of what is given back.

    Example
    -------
    >>> wave = np.random.default_rng(0).random(1000, np.float32)
    >>> resampler = Resampler(44100, 16000)
    >>> parts = [resampler.push(wave[:7]), resampler.push(wave[7:])]
    >>> parts.append(resampler.flush())
    >>> bool((np.concatenate(parts) == resample(wave, 44100, 16000)).all())
    True
    """

    def __init__(self, rate: int, target: int):
        divisor = math.gcd(rate, target)
        self._step, self._phases = rate // divisor, target // divisor
        self._pushed = 0
        self._given = 0
        if rate != target:
            self._starts, self._taps = _filters(self._step, self._phases)
            self._n_taps = len(self._taps)
            # Before the first sample there is silence.
            self._held_from = int(self._starts[0])
            self._held = np.zeros(-self._held_from, np.float32)

    def push(self, samples: Samples) -> Samples:
        """Takes the next samples; gives what they complete.

        Arguments
        ---------
        samples : numpy.ndarray
            float32, [time], of any length.

        Returns
        -------
        numpy.ndarray
            float32
        """
        self._pushed += len(samples)
        if self._step == self._phases:
            return samples
        self._held = np.concatenate([self._held, samples])
        return self._give_up_to(self._ready())

    def flush(self) -> Samples:
        """Gives the last samples: behind the waveform there is silence.

        Returns
        -------
        numpy.ndarray
            float32
        """
        if self._step == self._phases:
            return np.zeros(0, np.float32)
        silence = np.zeros(self._n_taps + self._step, np.float32)
        self._held = np.concatenate([self._held, silence])
        return self._give_up_to(
            -(-self._pushed * self._phases // self._step)  # rounded up
        )

    def _ready(self) -> int:
        """How many outputs have all of their inputs."""
        last_start = self._pushed - self._n_taps
        cycle = (last_start - int(self._starts[0])) // self._step
        if cycle < 0:
            return 0
        rest = last_start - cycle * self._step
        phases = int(np.searchsorted(self._starts, rest, side="right"))
        return cycle * self._phases + phases

    def _give_up_to(self, stop: int) -> Samples:
        blocks = [
            self._block(start, min(start + _BLOCK, stop))
            for start in range(self._given, stop, _BLOCK)
        ]
        self._given = max(self._given, stop)
        # What the next output starts with, and all behind it, is still needed.
        cycle, phase = divmod(self._given, self._phases)
        needed = cycle * self._step + int(self._starts[phase])
        self._held = self._held[needed - self._held_from :].copy()
        self._held_from = needed
        return np.concatenate([np.zeros(0, np.float32), *blocks])

    def _block(self, start: int, stop: int) -> Samples:
        cycles, phases = np.divmod(np.arange(start, stop), self._phases)
        where = cycles * self._step + self._starts[phases] - self._held_from
        first = start % self._phases
        taps = self._taps[:, first : first + stop - start]
        # Element by element, never a dot product: its sum may be ordered
        # differently for another length, and then the last bit differs.
        total = np.zeros(stop - start, np.float32)
        product = np.empty_like(total)
        for index in range(self._n_taps):
            np.take(self._held[index:], where, out=product, mode="clip")
            product *= taps[index]
            total += product
        return total


@functools.lru_cache(maxsize=2)
def _filters(step: int, phases: int) -> tuple[NDArray[np.int64], Samples]:
    """First input of each phase's filter, and the taps, [n_taps, phases].

    Behind the last phase the first ones come again, so that the taps of a block
    are a slice, whatever phase it starts with.
    """
    cutoff = min(step, phases) * _ROLLOFF
    reach = _ZERO_CROSSINGS * step / cutoff  # in inputs, to either side
    phase = np.arange(phases)
    starts = np.ceil(phase * step / phases - reach).astype(np.int64)
    n_taps = math.floor(2 * reach) + 1
    # torchaudio rounds this quotient to float32. It costs it the fifth digit
    # where there are many phases; what matters here is to give the same.
    offset = (phase / phases).astype(np.float32)
    taps = np.zeros((n_taps, phases + _BLOCK), np.float32)
    # Some at a time: there may be millions, and they are many in float64.
    for some in np.array_split(phase, -(-phases * n_taps // _AT_ONCE)):
        inputs = starts[some] + np.arange(n_taps)[:, None]
        time = (inputs / step - offset[some]) * cutoff  # in zero crossings
        time = np.clip(time, -_ZERO_CROSSINGS, _ZERO_CROSSINGS)
        window = np.cos(time * np.pi / _ZERO_CROSSINGS / 2) ** 2
        taps[:, some] = np.sinc(time) * window * (cutoff / step)
    taps[:, phases:] = taps[:, np.arange(_BLOCK) % phases]
    return starts, taps
