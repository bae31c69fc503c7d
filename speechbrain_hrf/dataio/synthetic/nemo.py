"""A stand-in in the layout of nEMO, pitfalls included.

9 speakers, 6 emotions, five sentences of 1.3 to 3.7 s each, 24 kHz, named by
the corpus's scheme. As in the original MK0 has no "surprised", MP0 lacks many files, and
`data.tsv` lists the recordings in no order, with blanks before the speakers. A
`._*` file lies among them.

Example
-------
>>> from speechbrain_hrf.dataio.synthetic import make_corpus
>>> folder = getfixture("corpora")
>>> root = make_corpus("nEMO", folder)
>>> len(list(root.glob("samples/[A-Z]*.wav")))
250

Authors
 * The speechbrain_hrf authors 2026
"""

import pathlib
from collections.abc import Iterator

from speechbrain_hrf.dataio.synthetic.content import (
    write_leftover,
    write_lines,
    write_speech,
)
from speechbrain_hrf.dataio.synthetic.voice import random_generator

_SPEAKERS = {
    "EB0": "female",
    "IC0": "female",
    "KD0": "female",
    "KS0": "male",
    "MK0": "female",
    "MP0": "male",
    "SM0": "male",
    "TP0": "male",
    "WR0": "male",
}
_EMOTIONS = "neutral anger fear happiness sadness surprised".split()
_SENTENCES = 5
_RATE = 24000  # the original's


def _write(root: pathlib.Path) -> None:
    rows = []
    for speaker, emotion, sentence in _recordings():
        name = f"{speaker}_{emotion}_{sentence}.wav"
        path = root / "samples" / name
        seconds = round(random_generator("nEMO", name).uniform(1.3, 3.7), 4)
        gender = _SPEAKERS[speaker]
        write_speech(path, emotion, speaker, gender, seconds, _RATE)
        text = f"Zdanie {sentence}."
        values = (name, emotion, text, text.lower()[:-1], f"        {speaker}")
        rows.append("\t".join((*values, gender, "25")))
    write_leftover(path)
    random_generator("nEMO", "rows").shuffle(rows)
    header = "file_id emotion raw_text normalized_text speaker_id gender age"
    write_lines(root / "data.tsv", ["\t".join(header.split()), *rows])


def _recordings() -> Iterator[tuple[str, str, int]]:
    """Speaker, emotion, sentence of each file."""
    for speaker in _SPEAKERS:
        for emotion in _EMOTIONS:
            if (speaker, emotion) == ("MK0", "surprised"):
                continue
            few = speaker == "MP0" and emotion != "neutral"
            for sentence in range(1, 3 if few else 1 + _SENTENCES):
                yield speaker, emotion, sentence


# Its folder, its name and version, what fills the folder.
CORPUS = ("nEMO", "nEMO 2", _write)
