"""The stand-in corpus of a run that was given no data.

Authors
 * The speechbrain_hrf authors 2026
"""

from speechbrain.utils.logger import get_logger

from speechbrain_hrf.dataio.synthetic import is_synthetic, make_corpus
from speechbrain_hrf.training.overrides import (
    as_overrides,
    read_overrides,
    resolved_yaml,
)

logger = get_logger(__name__)

# The value of data_folder that asks for the stand-in corpus.
STAND_IN = "synthetic"
SUFFIX = "-synthetic"
# The recipes' epochs would teach nothing more about a corpus of that size.
STAND_IN_EPOCHS = 40


def use_stand_in(hparams_file: str, overrides: str) -> str:
    """Points a recipe without data at the corpus that it will generate.

    Where ``data_folder`` is "synthetic", ``corpus`` gets a name that says so
    (and with it the output folder), the corpus and its features will be put
    into the output folder, and 40 epochs have to do, unless
    ``feature_folder`` and ``number_of_epochs`` are overridden.

    Arguments
    ---------
    hparams_file : str
        The recipe's YAML, with ``data_folder``, ``corpus``, ``output_folder``.
    overrides : str
        As SpeechBrain's ``parse_arguments`` returns them.

    Returns
    -------
    str
        Overrides for ``load_hyperpyyaml``.

    Example
    -------
    >>> yaml = getfixture("tmpdir").join("x.yaml")
    >>> yaml.write('''data_folder: synthetic
    ... corpus: IEMOCAP
    ... output_folder: !ref results/<corpus>''')
    >>> print(use_stand_in(yaml.strpath, "seed: 1"))
    seed: 1
    corpus: IEMOCAP-synthetic
    data_folder: results/IEMOCAP-synthetic/corpus
    number_of_epochs: 40
    """
    resolved = resolved_yaml(hparams_file, overrides)
    if resolved["data_folder"] != STAND_IN:
        return overrides
    changed = read_overrides(overrides)
    changed["corpus"] = f"{resolved['corpus']}{SUFFIX}"
    output_folder = resolved_yaml(hparams_file, as_overrides(changed))[
        "output_folder"
    ]
    changed["data_folder"] = f"{output_folder}/corpus"
    if "feature_folder" in resolved:
        # No other run uses this corpus.
        changed.setdefault("feature_folder", f"{output_folder}/features")
    changed.setdefault("number_of_epochs", STAND_IN_EPOCHS)
    return as_overrides(changed)


def announce_stand_in(hparams_file: str, overrides: str) -> bool:
    """Says that a run has no data, before it says anything else.

    Arguments
    ---------
    hparams_file : str
        The recipe's YAML.
    overrides : str
        What ``use_stand_in`` is given.

    Returns
    -------
    bool
        Whether it has none.

    Example
    -------
    >>> yaml = getfixture("tmpdir").join("x.yaml")
    >>> yaml.write("data_folder: /data/IEMOCAP")
    >>> announce_stand_in(yaml.strpath, "")
    False
    """
    resolved = resolved_yaml(hparams_file, overrides)
    if resolved["data_folder"] != STAND_IN:
        return False
    logger.warning(
        "SYNTHETIC DATA: no corpus is given, so this run generates signals in "
        "the place of %s, and its figures mean nothing",
        resolved["corpus"],
    )
    return True


def make_stand_in(corpus: str, data_folder: str) -> str:
    """Generates the stand-in corpus of a run that was given no data.

    A banner says so wherever a corpus is one. To be called on the main process
    alone.

    Arguments
    ---------
    corpus : str
        The recipe's ``corpus``: "IEMOCAP-synthetic" after ``use_stand_in``.
    data_folder : str
        Where the corpus goes, or is; may be a real one.

    Returns
    -------
    str
        ``data_folder``, which now holds the corpus.

    Example
    -------
    >>> make_stand_in("RAVDESS", "/data/RAVDESS")
    '/data/RAVDESS'
    """
    if corpus.endswith(SUFFIX):
        make_corpus(corpus.removesuffix(SUFFIX), data_folder)
    warn_if_synthetic(data_folder)
    return data_folder


def warn_if_synthetic(data_folder: str) -> bool:
    """Shows a banner if a corpus is the stand-in one.

    Arguments
    ---------
    data_folder : str

    Returns
    -------
    bool
        Whether it is.

    Example
    -------
    >>> warn_if_synthetic(getfixture("tmpdir").strpath)
    False
    """
    synthetic = is_synthetic(data_folder)
    if synthetic:
        line = "=" * 72
        logger.warning(
            "\n%s\n  SYNTHETIC DATA: generated signals, not speech. The figures "
            "of this run\n  mean nothing. Give the real corpus with "
            "--data_folder /path/to/corpus.\n%s",
            line,
            line,
        )
    return synthetic
