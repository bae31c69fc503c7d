"""Trains many runs of a recipe at once.

    python -m speechbrain_hrf.training.ensemble recipes/RAVDESS/train.py \
        hparams/conformer_hrf.yaml runs.json --device cuda

Authors
 * The speechbrain_hrf authors 2026
"""

import argparse
import logging
import sys

from speechbrain_hrf.strict_json import parse_json
from speechbrain_hrf.training.allocator import keep_freed_memory
from speechbrain_hrf.training.ensemble import train_ensemble


def main(argv: list[str] | None = None) -> int:
    """The command.

    Arguments
    ---------
    argv : list of str, optional
        Default: the process's.

    Returns
    -------
    int
        Exit status.

    Example
    -------
    >>> runs = getfixture("tmpdir").join("runs.json")
    >>> runs.write("[]")
    >>> main(["recipes/RAVDESS/train.py", "x.yaml", runs.strpath])
    1
    """
    parser = argparse.ArgumentParser(
        prog="python -m speechbrain_hrf.training.ensemble",
        description="Trains many runs of a recipe at once.",
    )
    parser.add_argument("train_script", help="recipes/RAVDESS/train.py")
    parser.add_argument("hparams_file", help="hparams/conformer_hrf.yaml")
    parser.add_argument("runs", help="JSON: a list of overrides, one per run")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1")
    parser.add_argument(
        "--at_once", type=int, help="models at most; default: what fits"
    )
    options = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    keep_freed_memory()
    try:
        with open(options.runs, "rb") as stream:
            runs = parse_json(stream.read(), options.runs, "Correct it.")
        for path in train_ensemble(
            options.train_script,
            options.hparams_file,
            runs,
            options.device,
            options.at_once,
        ):
            print(path)
    except (KeyError, OSError, RuntimeError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
