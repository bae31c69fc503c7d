"""The runs of a results folder as one table: mean and spread over seeds.

As a command, it prints Markdown::

    python -m speechbrain_hrf.training.summary results/RAVDESS/fold_1_paper

Authors
 * The speechbrain_hrf authors 2026
"""

import argparse
import os
import pathlib
import statistics
import sys
from collections.abc import Sequence

from tabulate import tabulate

from speechbrain_hrf.results import METRICS_FILE, RunResults
from speechbrain_hrf.training.scores import SCORES, score_text

# What seeds of one arm have in common.
SAME = (
    *("hrf_modules", "hrf_ratio", "hrf_layers"),
    *("params_training", "params_merged"),
    *("activation", "class_weights", "features"),
)


def summary_table(folder: str | os.PathLike[str]) -> str:
    """A Markdown table with a row per arm.

    An arm is a folder whose subfolders, one per seed, hold a
    ``test_metrics.json``.

    Arguments
    ---------
    folder : str or os.PathLike
        Searched at any depth.

    Returns
    -------
    str
        Mean and standard deviation over the seeds (of a sample, n - 1).

    Raises
    ------
    FileNotFoundError
        If there is no finished run.
    ValueError
        If a folder mixes runs of several arms, or has a seed twice.

    Example
    -------
    >>> folder = getfixture("tmpdir")
    >>> for seed, score in (1, 0.5), (2, 0.7):
    ...     run = RunResults(seed=seed, **dict.fromkeys(SCORES, score),
    ...         hrf_modules=[], params_training=9, params_merged=9)
    ...     path = folder.ensure("demo_lightweight", str(seed), dir=True)
    ...     run.write(path.strpath)
    >>> print(summary_table(folder.strpath))  # doctest: +ELLIPSIS
    | run | HRF | seeds | WA | UA | WF1 | MF1 | parameters trained | shipped |
    |...|
    | demo_lightweight | - | 1, 2 | .600 ± .141 | .600 ± .141 | ... | 9 | 9 |
    """
    folder = pathlib.Path(folder)
    arms = {}
    for path in sorted(folder.rglob(METRICS_FILE)):
        run = RunResults.read(path.parent)
        arm = path.parent.parent
        name = arm.relative_to(folder) if arm.is_relative_to(folder) else arm
        arms.setdefault(name.as_posix(), {})[path.parent] = run
    if not arms:
        raise FileNotFoundError(
            f"There is no {METRICS_FILE} under {folder}: give the folder "
            "that the recipe's runs wrote, for example results/RAVDESS."
        )
    by_person = any(
        run.per_participant for runs in arms.values() for run in runs.values()
    )
    head = ["run", "HRF", "seeds", *SCORES]
    head += ["MF1 per participant"] if by_person else []
    head += ["parameters trained", "shipped"]
    rows = []
    for name, run_in in arms.items():
        runs = sorted(run_in.values(), key=lambda run: run.seed)
        differing = [
            key
            for key in SAME
            if any(getattr(run, key) != getattr(runs[0], key) for run in runs)
        ]
        if differing:
            raise ValueError(
                f"The runs in {folder / name} are not seeds of one arm: they "
                f"differ in {', '.join(differing)}."
            )
        _refuse_repeated_seeds(run_in)
        cells = [
            name,
            " & ".join(runs[0].hrf_modules) or "-",
            ", ".join(str(run.seed) for run in runs),
        ]
        for key in SCORES:
            cells.append(_mean_and_spread([getattr(run, key) for run in runs]))
        if by_person:
            cells.append(_per_participant(runs))
        cells.append(f"{runs[0].params_training:,}")
        cells.append(f"{runs[0].params_merged:,}")
        rows.append(cells)
    return tabulate(rows, head, tablefmt="github", disable_numparse=True)


def _refuse_repeated_seeds(run_in):
    """A run would count twice, or those of other options for seeds."""
    folder_of = {}
    for folder, run in run_in.items():
        other = folder_of.setdefault(run.seed, folder)
        if other != folder:
            raise ValueError(
                f"{other} and {folder} are both seed {run.seed} of one arm: "
                "move one of them away, or into another arm's folder."
            )


def _per_participant(runs):
    if not all(run.per_participant for run in runs):
        return "-"
    return _mean_and_spread([run.per_participant["MF1"] for run in runs])


def _mean_and_spread(values):
    text = score_text(statistics.mean(values))
    if len(values) > 1:
        text += f" ± {score_text(statistics.stdev(values))}"
    return text


def main(argv: Sequence[str] | None = None) -> int:
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
    >>> main([getfixture("tmpdir").strpath])
    1
    """
    parser = argparse.ArgumentParser(
        prog="python -m speechbrain_hrf.training.summary",
        description="Mean and spread over seeds of a recipe's runs.",
    )
    parser.add_argument("folder", help="for example results/RAVDESS")
    folder = parser.parse_args(argv).folder
    try:
        print(summary_table(folder))
    except (FileNotFoundError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
