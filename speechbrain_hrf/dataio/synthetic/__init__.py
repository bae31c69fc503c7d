"""Stand-in corpora: the layout of real ones, filled with synthetic signals.

They let every recipe run, from preparation to export, without a licence or a
download. Figures reached on them mean nothing.

Example
-------
>>> folder = getfixture("tmp_path_factory").getbasetemp()
>>> corpus = make_corpus("RAVDESS", folder)
>>> is_synthetic(corpus), is_synthetic(corpus / "Actor_01")
(True, False)

Authors
 * The speechbrain_hrf authors 2026
"""

from speechbrain_hrf.dataio.synthetic.corpus import is_synthetic
from speechbrain_hrf.dataio.synthetic.daic_woz import make_daic_woz
from speechbrain_hrf.dataio.synthetic.iemocap import make_iemocap
from speechbrain_hrf.dataio.synthetic.m3ed import make_m3ed
from speechbrain_hrf.dataio.synthetic.nemo import make_nemo
from speechbrain_hrf.dataio.synthetic.ravdess import make_ravdess

__all__ = [
    "is_synthetic",
    "make_corpus",
    "make_daic_woz",
    "make_iemocap",
    "make_m3ed",
    "make_nemo",
    "make_ravdess",
]

_MAKERS = {
    "DAIC-WOZ": make_daic_woz,
    "IEMOCAP": make_iemocap,
    "M3ED": make_m3ed,
    "RAVDESS": make_ravdess,
    "nEMO": make_nemo,
}


def make_corpus(name, folder):
    """Generates a stand-in corpus, or finds the one generated before.

    Arguments
    ---------
    name : {"DAIC-WOZ", "IEMOCAP", "M3ED", "RAVDESS", "nEMO"}
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
    if name not in _MAKERS:
        raise ValueError(
            f"There is a stand-in for {', '.join(_MAKERS)}, not for {name!r}"
        )
    return _MAKERS[name](folder)
