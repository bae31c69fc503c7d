"""A signal with the outlines of speech, whose manner follows an emotion.

Source and filter: pulses of a glottis, at a pitch that moves from syllable to
syllable, through the resonances of three vowels, with breath, pauses and some
background noise. Emotion and speaker set pitch, loudness, tempo and timbre;
every utterance strays from them far enough that emotions overlap. It serves
to try out software and says nothing about people.

Example
-------
>>> wave = synthesize("angry", "Ses01F", "female", utterance=3, seconds=2.0)
>>> wave.shape, wave.dtype
((32000,), dtype('float32'))

Authors
 * The speechbrain_hrf authors 2026
"""

import hashlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter, sosfilt

_Floats = NDArray[np.float64]


class Manner(NamedTuple):
    """How an emotion differs from a neutral voice.

    Arguments
    ---------
    pitch : float
        Mean pitch, semitones above the speaker's own.
    movement : float
        Standard deviation of the pitch over syllables, semitones.
    level : float
        Loudness, dB.
    tempo : float
        Syllables per second.
    brightness : float
        Between 0 (soft onset of voice) and 1 (pressed, loud overtones).
    breath : float
        Noise in the voice, relative to its pulses.

    Example
    -------
    >>> MANNERS["sad"].pitch < MANNERS["happy"].pitch
    True
    """

    pitch: float
    movement: float
    level: float
    tempo: float
    brightness: float
    breath: float


MANNERS = {
    "neutral": Manner(0.0, 1.3, 0.0, 4.4, 0.45, 0.05),
    "calm": Manner(-1.0, 0.9, -3.0, 3.6, 0.30, 0.10),
    "happy": Manner(3.5, 3.2, 3.0, 5.4, 0.60, 0.05),
    "sad": Manner(-1.5, 0.8, -5.0, 3.0, 0.15, 0.20),
    "angry": Manner(3.0, 2.2, 7.0, 4.9, 0.95, 0.03),
    "fearful": Manner(5.5, 1.6, 1.0, 6.3, 0.50, 0.25),
    "disgust": Manner(-1.5, 2.2, 1.0, 3.3, 0.75, 0.12),
    "surprised": Manner(5.0, 5.0, 2.0, 4.2, 0.55, 0.10),
}
# How far utterances stray from the manner (standard deviations): what makes
# emotions overlap. Chosen so that small models reach 70-95 %.
_STRAY = Manner(0.9, 0.3, 2.0, 0.25, 0.05, 0.02)

# Resonances in Hz of a, i and u, for a man's tract; syllables mix them.
_VOWELS = np.array([[730, 1090, 2440], [270, 2290, 3010], [300, 870, 2240]])
_BANDWIDTHS = np.array([80, 100, 140, 250])
_FOURTH_RESONANCE = 3500


