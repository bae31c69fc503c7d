"""The runs of a results folder as one table: mean and spread over seeds.

As a command, it prints Markdown::

    python -m speechbrain_hrf.training.summary results/RAVDESS/fold_1_paper

Authors
 * The speechbrain_hrf authors 2026
"""

import argparse
import json
import pathlib
import statistics
import sys

from speechbrain_hrf.training.scores import SCORES

# What seeds of one arm have in common.
SAME = (
    *("hrf_modules", "hrf_ratio", "hrf_layers"),
    *("params_training", "params_merged"),
    *("activation", "class_weights", "features"),
)


def summary_table(folder):
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
        If a folder mixes runs of several arms.

    Example
    -------
    >>> folder = getfixture("tmpdir")
    >>> for seed, score in (1, 0.5), (2, 0.7):
    ...     run = {"seed": seed, **dict.fromkeys(SCORES, score),
    ...         "hrf_modules": [], "params_training": 9, "params_merged": 9}
    ...     path = folder.join("demo_lightweight", str(seed))
    ...     path.join("test_metrics.json").write(json.dumps(run), ensure=True)
    >>> print(summary_table(folder.strpath))  # doctest: +ELLIPSIS
    | run | HRF | seeds | WA | UA | WF1 | MF1 | parameters trained | shipped |
    |---|---|---|---|---|---|---|---|---|
    | demo_lightweight | - | 1, 2 | .600 ± .141 | .600 ± .141 | ... | 9 | 9 |
    """
    folder = pathlib.Path(folder)
    arms = {}
    for path in sorted(folder.rglob("test_metrics.json")):
        run = json.loads(path.read_text(encoding="utf-8"))
        arm = path.parent.parent
        name = arm.relative_to(folder) if arm.is_relative_to(folder) else arm
        arms.setdefault(name.as_posix(), []).append(run)
    if not arms:
        raise FileNotFoundError(
            f"There is no test_metrics.json under {folder}: give the folder "
            "that the recipe's runs wrote, for example results/RAVDESS."
        )
    by_person = any("per_participant" in run for run in sum(arms.values(), []))
    head = ["run", "HRF", "seeds", *SCORES]
    head += ["MF1 per participant"] if by_person else []
    head += ["parameters trained", "shipped"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for name, runs in arms.items():
        runs.sort(key=lambda run: run["seed"])
        if any(run.get(k) != runs[0].get(k) for run in runs for k in SAME):
            raise ValueError(
                f"The runs in {folder / name} are not seeds of one arm: they "
                f"differ in {' or '.join(SAME)}."
            )
        cells = [
            name,
            " & ".join(runs[0]["hrf_modules"]) or "-",
            ", ".join(str(run["seed"]) for run in runs),
            *(_mean_and_spread([run[key] for run in runs]) for key in SCORES),
            *([_per_participant(runs)] if by_person else []),
            f"{runs[0]['params_training']:,}",
            f"{runs[0]['params_merged']:,}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _per_participant(runs):
    if not all("per_participant" in run for run in runs):
        return "-"
    return _mean_and_spread([run["per_participant"]["MF1"] for run in runs])


def _mean_and_spread(values):
    text = f"{statistics.mean(values):.3f}"
    if len(values) > 1:
        text += f" ± {statistics.stdev(values):.3f}"
    return text.replace("0.", ".")


def main(argv=None):
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
