"""A stand-in in the layout of nEMO, pitfalls included.

9 speakers, 6 emotions, five sentences each, 24 kHz, named by the corpus's
scheme. As in the original MK0 has no "surprised", MP0 lacks many files, and
`data.tsv` lists the recordings in no order, with blanks before the speakers. A
`._*` file lies among them.

Example
-------
>>> folder = getfixture("tmp_path_factory").getbasetemp()
>>> root = make_nemo(folder)
>>> len(list(root.glob("samples/[A-Z]*.wav")))
250

Authors
 * The speechbrain_hrf authors 2026
"""

import pathlib

from speechbrain_hrf.dataio.synthetic.corpus import build_once, write_audio
from speechbrain_hrf.dataio.synthetic.voice import random_generator, synthesize

_GENERATOR = "nEMO 1"
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
# The corpus's emotions, as `synthesize` calls them.
_MANNERS = {
    "neutral": "neutral",
    "anger": "angry",
    "fear": "fearful",
    "happiness": "happy",
    "sadness": "sad",
    "surprised": "surprised",
}
_SENTENCES = 5
_RATE = 24000  # the original's


def make_nemo(folder):
    """Generates the stand-in, or finds the one generated before.

    Arguments
    ---------
    folder : str or os.PathLike
        Where to put the folder `nEMO`.

    Returns
    -------
    pathlib.Path
        Path of `nEMO`, with `samples` and `data.tsv`: 250 files, 45 of each
        emotion less what MK0 and MP0 lack, 1.3 to 3.7 s.

    Example
    -------
    >>> folder = getfixture("tmp_path_factory").getbasetemp()
    >>> make_nemo(folder).name
    'nEMO'
    """
    root = pathlib.Path(folder) / "nEMO"
    return build_once(root, _GENERATOR, _write)


def _write(root):
    rows = []
    for speaker, emotion, sentence in _recordings():
        name = f"{speaker}_{emotion}_{sentence}.wav"
        gender = _SPEAKERS[speaker]
        seconds = round(random_generator("nEMO", name).uniform(1.3, 3.7), 4)
        wave = synthesize(
            _MANNERS[emotion], speaker, gender, name, seconds, _RATE
        )
        write_audio(root / "samples" / name, wave, _RATE)
        text = f"Zdanie {sentence}."
        values = (name, emotion, text, text.lower()[:-1], f"        {speaker}")
        rows.append("\t".join((*values, gender, "25")))
    (root / "samples" / f"._{name}").write_bytes(
        b"\x00\x05\x16\x07" + bytes(60)
    )
    random_generator("nEMO", "rows").shuffle(rows)
    header = "file_id emotion raw_text normalized_text speaker_id gender age"
    lines = ["\t".join(header.split()), *rows]
    text = "\n".join(lines) + "\n"
    (root / "data.tsv").write_bytes(text.encode("utf-8"))


def _recordings():
    """Speaker, emotion, sentence of each file."""
    for speaker in _SPEAKERS:
        for emotion in _MANNERS:
            if (speaker, emotion) == ("MK0", "surprised"):
                continue
            few = speaker == "MP0" and emotion != "neutral"
            for sentence in range(1, 3 if few else 1 + _SENTENCES):
                yield speaker, emotion, sentence
