"""The paper's printed results, and which arms of a study are its own.

Source of paper.csv: Zhang, Dong, Xu, Han, Re-Parameterization of Lightweight
Transformer for On-Device Speech Emotion Recognition, IEEE IoT Journal 12(4),
2025 (arXiv 2411.09339), Tables III to V.

Authors
 * The speechbrain_hrf authors 2026
"""

import pathlib

import pandas

from speechbrain_hrf.studies.trial import LIGHTWEIGHT, ORIGINAL
from speechbrain_hrf.training.scores import SCORES

# With other values of these options a row is not the paper's.
VALUES = {
    "hrf_ratio": (2, 4, 8),
    "hrf_layers": (1, 2, 3),
    "hrf_init": ("default",),
    "hrf_inner_norm": (False,),
    "hrf_lr_scale": (1,),
    "distil_from": (None,),
}
# All printed results: WA, UA, WF1, MF1, params, flops.
PRINTED = pandas.read_csv(
    pathlib.Path(__file__).with_name("paper.csv"),
    comment="#",
    index_col=["model", "row", "dataset"],
)
# As recipes spell the models, and as the paper does.
MODELS = {name.lower(): name for name in PRINTED.index.unique("model")}
# The rows of the three tables, in their order: Original, Lightweight, ..., ALL.
ROWS = list(PRINTED.xs("Conformer").index.unique("row"))


def printed_rows(model: str, dataset: str) -> dict[str, dict]:
    """What the paper's table of a model has of a corpus.

    Arguments
    ---------
    model : str
        As the paper spells it.
    dataset : str

    Returns
    -------
    dict of str: dict
        By row; empty where the paper has no such model or corpus.

    Example
    -------
    >>> printed_rows("Conformer", "M3ED")["FFN1"]["WF1"]
    0.376
    >>> printed_rows("mine", "M3ED")
    {}
    """
    own = PRINTED.query("model == @model and dataset == @dataset")
    return own.droplevel(["model", "dataset"]).to_dict("index")


def place(arm: str) -> str:
    """Where an arm stands: as the paper prints its rows, then by name.

    Arguments
    ---------
    arm : str

    Returns
    -------
    str
        To sort by.

    Example
    -------
    >>> sorted(["ALL, normalised", "ALL", "Lightweight"], key=place)
    ['Lightweight', 'ALL', 'ALL, normalised']
    """
    return f"{ROWS.index(arm) if arm in ROWS else len(ROWS):02d} {arm}"


def family(model: str, arm: str, options: dict) -> str:
    """Whose idea an arm is.

    Arguments
    ---------
    model, arm : str
    options : dict
        The trial's overrides.

    Returns
    -------
    str
        "lightweight", "original", "paper", "control" for what has no wider
        layers, or "ours" for what the paper's tables and figures do not have.

    Example
    -------
    >>> family("conformer", "FFN2", {}), family("conformer", "FRONT", {})
    ('paper', 'ours')
    >>> family("conformer", "FFN2", {"hrf_ratio": 16})
    'ours'
    >>> family("conformer", "FFN2", {"hrf_inner_norm": True})
    'ours'
    >>> family("conformer", "Lightweight, 240 epochs", {"hrf_modules": []})
    'control'
    """
    if arm in (LIGHTWEIGHT, ORIGINAL):
        return arm.lower()
    if options.get("hrf_modules") == [] or options.get("hrf_layers") == 0:
        return "control"
    # A model that the paper has not may have all of its rows.
    name = MODELS.get(model, "Conformer")
    published = (name, arm) in PRINTED.index.droplevel("dataset")
    ours = any(options.get(key, x[0]) not in x for key, x in VALUES.items())
    return "paper" if published and not ours else "ours"


def metrics_of(dataset: str) -> tuple[str, ...]:
    """The scores that a table of this corpus shows.

    Arguments
    ---------
    dataset : str

    Returns
    -------
    tuple of str

    Example
    -------
    >>> metrics_of("M3ED"), metrics_of("RAVDESS")
    (('WF1',), ('WA', 'UA', 'WF1'))
    """
    scores = PRINTED.query("dataset == @dataset")[list(SCORES)]
    # Of a corpus that the paper has not: what it shows of IEMOCAP.
    return tuple(scores.dropna(axis=1, how="all")) or ("WA", "UA", "WF1")
