"""Which trials a study lacks: named, never dropped in silence.

Authors
 * The speechbrain_hrf authors 2026
"""

import pandas
from ruamel.yaml.error import YAMLError

from speechbrain_hrf.report.load import NO_FOLD
from speechbrain_hrf.sweep.study import load_study

# Options of a trial that name its row where a plan has several of them.
SETTINGS = {
    "hrf_ratio": "ratio {}",
    "hrf_layers": "{} extra",
    "activation": "{}",
}
COLUMNS = ["model", "row", "lr", "finished", "expected", "missing"]


def missing_trials(trials):
    """Cells that have not all of their trials.

    What is expected stands in the folder's study.yaml. Without it, the pairs
    of fold and seed that any row of the model has at that learning rate.

    Arguments
    ---------
    trials : Trials

    Returns
    -------
    table : pandas.DataFrame
        model, row, lr, finished, expected, missing ("fold 1: seeds 2, 3").
    source : str
        A sentence that says what was expected, and why.

    Example
    -------
    >>> import pathlib
    >>> from speechbrain_hrf.report.load import Trials
    >>> table = pandas.DataFrame({"model": "conformer", "lr": 0.001,
    ...     "row": ["Lightweight", "Lightweight", "FFN2"], "fold": "1",
    ...     "seed": [1, 2, 1]})
    >>> trials = Trials(pathlib.Path("none"), [], table, [], [])
    >>> missing_trials(trials)[0][["row", "missing"]].values.tolist()
    [['FFN2', 'fold 1: seed 2']]
    """
    path = trials.folder / "study.yaml"
    if path.is_file():
        try:
            study = load_study(path)
        except (OSError, ValueError, YAMLError) as error:
            reason = f"study.yaml cannot be read ({error})"
        else:
            return _planned(trials, study), "By the plan in study.yaml."
    else:
        reason = "there is no study.yaml"
    return _uneven(trials), (
        f"Expected is what any row of the model has, since {reason}."
    )


def _planned(trials, study):
    """Planned trials by cell; names as the plan gives them."""
    done = {line["id"] for line in trials.lines}
    expanded = [trial for trial in study.trials if trial.modules]
    varied = [
        (key, form)
        for key, form in SETTINGS.items()
        if len({str(trial.options.get(key)) for trial in expanded}) > 1
    ]
    cells = {}
    for trial in study.trials:
        row = trial.arm
        for key, form in varied:
            value = trial.options.get(key)
            if value is not None and (trial.modules or key == "activation"):
                # An activation stands there as !name:torch.nn.GELU.
                row += ", " + form.format(str(value).rpartition(".")[2])
        cells.setdefault((trial.model, row, trial.lr), []).append(trial)
    lines = []
    for (model, row, lr), planned in cells.items():
        lacking = [
            (NO_FOLD if trial.fold is None else str(trial.fold), trial.seed)
            for trial in planned
            if trial.id not in done
        ]
        if lacking:
            finished = len(planned) - len(lacking)
            where = [model, row, lr, finished, len(planned)]
            lines.append([*where, _places(lacking)])
    return pandas.DataFrame(lines, columns=COLUMNS)


def _uneven(trials):
    lines = []
    for (model, lr), group in trials.table.groupby(["model", "lr"], sort=False):
        expected = sorted(set(zip(group["fold"], group["seed"], strict=True)))
        for row, cell in group.groupby("row", sort=False):
            there = set(zip(cell["fold"], cell["seed"], strict=True))
            lacking = [pair for pair in expected if pair not in there]
            if lacking:
                where = [model, row, lr, len(there), len(expected)]
                lines.append([*where, _places(lacking)])
    return pandas.DataFrame(lines, columns=COLUMNS)


def _places(pairs):
    """``fold 1: seeds 2, 3; fold 2: seed 1``."""
    folds = {}
    for fold, seed in pairs:
        folds.setdefault(fold, []).append(str(seed))
    parts = []
    for fold, seeds in folds.items():
        text = f"{'seed' if len(seeds) == 1 else 'seeds'} {', '.join(seeds)}"
        parts.append(text if fold == NO_FOLD else f"fold {fold}: {text}")
    return "; ".join(parts)
