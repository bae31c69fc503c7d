"""From train.py's command line to options that can be used.

Authors
 * The speechbrain_hrf authors 2026
"""

import atexit
import os
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import speechbrain as sb
from speechbrain.utils.distributed import get_rank

from speechbrain_hrf.training.checkpoints import remove_unfinished
from speechbrain_hrf.training.ending import end_cleanly
from speechbrain_hrf.training.features import use_hubert, whole_frames
from speechbrain_hrf.training.last_words import say_last_words
from speechbrain_hrf.training.option_kinds import refuse_other_kinds
from speechbrain_hrf.training.option_names import (
    refuse_unknown,
    restore_equals,
)
from speechbrain_hrf.training.other_run import (
    refuse_other_options,
    refuse_other_run_options,
)
from speechbrain_hrf.training.output_folder import own_until_exit
from speechbrain_hrf.training.overrides import (
    as_overrides,
    read_overrides,
    resolved_yaml,
)
from speechbrain_hrf.training.refusals import show_refusals
from speechbrain_hrf.training.stand_in import announce_stand_in, use_stand_in


def parse_arguments(
    argv: Sequence[str],
    script: str,
    fill_in: Callable[[str, str], str] | None = None,
) -> tuple[str, dict[str, Any], str]:
    """SpeechBrain's ``parse_arguments``, and what the recipes add to it.

    The YAML may be named relative to train.py; without data the run gets a
    stand-in corpus (see ``use_stand_in``), with ``features: hubert`` HuBERT's
    features; the output folder is this run's alone until its process ends; and
    one that holds a run with other options is refused, before anything else is
    written there.

    Arguments
    ---------
    argv : sequence of str
        Command-line arguments without the program's name.
    script : str
        ``__file__`` of train.py.
    fill_in : callable, optional
        Adds the options that follow from a recipe's data: takes the YAML's
        path and overrides, and returns overrides.

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
    end_cleanly()
    show_refusals(script)
    hparams_file, run_opts, overrides = sb.parse_arguments(
        locate_hparams(argv, script)
    )
    overrides = restore_equals(argv, hparams_file, overrides)
    refuse_unknown(argv, hparams_file, overrides)
    if fill_in is not None:
        overrides = fill_in(hparams_file, overrides)
    announce_stand_in(hparams_file, overrides)
    overrides = complete_overrides(hparams_file, overrides)
    resolved = resolved_yaml(hparams_file, overrides)
    own_until_exit(resolved["output_folder"])
    if (get_rank() or 0) == 0:
        atexit.register(say_last_words, resolved["output_folder"])
        remove_unfinished(resolved["save_folder"])
        refuse_other_options(hparams_file, overrides)
        refuse_other_run_options(resolved["save_folder"], run_opts)
    return hparams_file, run_opts, overrides


def complete_overrides(hparams_file: str, overrides: str) -> str:
    """Checks a run's options and adds those that follow from them.

    Arguments
    ---------
    hparams_file : str
        The recipe's YAML.
    overrides : str
        As SpeechBrain's ``parse_arguments`` returns them.

    Returns
    -------
    str
        Overrides for ``load_hyperpyyaml``.

    Raises
    ------
    ImportError, OSError, ValueError
        For options that cannot be used.

    Example
    -------
    >>> yaml = getfixture("tmpdir").join("x.yaml")
    >>> yaml.write("data_folder: /data\\nscored_epoch: best\\nfeatures: fbank")
    >>> complete_overrides(yaml.strpath, "scored_epoch: first")
    Traceback (most recent call last):
        ...
    ValueError: scored_epoch is 'first': it must be best or last.
    """
    refuse_other_kinds(hparams_file, overrides)
    resolved = resolved_yaml(hparams_file, overrides)
    scored_epoch = resolved.get("scored_epoch", "best")
    if scored_epoch not in ("best", "last"):
        raise ValueError(
            f"scored_epoch is {scored_epoch!r}: it must be best or last."
        )
    overrides = expand_home(hparams_file, overrides)
    overrides = use_stand_in(hparams_file, overrides)
    overrides = use_hubert(hparams_file, overrides)
    return whole_frames(hparams_file, overrides)


def expand_home(hparams_file: str, overrides: str) -> str:
    """Puts the home folder in the place of a leading ``~`` in paths.

    A shell does so in ``--data_folder ~/x``, but not in ``--data_folder=~/x``,
    nor in a YAML.

    Arguments
    ---------
    hparams_file : str
        The recipe's YAML.
    overrides : str
        As SpeechBrain's ``parse_arguments`` returns them.

    Returns
    -------
    str
        Overrides for ``load_hyperpyyaml``.

    Example
    -------
    >>> yaml = getfixture("tmpdir").join("x.yaml")
    >>> yaml.write("data_folder: ~/RAVDESS")
    >>> os.path.expanduser("~") in expand_home(yaml.strpath, "")
    True
    """
    paths = {
        key: os.path.expanduser(value)
        for key, value in resolved_yaml(hparams_file, overrides).items()
        if isinstance(value, str) and value.startswith("~")
    }
    if not paths:
        return overrides
    return as_overrides({**read_overrides(overrides), **paths})


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
    known = sorted(
        path.relative_to(folder).as_posix()
        for path in folder.glob("hparams/*.yaml")
    )
    for k, argument in enumerate(argv):
        if argument.endswith((".yaml", ".yml")) and not argument.startswith(
            "-"
        ):
            if not os.path.isfile(argument):
                if not (folder / argument).is_file():
                    raise FileNotFoundError(
                        f"There is no {argument}, neither here nor in {folder}."
                        f" The recipe has {known}."
                    )
                argv[k] = str(folder / argument)
            return argv
    if not {"-h", "--help"} & {*argv}:
        raise FileNotFoundError(
            f"No YAML is named: python {script} {' or '.join(known)}."
        )
    return argv
