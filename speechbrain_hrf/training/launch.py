"""What comes before training: options, stand-in corpus, output folder.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import pathlib
from collections.abc import Sequence
from typing import Any

import speechbrain as sb
from ruamel.yaml import YAML
from ruamel.yaml.comments import TaggedScalar
from speechbrain.utils.logger import get_logger

from speechbrain_hrf.dataio.synthetic import is_synthetic, make_corpus
from speechbrain_hrf.training.features import use_hubert
from speechbrain_hrf.training.overrides import (
    as_overrides,
    read_overrides,
    resolved_yaml,
)

logger = get_logger(__name__)

# The value of data_folder that asks for the stand-in corpus.
STAND_IN = "synthetic"
SUFFIX = "-synthetic"
# What may be another in a run that goes on: it trains longer, elsewhere, or
# computes the same in another way.
MAY_CHANGE = {
    "number_of_epochs",
    "epoch_counter",
    "checkpointer",  # holds epoch_counter; its other parts stand by themselves
    "data_folder",
    "audio_folder",
    "max_unusable",  # other manifests are refused by refuse_other_data
    "licence",
    "cache_features",
    "feature_folder",
    "export_folder",
    "record_steps",
    "hrf_chained",
    "cuda_graphs",
    "apply_hrf",  # holds hrf_chained; its other options stand by themselves
    # The options of these stand by themselves.
    "distillation",
    "hrf_optimizer",
    "run_notes",
    "segment_features",
    "training_class_weights",
    # How data are read, not what
    "skip_prep",
    "num_workers",
}
# The recipes' epochs would teach nothing more about a corpus of that size.
STAND_IN_EPOCHS = 40


def parse_arguments(
    argv: Sequence[str], script: str
) -> tuple[str, dict[str, Any], str]:
    """SpeechBrain's ``parse_arguments``, and what the recipes add to it.

    The YAML may be named relative to train.py; without data the run gets a
    stand-in corpus (see ``use_stand_in``), with ``features: hubert`` HuBERT's
    features; and an output folder that holds a run with other options is
    refused, before anything is written.

    Arguments
    ---------
    argv : sequence of str
        Command-line arguments without the program's name.
    script : str
        ``__file__`` of train.py.

    Returns
    -------
    hparams_file : str
    run_opts : dict
        For ``Brain``.
    overrides : str
        For ``load_hyperpyyaml``.

    Raises
    ------
    FileNotFoundError, ImportError, OSError, ValueError
        For a YAML, options or an output folder that cannot be used.

    Example
    -------
    >>> parse_arguments(["hparams/none.yaml"], "train.py")
    Traceback (most recent call last):
        ...
    FileNotFoundError: There is no hparams/none.yaml, neither here nor in ...
    """
    hparams_file, run_opts, overrides = sb.parse_arguments(
        locate_hparams(argv, script)
    )
    overrides = use_stand_in(hparams_file, overrides)
    overrides = use_hubert(hparams_file, overrides)
    resolved = resolved_yaml(hparams_file, overrides)
    scored_epoch = resolved.get("scored_epoch", "best")
    if scored_epoch not in ("best", "last"):
        raise ValueError(
            f"scored_epoch is {scored_epoch!r}: it must be best or last."
        )
    refuse_other_options(hparams_file, overrides)
    return hparams_file, run_opts, overrides


def locate_hparams(argv: Sequence[str], script: str) -> list[str]:
    """Lets the YAML be named relative to train.py's folder.

    Arguments
    ---------
    argv : list of str
        Command-line arguments without the program's name.
    script : str
        ``__file__`` of train.py.

    Returns
    -------
    list of str
        ``argv`` with the path of a YAML that exists.

    Raises
    ------
    FileNotFoundError
        Naming the YAMLs that there are.

    Example
    -------
    >>> folder = getfixture("tmpdir").mkdir("hparams")
    >>> folder.join("model.yaml").write("seed: 1")
    >>> script = folder.join("..", "train.py").strpath
    >>> argv = locate_hparams(["hparams/model.yaml", "--seed", "2"], script)
    >>> os.path.exists(argv[0]), argv[1:]
    (True, ['--seed', '2'])
    """
    argv = list(argv)
    folder = pathlib.Path(script).resolve().parent
    for k, argument in enumerate(argv):
        if argument.endswith((".yaml", ".yml")) and not argument.startswith(
            "-"
        ):
            if not os.path.isfile(argument):
                if not (folder / argument).is_file():
                    known = sorted(
                        path.relative_to(folder).as_posix()
                        for path in folder.glob("hparams/*.yaml")
                    )
                    raise FileNotFoundError(
                        f"There is no {argument}, neither here nor in {folder}."
                        f" The recipe has {known}."
                    )
                argv[k] = str(folder / argument)
            break
    return argv


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


def refuse_other_options(hparams_file: str, overrides: str) -> None:
    """Raises if the output folder holds a run with other options.

    SpeechBrain would take up its checkpoints all the same: score the old model
    on the new split, say, which it may have been trained on. To be called
    before anything is written into the folder.

    Arguments
    ---------
    hparams_file : str
        The recipe's YAML, with ``output_folder`` and ``save_folder``.
    overrides : str
        For ``load_hyperpyyaml``.

    Raises
    ------
    ValueError
        Naming the folder, the options that differ, and the fix.

    Example
    -------
    >>> folder = getfixture("tmpdir")
    >>> yaml = folder.join("x.yaml")
    >>> yaml.write(f'''lr: 0.001
    ... output_folder: {folder}
    ... save_folder: {folder}/save''')
    >>> refuse_other_options(yaml.strpath, "")
    >>> folder.join("save", "CKPT+1", "CKPT.yaml").write("", ensure=True)
    >>> folder.join("hyperparams.yaml").write(yaml.read())
    >>> refuse_other_options(yaml.strpath, "lr: 0.5")
    Traceback (most recent call last):
        ...
    ValueError: /... holds a run with other options: lr is 0.5, was 0.001. ...
    """
    new = resolved_yaml(hparams_file, overrides)
    folder = pathlib.Path(new["output_folder"])
    earlier = folder / "hyperparams.yaml"
    if not any(pathlib.Path(new["save_folder"]).glob("CKPT*")):
        return
    if not earlier.is_file():
        return
    old = YAML().load(earlier.read_text(encoding="utf-8"))
    differing = [
        key
        for key in dict.fromkeys([*new, *old])
        if key not in MAY_CHANGE
        and _plain(new.get(key)) != _plain(old.get(key))
    ]
    if differing:
        shown = ", ".join(
            f"{key} is {_plain(new.get(key))}, was {_plain(old.get(key))}"
            for key in differing[:3]
        )
        raise ValueError(
            f"{folder} holds a run with other options: {shown}"
            + (f" and {len(differing) - 3} more" if differing[3:] else "")
            + ". Give this run its own --output_folder (or --arm), or remove "
            "that folder."
        )


def _plain(node):
    """A node of a YAML tree as values that compare by content."""
    tag = getattr(getattr(node, "tag", None), "value", None)
    if isinstance(node, dict):
        content = {
            key: _plain(value)
            for key, value in node.items()
            if key not in MAY_CHANGE
        }
    elif isinstance(node, list):
        content = [_plain(value) for value in node]
    elif isinstance(node, TaggedScalar):
        content = node.value
    else:
        return node
    return (tag, content) if tag else content
