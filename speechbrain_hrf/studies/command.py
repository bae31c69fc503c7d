"""``hrf study`` and ``hrf report``.

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from ruamel.yaml.error import YAMLError

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
        require("studies", PACKAGES, "A study")
        from speechbrain_hrf.studies.arguments import read_arguments
        from speechbrain_hrf.studies.drive import run_study
        from speechbrain_hrf.studies.screen import show_plan
        from speechbrain_hrf.studies.study import load_study

        options, overrides = read_arguments(argv)
        chosen = load_study(options.study, overrides)
        if options.dry_run:
            show_plan(chosen)
            return 0
        return run_study(chosen, options)
    except (OSError, ValueError, YAMLError, ImportError) as error:
        text = str(error)
        if "PLACEHOLDER" in text:
            text += " Give the corpus with --data_folder /path/to/corpus."
        print(text, file=sys.stderr)
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
            return 0

        for path in write_report(options.folder):
            print(path)
    except (OSError, ValueError, ImportError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0
