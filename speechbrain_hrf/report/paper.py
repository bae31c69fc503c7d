"""The paper's printed results, and which rows, settings and rates are its own.

Source of paper.csv: Zhang, Dong, Xu, Han, Re-Parameterization of Lightweight
Transformer for On-Device Speech Emotion Recognition, IEEE IoT Journal 12(4),
2025 (arXiv 2411.09339), Tables III to V.

Authors
 * The speechbrain_hrf authors 2026
"""

import functools
import pathlib

import pandas
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

ORIGINAL, LIGHTWEIGHT = "Original", "Lightweight"
SOURCE = (
    "Zhang et al., Re-Parameterization of Lightweight Transformer for "
    "On-Device Speech Emotion Recognition, IEEE IoT Journal 12(4), 2025 "
    "(arXiv 2411.09339), Tables III to V"
)
MODELS = {
    "convtransformer": "ConvTransformer",
    "conformer": "Conformer",
    "speechformer": "SpeechFormer",
}
# Of the lightweight models, and of HRF on them.
LEARNING_RATES = {
    "convtransformer": 1e-3,
    "conformer": 1e-3,
    "speechformer": 5e-4,
}
RATIOS, LAYERS = (2, 4, 8), (1, 2, 3)
# Options of the recipes that make of a row what the paper has not; as it has it.
OURS = {
    "hrf_init": "default",
    "hrf_inner_norm": False,
    "hrf_lr_scale": 1,
    "distil_from": None,
}
# What the tables print by corpus; what we print where the paper has none.
METRICS = {
    "IEMOCAP": ("WA", "UA", "WF1"),
    "M3ED": ("WF1",),
    "DAIC-WOZ": ("MF1",),
}
OTHER_METRICS = ("WA", "UA", "WF1")


@functools.cache
def printed():
    """All printed results.

    Returns
    -------
    pandas.DataFrame
        By (model, row, dataset): WA, UA, WF1, MF1, params, flops.

    Example
    -------
    >>> float(printed().loc[("Conformer", "FFN_M1", "IEMOCAP"), "WA"])
    0.554
    """
    path = pathlib.Path(__file__).with_name("paper.csv")
    table = pandas.read_csv(path, comment="#")
    return table.set_index(["model", "row", "dataset"])


def model_name(model):
    """A model's name as the paper spells it.

    Arguments
    ---------
    model : str
        Of the recipe's YAML.

    Returns
    -------
    str

    Example
    -------
    >>> model_name("convtransformer"), model_name("mine")
    ('ConvTransformer', 'mine')
    """
    return MODELS.get(model, model)


@functools.cache
def rows():
    """The rows of the three tables, in their order.

    Returns
    -------
    list of str

    Example
    -------
    >>> rows()[:4], rows()[-1]
    (['Original', 'Lightweight', 'FFN1', 'FFN2'], 'ALL')
    """
    conformer = printed().xs("Conformer", level="model")
    return list(dict.fromkeys(conformer.index.get_level_values("row")))


def family(model, arm, ratio, layers, overrides):
    """Whose idea an arm is.

    Arguments
    ---------
    model, arm : str
    ratio, layers : number or None
    overrides : dict
        The trial's options, among them some that the paper has not.

    Returns
    -------
    str
        "lightweight", "original", "paper", or "extension" for what the
        paper's tables and figures do not have.

    Example
    -------
    >>> family("conformer", "FFN2", 8, 1, {})
    'paper'
    >>> family("conformer", "FRONT", 8, 1, {})
    'extension'
    >>> family("conformer", "FFN2", 8, 1, {"hrf_inner_norm": True})
    'extension'
    >>> family("conformer", "FFN2", 16, 1, {})
    'extension'
    """
    if arm in (LIGHTWEIGHT, ORIGINAL):
        return arm.lower()
    name = model_name(model)
    has_row = name not in MODELS.values() or (
        (name, arm) in printed().index.droplevel("dataset")
    )
    published = has_row and arm in rows()
    published = published and ratio in RATIOS and layers in LAYERS
    published = published and all(
        overrides.get(key, value) == value for key, value in OURS.items()
    )
    return "paper" if published else "extension"


def metrics_of(dataset):
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
    return METRICS.get(dataset, OTHER_METRICS)


def counterpart(folder):
    """Which table or figures of the paper a study is to be laid beside.

    Arguments
    ---------
    folder : str or os.PathLike
        Of a study.

    Returns
    -------
    str or None
        ``paper`` of its study.yaml: "Table III", say.

    Example
    -------
    >>> folder = getfixture("tmpdir")
    >>> folder.join("study.yaml").write("paper: Table III")
    >>> counterpart(folder.strpath)
    'Table III'
    """
    try:
        text = pathlib.Path(folder, "study.yaml").read_text(encoding="utf-8")
        return YAML(typ="safe").load(text)["paper"]
    except (OSError, KeyError, TypeError, YAMLError):
        return None  # lines may be reported on without their study
