"""What stands in the report, from the answer down to every cell.

Authors
 * The speechbrain_hrf authors 2026
"""

import dataclasses

from speechbrain_hrf.report import paper
from speechbrain_hrf.report.answer import answer
from speechbrain_hrf.report.cells import summarize
from speechbrain_hrf.report.comparisons import MATCHED, SAME, compare
from speechbrain_hrf.report.effective_steps import step_ratios
from speechbrain_hrf.report.figure_confusion import (
    draw_confusion,
    sum_confusion,
)
from speechbrain_hrf.report.figure_settings import SETTINGS, draw_settings
from speechbrain_hrf.report.method_text import METHOD
from speechbrain_hrf.report.missing import missing_trials
from speechbrain_hrf.report.sections import (
    Section,
    comparison_section,
    diagnostic_sections,
    missing_section,
    results_section,
)
from speechbrain_hrf.report.spectra import effective_ranks
from speechbrain_hrf.report.tables import cells_table
from speechbrain_hrf.report.wording import counted


@dataclasses.dataclass
class Content:
    """The whole report.

    Arguments
    ---------
    title, about : str
    synthetic : bool
    warnings : list of str
    answer : list of (str, list of str)
    sections : list of Section
    data : dict of str: pandas.DataFrame
        By the name of their CSV file.

    Example
    -------
    >>> Content("Study", "", False, [], [], [], {}).title
    'Study'
    """

    title: str
    about: str
    synthetic: bool
    warnings: list
    answer: list
    sections: list
    data: dict


def build(trials, folder):
    """Computes the report and draws its figures.

    Arguments
    ---------
    trials : Trials
    folder : pathlib.Path
        Where the PNG files go.

    Returns
    -------
    Content

    Example
    -------
    >>> import pandas
    >>> from pathlib import Path
    >>> from speechbrain_hrf.report.load import Trials
    >>> line = {"study": "demo", "dataset": "RAVDESS", "synthetic": False,
    ...     "protocol": "paper", "metric": "UA", "labels": ["a", "b"],
    ...     "test": {"confusion": [[1, 1], [0, 2]]}, "curves": {},
    ...     "spectra": {}, "effective_steps": None, "commit": None,
    ...     "versions": {}}
    >>> table = pandas.DataFrame([{"line": 0, "model": "conformer",
    ...     "row": "FFN2", "arm": "FFN2", "family": "paper", "ratio": 8,
    ...     "layers": 1, "activation": "Swish", "lr": 0.001, "fold": "1",
    ...     "seed": 1, "reference": None, "valid": 0.5, "trained": 9,
    ...     "shipped": 6, **dict.fromkeys(["WA", "UA", "WF1", "MF1"], 0.5)}])
    >>> folder = Path(getfixture("tmpdir"))
    >>> content = build(Trials(folder, [line], table, [], []), folder)
    >>> content.answer[1]
    ('Conformer', ['No Lightweight trial of this model has finished: ...'])
    """
    cells = summarize(trials)
    comparisons = compare(trials)
    rates = comparisons.rates
    missing, expected = missing_trials(trials)
    confusion = sum_confusion(trials, rates)
    ranks, steps = effective_ranks(trials, rates), step_ratios(trials, rates)
    curves = draw_settings(trials, rates, folder)
    sections = [
        results_section(trials, cells, rates),
        comparison_section(trials, comparisons, SAME, folder),
        comparison_section(trials, comparisons, MATCHED, folder),
        *(
            Section(f"Curves: {SETTINGS[key][0]}", pictures=pictures)
            for key, pictures in curves.items()
            if pictures
        ),
        Section(
            "Confusion matrices",
            pictures=draw_confusion(trials, confusion, folder),
        ),
        *diagnostic_sections(trials, rates, ranks, steps, folder),
        missing_section(trials, missing, expected),
        Section("Every cell", tables=[cells_table(cells, _metrics(trials))]),
        Section("How this was computed", list(METHOD)),
    ]
    return Content(
        _title(trials),
        _about(trials),
        trials.synthetic,
        trials.warnings,
        answer(trials, comparisons),
        sections,
        {
            "report_trials.csv": trials.table.drop(columns="line"),
            "report_cells.csv": cells,
            "report_comparisons.csv": comparisons.table,
            "report_chosen_lr.csv": comparisons.chosen,
            "report_missing.csv": missing,
            "report_confusion.csv": confusion,
            "report_effective_rank.csv": ranks,
            "report_effective_step.csv": steps,
        },
    )


def _metrics(trials):
    return list(
        dict.fromkeys([*paper.metrics_of(trials.dataset), trials.metric])
    )


def _title(trials):
    study = trials.lines[0]["study"]
    printed = paper.counterpart(trials.folder)
    like = f" (the paper's {printed})" if printed else ""
    return f"Study {study}{like}: does HRF help on {trials.dataset}?"


def _about(trials):
    line = trials.lines[0]
    table = trials.table
    folds, seeds = table["fold"].nunique(), table["seed"].nunique()
    versions = ", ".join(f"{k} {v}" for k, v in line["versions"].items())
    protocols = " and ".join(
        dict.fromkeys(str(line["protocol"]) for line in trials.lines)
    )
    commits = ", ".join(
        dict.fromkeys(str(line["commit"])[:10] for line in trials.lines)
    )
    last = max(
        (line.get("finished") or "" for line in trials.lines), default=""
    )
    return (
        f"{len(table)} trials, models: "
        f"{', '.join(map(paper.model_name, trials.models))}; "
        f"{counted(folds, 'fold')}, {counted(seeds, 'seed')}; protocol {protocols}; score {trials.metric}. "
        f"{versions}; commit {commits}; last trial {last or 'unknown'}."
    )