def synthesize(
    emotion: str,
    speaker: str,
    gender: str,
    utterance: int | str,
    seconds: float,
    sample_rate: int = 16000,
) -> NDArray[np.float32]:
    """One utterance; the same arguments always give the same samples.

    Arguments
    ---------
    emotion : str
        A key of `MANNERS`.
    speaker : str
        Who speaks: sets pitch, tract length, loudness and tempo.
    gender : {"female", "male"}
        Moves pitch and tract length.
    utterance : int or str
        Which utterance of that speaker.
    seconds : float
        Its duration.
    sample_rate : int
        Samples per second.

    Returns
    -------
    numpy.ndarray
        float32 samples within -1 and 1, [time].

    Example
    -------
    >>> one = synthesize("sad", "A", "male", 1, seconds=0.5)
    >>> again = synthesize("sad", "A", "male", 1, seconds=0.5)
    >>> other = synthesize("sad", "A", "male", 2, seconds=0.5)
    >>> bool((one == again).all()), bool((one == other).all())
    (True, False)
    """
    if emotion not in MANNERS:
        raise ValueError(
            f"emotion is one of {', '.join(MANNERS)}, not {emotion!r}"
        )
    # A person's constants come from a generator of their own.
    person = random_generator(speaker, gender)
    base_pitch = {"female": 200.0, "male": 115.0}[gender]
    base_pitch *= 2 ** (person.normal(0, 1.5) / 12)
    tract = {"female": 1.16, "male": 1.0}[gender] * person.normal(1, 0.03)
    loudness = person.normal(0, 1.5)
    haste = person.normal(1, 0.06)

    rng = random_generator(emotion, speaker, gender, utterance, seconds)
    manner = Manner(
        *np.asarray(MANNERS[emotion]) + rng.standard_normal(6) * _STRAY
    )
    time = np.arange(round(seconds * sample_rate)) / sample_rate
    tempo = max(2.0, manner.tempo * haste)
    syllable, strength = _syllables(rng, time, seconds * tempo, seconds)

    count = len(strength)
    line = np.linspace(1, -1, count)  # pitch sinks towards the end
    melody = rng.standard_normal(count) * max(0.3, manner.movement) + line
    pitch = base_pitch * 2 ** ((manner.pitch + melody) / 12)
    source = _glottis(rng, syllable, pitch, manner, sample_rate)

    wave = np.zeros_like(source)
    shares = rng.dirichlet([0.7] * len(_VOWELS), size=count)
    for vowel, share in zip(_VOWELS, shares.T, strict=True):
        share = np.interp(syllable, np.arange(count) + 0.5, share)
        wave += share * _tract(source, vowel * tract, sample_rate)
    rise = np.sin(np.pi * (syllable % 1)) ** 0.7
    wave *= rise * strength[syllable.astype(int)]

    level = -27 + manner.level + loudness
    wave *= 10 ** (level / 20) / (np.sqrt(np.mean(wave**2)) + 1e-9)
    room = rng.standard_normal(len(wave))
    room = lfilter([0.3], [1, -0.7], room)  # rooms hum more than they hiss
    wave += room * 10 ** (rng.normal(-58, 3) / 20)
    return np.clip(wave, -0.99, 0.99).astype(np.float32)


def random_generator(*key: str | float) -> np.random.Generator:
    """A generator that depends on its arguments and on nothing else.

    Arguments
    ---------
    *key : str, int or float
        What it stands for. (Python's own `hash` differs between processes.)

    Returns
    -------
    numpy.random.Generator
        Always in the same state for the same key.

    Example
    -------
    >>> random_generator("a", 1).random() == random_generator("a", 1).random()
    True
    """
    digest = hashlib.blake2b(repr(key).encode(), digest_size=8).digest()
    return np.random.default_rng(int.from_bytes(digest, "little"))


def _syllables(
    rng: np.random.Generator, time: _Floats, syllables: float, seconds: float
) -> tuple[_Floats, _Floats]:
    """Position in syllables at each time, and the strength of each one."""
    count = max(2, round(syllables))
    lengths = rng.uniform(0.6, 1.4, count)
    borders = np.concatenate([[0], np.cumsum(lengths)])
    borders *= seconds / borders[-1]
    syllable = np.interp(time, borders, np.arange(count + 1))
    strength = rng.uniform(0.5, 1.0, count)
    strength[rng.random(count) < 0.15] = 0  # pauses
    strength[rng.integers(count)] = 1  # but something is always said
    return np.minimum(syllable, count - 1e-6), strength


def _glottis(
    rng: np.random.Generator,
    syllable: _Floats,
    pitch: _Floats,
    manner: Manner,
    sample_rate: int,
) -> _Floats:
    """Pulses at the pitch of each syllable, with breath."""
    curve = np.interp(syllable, np.arange(len(pitch)) + 0.5, pitch)
    phase = np.cumsum(curve) / sample_rate % 1
    # Derivative of the flow phase^2 (1 - phase): it jumps when the glottis
    # closes, which is what excites the tract.
    pulses = 2 * phase - 3 * phase**2
    breath = np.clip(manner.breath, 0.01, 1) * rng.standard_normal(len(phase))
    pole = 0.97 - 0.5 * np.clip(manner.brightness, 0, 1.2)
    source: _Floats = lfilter([1 - pole], [1, -pole], pulses + breath)
    return source


def _tract(source: _Floats, resonances: _Floats, sample_rate: int) -> _Floats:
    """Four resonances in a row, each with gain 1 at 0 Hz."""
    centres = np.append(resonances, _FOURTH_RESONANCE)
    radius = np.exp(-np.pi * _BANDWIDTHS / sample_rate)
    first = -2 * radius * np.cos(2 * np.pi * centres / sample_rate)
    second = radius**2
    zeros, ones = np.zeros(4), np.ones(4)
    sections = [1 + first + second, zeros, zeros, ones, first, second]
    wave: _Floats = sosfilt(np.stack(sections, axis=1), source)
    return wave
