"""Runs a study: ``python -m speechbrain_hrf.sweep studies/table_3.yaml``.

studies/README.md says how to resume it, and how to use several machines.

Authors
 * The speechbrain_hrf authors 2026
"""

import sys

from ruamel.yaml.error import YAMLError

from speechbrain_hrf.sweep.arguments import read_arguments
from speechbrain_hrf.sweep.cluster import RayMissing
from speechbrain_hrf.sweep.driver import run_study
from speechbrain_hrf.sweep.lines import read_lines
from speechbrain_hrf.sweep.plan import anywhere, plan
from speechbrain_hrf.sweep.study import load_study


def main(argv=None):
    """The command.

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
    >>> main(["nowhere.yaml"])
    1
    """
    options, overrides = read_arguments(argv)
    try:
        study = anywhere(load_study(options.study, overrides))
        if options.dry_run:
            print(plan(study, read_lines(study.folder)))
            return 0
        return run_study(study, options)
    except (OSError, ValueError, YAMLError, RayMissing) as error:
        print(_explained(error), file=sys.stderr)
        return 1


def _explained(error):
    text = str(error)
    if "PLACEHOLDER" in text:
        text += " Give the corpus with --data_folder /path/to/corpus."
    return text


if __name__ == "__main__":
    sys.exit(main())
