"""A stand-in in the layout of IEMOCAP, pitfalls included.

Five sessions of two speakers, 48 turns of the four emotions each (0.6 to 8 s),
and 8 turns whose labels must be dropped. There are dialogues whose names end in a letter,
`._*` files among labels and audio, and raters' files in subfolders that
contradict the final labels.

Example
-------
>>> from speechbrain_hrf.dataio.synthetic import make_corpus
>>> folder = getfixture("corpora")
>>> root = make_corpus("IEMOCAP", folder)
>>> root.name, len(list(root.glob("Session*")))
('IEMOCAP_full_release', 5)

Authors
 * The speechbrain_hrf authors 2026
"""

import pathlib
from collections import Counter

import numpy as np

from speechbrain_hrf.dataio.synthetic.content import (
    deal_out,
    write_leftover,
    write_lines,
    write_speech,
)
from speechbrain_hrf.dataio.synthetic.voice import random_generator

_DIALOGUES = {
    1: "F_impro01 F_impro02 F_script01_1 M_impro01 M_impro02 M_script01_2",
    2: "F_impro01 F_impro03 F_script02_2 M_impro01 M_impro04 M_script03_1",
    3: "F_impro01 F_script01_1 M_impro05a M_impro05b M_impro08a M_impro08b",
    4: "F_impro01 F_impro07 F_script03_2 M_impro01 M_impro06 M_script01_1",
    5: "F_impro01 F_impro04 F_script01_2 M_impro01 M_impro03 M_script01_1b",
}
# Turns per session and label; proportions like those of the corpus.
_TURNS = {"neu": 15, "hap": 5, "exc": 9, "sad": 10, "ang": 9}
_DROPPED = ("xxx", "fru", "fru", "sur", "fea", "oth", "dis", "xxx")
# How those sound that the synthetic voice does not know.
_SOUNDS_LIKE = {"exc": "hap", "fru": "ang", "oth": "cal", "xxx": "neu"}
_HEADER = "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]"


def _write(root: pathlib.Path) -> None:
    labels = [*Counter(_TURNS).elements(), *_DROPPED]
    for session, dialogues in _DIALOGUES.items():
        rng = random_generator("IEMOCAP", session)
        names = [f"Ses{session:02d}{name}" for name in dialogues.split()]
        for name, part in deal_out(labels, names, rng):
            _write_dialogue(root / f"Session{session}", name, part, rng)


def _write_dialogue(
    session: pathlib.Path,
    dialogue: str,
    labels: list[str],
    rng: np.random.Generator,
) -> None:
    """Label file, decoys and audio of one dialogue."""
    clock = 5.0
    final, categories, attributes = [_HEADER, ""], [], []
    for index, label in enumerate(labels):
        gender = "FM"[rng.integers(2)]
        turn = f"{dialogue}_{gender}{index:03d}"
        seconds = round(float(np.clip(rng.lognormal(1.17, 0.5), 0.6, 8)), 4)
        path = session / f"sentences/wav/{dialogue}/{turn}.wav"
        write_speech(
            path,
            _SOUNDS_LIKE.get(label, label),
            f"{dialogue[:5]}{gender}",
            {"F": "female", "M": "male"}[gender],
            seconds,
            utterance=turn,
        )

        valence, arousal, dominance = rng.uniform(1, 5, 3)
        final += [
            f"[{clock:.4f} - {clock + seconds:.4f}]\t{turn}\t{label}\t"
            f"[{valence:.4f}, {arousal:.4f}, {dominance:.4f}]",
            "C-E2:\tNeutral;\t()",
            "C-E4:\tFrustration; Anger;\t(annoyed, not angry)",
            f"C-{gender}1:\tOther;\t(self-rating)",
            "A-E3:\tval 3; act 2; dom  2;\t()",
            f"A-{gender}1:\tval 2; act 3; dom  1;\t()",
            "",
        ]
        categories.append(f"{turn} :Neutral state; ()")
        attributes.append(f"{turn} :act 3; :val 3; :dom 3; ()")
        clock += seconds + rng.uniform(0.2, 3)
    wrong = [_HEADER, f"[5.0000 - 6.0000]\t{turn}\tsad\t[1.0, 1.0, 1.0]"]

    folder = session / "dialog/EmoEvaluation"
    for name, lines in {
        f"{dialogue}.txt": final,
        f"Categorical/{dialogue}_e2_cat.txt": categories,
        f"Categorical/{dialogue}.txt": wrong,
        f"Attribute/{dialogue}_e3_atr.txt": attributes,
        f"Self-evaluation/{dialogue}_f1_cat.txt": categories,
    }.items():
        write_lines(folder / name, lines)
    write_leftover(folder / f"{dialogue}.txt")
    write_leftover(path)


# Its folder, its name and version, what fills the folder.
CORPUS = ("IEMOCAP_full_release", "IEMOCAP 1", _write)
