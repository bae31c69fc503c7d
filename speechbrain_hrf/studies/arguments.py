"""The command line of ``hrf study``.

Authors
 * The speechbrain_hrf authors 2026
"""

import argparse
import sys

DESCRIPTION = """\
Runs the trials of a study on Ray: on this machine, or on the cluster at --address.
Where a GPU is, an arm's trials train together on it. Any key of the study's YAML can be overridden: --seeds "[1, 2]",
--data_folder /path/to/corpus, --overrides "{number_of_epochs: 30}".
"""
OWN = {
    *("--help", "--resume", "--dry_run", "--address", "--cores", "--engine"),
    *("--trials", "--max_minutes", "--retries"),
}


def read_arguments(argv=None):
    """Options of the command, and overrides of the study.

    Arguments
    ---------
    argv : list of str, optional
        Default: the process's.

    Returns
    -------
    argparse.Namespace
        ``study``, the YAML's path, and the options.
    str
        Overrides for ``load_study``.

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
        prog="hrf study",
        description=DESCRIPTION,
        allow_abbrev=False,
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
    parser.add_argument(
        "--address",
        help="of a Ray cluster: auto or host:6379; default: a cluster of this "
        "machine's cores, for this study only",
    )
    parser.add_argument(
        "--cores",
        type=_positive_int,
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
        type=_positive_int,
        help="start no more than so many trials",
    )
    parser.add_argument(
        "--max_minutes",
        type=_positive,
        help="start no trial after so many minutes; those that run go on",
    )
    parser.add_argument(
        "--retries",
        type=_count,
        default=2,
        help="how often a failed trial is tried again; default: 2",
    )
    argv = sys.argv[1:] if argv is None else argv
    others, own = _split(argv, parser)
    options = parser.parse_args(own)
    if options.address and options.cores:
        parser.error("--cores is for this machine; a cluster has its own")
    return options, "\n".join(others)


def _split(argv, parser):
    """``--key value`` and ``--key=value`` as lines of YAML, and the others."""
    lines, own = [], []
    argv = list(argv)
    while argv:
        argument = argv.pop(0)
        key, is_there, value = argument.removeprefix("--").partition("=")
        if argument[:2] != "--" or f"--{key}" in OWN:
            own.append(argument)
            continue
        if not is_there:
            if not argv or argv[0].startswith("--"):
                parser.error(f"--{key} needs a value: --{key} value")
            value = argv.pop(0)
        lines.append(f"{key}: {value}")
    return lines, own


def _positive_int(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"is {text}, but must be 1 or more")
    return value


def _count(text):
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"is {text}, but must be 0 or more")
    return value


def _positive(text):
    value = float(text)
    if not value > 0:
        raise argparse.ArgumentTypeError(f"is {text}, but must be above 0")
    return value
