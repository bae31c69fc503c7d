"""What the stand-in corpora are filled with.

Authors
 * The speechbrain_hrf authors 2026
"""

import pathlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import soundfile as sf
from numpy.typing import NDArray

from speechbrain_hrf.dataio.synthetic.voice import MANNERS, synthesize

_MANNERS = {manner[:3]: manner for manner in MANNERS}
_APPLE_DOUBLE = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X" + bytes(48)


def write_speech(
    path: pathlib.Path,
    emotion: str,
    speaker: str,
    gender: str,
    seconds: float,
    sample_rate: int = 16000,
    utterance: str | None = None,
) -> None:
    """Writes an utterance of the synthetic voice.

    Arguments
    ---------
    path : pathlib.Path
        The file; the folders above it are made.
    emotion : str
        Any word that starts as a manner of the voice does.
    speaker, gender, seconds, sample_rate
        See ``synthesize``.
    utterance : str, optional
        Which one of that speaker. Default: the file's name.

    Example
    -------
    >>> path = pathlib.Path(getfixture("tmpdir")) / "deep" / "a.wav"
    >>> write_speech(path, "Sadness", "A", "female", seconds=0.5)
    >>> path.stat().st_size
    16044
    """
    wave = synthesize(
        _MANNERS[emotion[:3].lower()],
        speaker,
        gender,
        utterance or path.name,
        seconds,
        sample_rate,
    )
    write_audio(path, wave, sample_rate)


def write_audio(
    path: pathlib.Path, wave: NDArray[Any], sample_rate: int = 16000
) -> None:
    """Writes samples as 16-bit PCM, with the folders above them.

    Arguments
    ---------
    path : pathlib.Path
        The file.
    wave : numpy.ndarray
        Samples within -1 and 1, [time] or [time, channels].
    sample_rate : int
        Samples per second.

    Example
    -------
    >>> path = pathlib.Path(getfixture("tmpdir")) / "deep" / "a.wav"
    >>> write_audio(path, np.zeros(16))
    >>> path.stat().st_size
    76
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.round(wave * 32767).astype(np.int16)
    sf.write(path, samples, sample_rate, subtype="PCM_16")


def write_lines(
    path: pathlib.Path, lines: Iterable[str], end: str = "\n"
) -> None:
    """Writes text, the same bytes on every system, with the folders above.

    Arguments
    ---------
    path : pathlib.Path
        The file.
    lines : iterable of str
        Each is ended.
    end : str
        What ends them.

    Example
    -------
    >>> path = pathlib.Path(getfixture("tmpdir")) / "deep" / "a.txt"
    >>> write_lines(path, ["a", "b"], "\\r\\n")
    >>> path.read_bytes()
    b'a\\r\\nb\\r\\n'
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("".join(line + end for line in lines).encode())


def write_leftover(path: pathlib.Path) -> None:
    """Writes what a Macintosh leaves beside a file that it has copied.

    Arguments
    ---------
    path : pathlib.Path
        The file that was copied.

    Example
    -------
    >>> folder = pathlib.Path(getfixture("tmpdir"))
    >>> write_leftover(folder / "a.wav")
    >>> [path.name for path in folder.iterdir()]
    ['._a.wav']
    """
    path.with_name(f"._{path.name}").write_bytes(_APPLE_DOUBLE)


def deal_out(
    labels: Iterable[str], names: Sequence[str], rng: np.random.Generator
) -> Iterator[tuple[str, list[str]]]:
    """Shuffles labels and gives each dialogue about as many of them.

    Arguments
    ---------
    labels : iterable of str
        One per utterance.
    names : sequence of str
        Of the dialogues.
    rng : numpy.random.Generator
        Shuffles.

    Yields
    ------
    tuple of (str, list of str)
        A dialogue's name and labels.

    Example
    -------
    >>> dealt = dict(deal_out("aab", ["x", "y"], np.random.default_rng(0)))
    >>> [len(labels) for labels in dealt.values()]
    [2, 1]
    """
    shuffled = rng.permutation(list(labels))
    parts = np.array_split(shuffled, len(names))
    for name, part in zip(names, parts, strict=True):
        yield name, part.tolist()
