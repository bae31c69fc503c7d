"""What another precision changes: labels and scores on the test set.

Authors
 * The speechbrain_hrf authors 2026
"""

import functools
from collections.abc import Iterator, Sequence

from sklearn.metrics import accuracy_score, recall_score
from tqdm import tqdm

from speechbrain_hrf.dataio.sound.audio import read
from speechbrain_hrf.dataio.sound.audio_files import UnusableAudio
from speechbrain_hrf.runtime.waveform import Samples

# Path and label of each; None where that is not known.
Recordings = Sequence[tuple[str, str | None]]


def read_recordings(
    recordings: Recordings, sample_rate: int, title: str
) -> Iterator[Samples]:
    """Reads recordings as training does, one after the other.

    Arguments
    ---------
    recordings : sequence of (path, label)
    sample_rate : int
        Hz
    title : str
        Of the progress bar: a whole test set takes a while.

    Yields
    ------
    numpy.ndarray
        float32, [samples]

    Raises
    ------
    ValueError
        One cannot be read, or holds no sample or NaN.

    Example
    -------
    >>> list(read_recordings([("none.wav", "sad")], 16000, "reading"))
    Traceback (most recent call last):
    ...
    ValueError: none.wav: the file is missing. int8 and fp16 are ...
    """
    for path, _ in tqdm(recordings, title, disable=None):
        try:
            yield read(path, sample_rate=sample_rate).numpy()
        except UnusableAudio as error:
            raise ValueError(
                f"{error}. int8 and fp16 are compared on the whole test set: "
                "restore this recording, or export without them."
            ) from error


def score_both(
    recordings: Recordings, answers: Sequence[tuple[str, str]]
) -> dict[str, tuple[float, float]]:
    """WA and UA before and after, over the recordings that are labelled.

    Arguments
    ---------
    recordings : sequence of (path, label)
    answers : sequence of (str, str)
        Of each recording, the label before and after.

    Returns
    -------
    dict
        Empty where no recording is labelled.

    Example
    -------
    >>> files = [("a", "sad"), ("b", "sad"), ("c", "calm"), ("d", None)]
    >>> before, after = ["sad", "sad", "sad", "sad"], ["sad", "calm"] * 2
    >>> score_both(files, list(zip(before, after)))["UA"]
    (0.5, 0.25)
    """
    known = [
        (label, *found)
        for (_, label), found in zip(recordings, answers, strict=False)
        if label is not None
    ]
    if not known:
        return {}
    truth, before, after = zip(*known, strict=True)
    # UA: over the classes that occur, as EmotionScores has it.
    UA = functools.partial(
        recall_score, labels=sorted(set(truth)), average="macro"
    )
    return {
        name: (float(score(truth, before)), float(score(truth, after)))
        for name, score in (("WA", accuracy_score), ("UA", UA))
    }
