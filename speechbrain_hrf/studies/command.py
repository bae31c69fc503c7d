"""``hrf study`` and ``hrf report``.

Authors
 * The speechbrain_hrf authors 2026
"""

import argparse
import sys
from collections.abc import Sequence

from speechbrain_hrf.extras import require

# Ray is asked for when trials are to run.
PACKAGES = ("pydantic", "rich", "pandas", "scipy", "seaborn", "jinja2")


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
    try:
        # First, so that --help need not wait for the rest.
        options, overrides = read_arguments(argv)
        require("studies", PACKAGES, "A study")
        from speechbrain_hrf.studies.drive import run_study
        from speechbrain_hrf.studies.screen import show_plan
        from speechbrain_hrf.studies.study import load_study

        chosen = load_study(options.study, overrides)
        if options.dry_run:
            show_plan(chosen)
            return 0
        return run_study(chosen, options)
    except (OSError, ValueError, ImportError) as error:
        print(error, file=sys.stderr)
        return 1


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
        "--readme", action="store_true", help="print what fits a README instead"
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
        Overrides for ``load_study``: what is given of the study's keys.

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
    require("studies", ["pydantic"], "A study")
    from speechbrain_hrf.studies.keys import StudyFile

    # A shortened option could be meant for a key of the study.
    parser = argparse.ArgumentParser(
        prog="hrf study",
        description="Runs the trials of a study, by Ray.",
        allow_abbrev=False,
    )
    parser.add_argument("study", help="for example studies/ravdess.yaml")
    parser.add_argument(
        "--resume", action="store_true", help="run what a study's folder lacks"
    )
    parser.add_argument(
        "--dry_run", action="store_true", help="list the trials, run nothing"
    )
    machines = parser.add_mutually_exclusive_group()
    machines.add_argument(
        "--address", help="of a cluster of Ray's, such as auto or host:6379"
    )
    machines.add_argument(
        "--cores", type=int, help="of this machine to use; default: all"
    )
    parser.add_argument(
        "--engine",
        choices=["auto", "processes", "ensemble"],
        default="auto",
        help="processes: alone, on CPUs; ensemble: an arm's together, on a GPU",
    )
    keys = parser.add_argument_group('keys of the YAML, as --seeds "[1, 2]"')
    for key in StudyFile.model_fields:
        # One that is given twice is then found to be, as in any YAML.
        keys.add_argument(f"--{key}", action="append", default=[])
    options = parser.parse_args(argv)
    return options, "\n".join(
        f"{key}: {value}"
        for key in StudyFile.model_fields
        for value in getattr(options, key)
    )
