"""Stand-in corpora: the layout of real ones, filled with synthetic signals.

They let every recipe run, from preparation to export, without a licence or a
download. Figures reached on them mean nothing.

Example
-------
>>> folder = getfixture("corpora")
>>> corpus = make_corpus("RAVDESS", folder)
>>> is_synthetic(corpus), is_synthetic(corpus / "Actor_01")
(True, False)

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import pathlib

from speechbrain_hrf.dataio.synthetic import (
    daic_woz,
    iemocap,
    m3ed,
    nemo,
    own_data,
    ravdess,
)
from speechbrain_hrf.dataio.synthetic.corpus import build_once, is_synthetic

__all__ = ["is_synthetic", "make_corpus"]

_CORPORA = {
    "DAIC-WOZ": daic_woz.CORPUS,
    "IEMOCAP": iemocap.CORPUS,
    "M3ED": m3ed.CORPUS,
    "RAVDESS": ravdess.CORPUS,
    "nEMO": nemo.CORPUS,
    "OwnData": own_data.CORPUS,
}


def make_corpus(name: str, folder: str | os.PathLike[str]) -> pathlib.Path:
    """Generates a stand-in corpus, or finds the one generated before.

    Arguments
    ---------
    name : {"DAIC-WOZ", "IEMOCAP", "M3ED", "RAVDESS", "nEMO", "OwnData"}
        Whose layout it has.
    folder : str or os.PathLike
        Where to put it.

    Returns
    -------
    pathlib.Path
        The data folder that the recipe's preparer takes.

    Example
    -------
    >>> make_corpus("RAVDES", "somewhere")
    Traceback (most recent call last):
    ...
    ValueError: There is a stand-in for DAIC-WOZ, IEMOCAP, M3ED, RAVDESS, nEMO, ...
    """
    if name not in _CORPORA:
        raise ValueError(
            f"There is a stand-in for {', '.join(_CORPORA)}, not for {name!r}"
        )
    root, generator, write = _CORPORA[name]
    return build_once(pathlib.Path(folder, root), generator, write)
