"""``hrf study`` and ``hrf report``.

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import argparse
import difflib
import math
import os
import pathlib
import sys
from collections.abc import Sequence

from ruamel.yaml.error import YAMLError

from speechbrain_hrf.extras import require

# Ray is asked for when trials are to run.
PACKAGES = ("pydantic", "rich", "pandas", "scipy", "seaborn", "jinja2")
LEAST = {"cores": 1, "trials": 1, "max_minutes": 0, "retries": 0}
DESCRIPTION = """\
Runs the trials of a study on Ray: on this machine, or on the cluster at
--address. Where a GPU is, an arm's trials train together on it. Any key of the
study's YAML can be overridden: --seeds "[1, 2]", --data_folder /path/to/corpus,
--overrides "{number_of_epochs: 30}".
"""


def study(argv: Sequence[str] | None = None) -> int:
    """Runs a study: ``hrf study studies/ravdess.yaml --data_folder ...``

    Arguments
    ---------
    argv : list of str, optional
        Default: the process's.

    Returns
    -------
    int
        Exit status: 0, 1 after an error or failed trials, 130 if interrupted.

    Example
    -------
    >>> study(["nowhere.yaml"])
    1
    """
    # First, so that --help and a wrong name need not wait for the packages.
    options, overrides = read_arguments(argv)
    try:
        _find_study(options.study)
        require("studies", PACKAGES, "A study")
        from speechbrain_hrf.studies.drive import run_study
        from speechbrain_hrf.studies.screen import show_plan
        from speechbrain_hrf.studies.study import load_study

        chosen = load_study(options.study, overrides)
        if options.dry_run:
            show_plan(chosen)
            return 0
        return run_study(chosen, options)
    except (OSError, ValueError, YAMLError, ImportError) as error:
        print(error, file=sys.stderr)
        return 1


def _find_study(path):
    if os.path.exists(path):
        return
    folder = pathlib.Path(path).parent
    known = sorted(str(found) for found in folder.glob("*.yaml"))
    near = difflib.get_close_matches(path, known, 3) or known
    raise FileNotFoundError(
        f"There is no study {path}: give the path of its YAML, such as "
        f"{' or '.join(near[:3]) or 'studies/ravdess.yaml of the repository'}."
    )


def report(argv: Sequence[str] | None = None) -> int:
    """Writes what a study's trials say: ``hrf report results/ravdess``

    Arguments
    ---------
    argv : list of str, optional
        Default: the process's.

    Returns
    -------
    int
        Exit status: 0, or 1 after an error.

    Example
    -------
    >>> report(["nowhere"])
    1
    """
    parser = argparse.ArgumentParser(
        prog="hrf report", description="Writes report.md and report.html."
    )
    parser.add_argument("folder", help="of a study, such as results/ravdess")
    parser.add_argument(
        "--readme",
        action="store_true",
        help="print one sentence and one table instead, for a README",
    )
    options = parser.parse_args(argv)
    try:
        require("studies", PACKAGES, "The report")
        from speechbrain_hrf.studies.report import readme_text, write_report

        if options.readme:
            print(readme_text(options.folder))
        else:
            print(*write_report(options.folder), sep="\n")
    except (OSError, ValueError, ImportError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def read_arguments(
    argv: Sequence[str] | None = None,
) -> tuple[argparse.Namespace, str]:
    """Options of ``hrf study``, and overrides of the study.

    Arguments
    ---------
    argv : list of str, optional
        Default: the process's.

    Returns
    -------
    argparse.Namespace
        ``study``, the YAML's path, and the options.
    str
        Overrides for ``load_study``: what are no options of the command.

    Example
    -------
    >>> options, overrides = read_arguments(
    ...     ["a.yaml", "--seeds", "[1, 2]", "--resume", "--data_folder=/data"])
    >>> options.study, options.resume
    ('a.yaml', True)
    >>> print(overrides)
    seeds: [1, 2]
    data_folder: /data
    """
    # A shortened option could be meant for a key of the study.
    parser = argparse.ArgumentParser(
        prog="hrf study", description=DESCRIPTION, allow_abbrev=False
    )
    parser.add_argument("study", help="for example studies/ravdess.yaml")
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on with a study: run what is missing in its folder",
    )
    parser.add_argument(
        "--dry_run",
        action="store_true",
        help="list the trials, run nothing, write nothing",
    )
    machines = parser.add_mutually_exclusive_group()
    machines.add_argument(
        "--address",
        help="of a Ray cluster: auto or host:6379; default: a cluster of "
        "this machine's cores, for this study only",
    )
    machines.add_argument(
        "--cores",
        type=int,
        help="how many cores of this machine to use; default: all",
    )
    parser.add_argument(
        "--engine",
        choices=["auto", "processes", "ensemble"],
        default="auto",
        help="processes: each trial by itself, on CPUs; ensemble: an arm's "
        "trials together, on a GPU; default: ensemble where there is a GPU",
    )
    parser.add_argument(
        "--trials",
        type=int,
        help="start no more than so many trials",
    )
    parser.add_argument(
        "--max_minutes",
        type=float,
        default=math.inf,
        help="start no trial after so many minutes; those that run go on",
    )
    parser.add_argument(
        "--retries",
        type=int,
        default=2,
        help="how often a failed trial is tried again; default: 2",
    )
    known = {"--help", *(f"--{key}" for key in vars(parser.parse_args(["x"])))}
    overrides, kept = [], []
    words = iter(sys.argv[1:] if argv is None else argv)
    for word in words:
        option, is_there, value = word.partition("=")
        if not option.startswith("--") or option in known:
            kept.append(word)
            continue
        if not is_there:
            value = next(words, "--")
            if value.startswith("--"):
                near = difflib.get_close_matches(option, known, 1)
                meant = f"; or did you mean {near[0]}?" if near else ""
                parser.error(f"{option} needs a value: {option} value{meant}")
        overrides.append(f"{option[2:]}: {value}")
    options = parser.parse_args(kept)
    for key, least in LEAST.items():
        value = getattr(options, key)
        if value is not None and not value >= least:
            parser.error(f"--{key} is {value}, but must be {least} or more")
    return options, "\n".join(overrides)
