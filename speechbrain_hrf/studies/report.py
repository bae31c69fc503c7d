"""A study's report: report.md, report.html and one figure.

    hrf report results/ravdess

The first screen has the question, the answer, one figure and one table; what
it rests on is folded below. Everything is computed from trials.jsonl and
test_sets.jsonl.

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import base64
import dataclasses
import os
import pathlib
import re
from collections.abc import Sequence

import jinja2
import markupsafe  # of jinja2's own
import matplotlib

from speechbrain_hrf.files import write_whole
from speechbrain_hrf.studies import figures, tables
from speechbrain_hrf.studies.answer import answer, missing_runs
from speechbrain_hrf.studies.paper import model_name
from speechbrain_hrf.studies.results import Results, read_results
from speechbrain_hrf.studies.statistics import (
    ALL_MODELS,
    GAIN,
    LOSS,
    SAME,
    TOO_FEW,
    Comparisons,
    compare,
)
from speechbrain_hrf.studies.trial import LIGHTWEIGHT, ORIGINAL

FIGURE = "report_differences.png"
PAGES = ("report.md", "report.html")
README_ARMS = (LIGHTWEIGHT, "ALL", "ALL + FRONT, normalised", ORIGINAL)
README_NAMES = {
    "ALL": "HRF as published (ALL)",
    "ALL + FRONT, normalised": "**normalised HRF** (ALL + FRONT)",
}


@dataclasses.dataclass(frozen=True)
class Section:
    """A folded part of the report.

    Arguments
    ---------
    title : str
    tables : list of Table
    pictures : list of Picture or None

    Example
    -------
    >>> Section("Curves").pictures
    ()
    """

    title: str
    tables: Sequence[tables.Table] = ()
    pictures: Sequence[figures.Picture | None] = ()


# A label may hold a dollar sign, which begins a formula elsewhere.
@matplotlib.rc_context({"text.parse_math": False})
def write_report(folder: str | os.PathLike) -> list[pathlib.Path]:
    """Writes report.md, report.html and report_differences.png.

    Each is written whole or not at all, once all are made. What an earlier
    report has left (report_*.png and .csv) goes.

    Arguments
    ---------
    folder : str or os.PathLike
        Of a study, with trials.jsonl and test_sets.jsonl.

    Returns
    -------
    list of pathlib.Path
        What was written.

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or no finished trial in it.
    ValueError
        If its lines are damaged, of another format, or cannot be compared.

    Example
    -------
    >>> write_report("results/none")
    Traceback (most recent call last):
        ...
    FileNotFoundError: There is no folder results/none...
    """
    results = read_results(folder)
    folder = pathlib.Path(folder)
    comparisons = compare(results)
    picture = figures.draw_differences(results, comparisons)
    content = {
        "title": f"Does HRF help on {results.dataset}?",
        "synthetic": results.lines[0]["synthetic"],
        "warnings": results.warnings,
        "answer": answer(results, comparisons),
        "picture": picture,
        "figure": FIGURE,
        "table": tables.summary_table(results, comparisons),
        "legend": tables.LEGEND,
        "sections": sections(results, comparisons),
    }
    new = {page: _render(page, content) for page in PAGES}
    if picture:
        new[FIGURE] = picture.png
    for name, what in new.items():
        write_whole(folder / name, what)
    for path in folder.glob("report_*"):
        if path.name not in new and path.suffix in (".csv", ".png"):
            path.unlink()
    return [folder / name for name in new]


def _render(template, content):
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(pathlib.Path(__file__).parent),
        autoescape=jinja2.select_autoescape(["html"]),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["uri"] = lambda png: (
        f"data:image/png;base64,{base64.b64encode(png).decode()}"
    )
    environment.filters["code"] = lambda text: markupsafe.Markup(
        re.sub("`(.+?)`", r"<code>\1</code>", str(markupsafe.escape(text)))
    )
    return environment.get_template(template).render(**content)


def sections(results: Results, comparisons: Comparisons) -> list[Section]:
    """What the answer rests on.

    Arguments
    ---------
    results : Results
    comparisons : Comparisons

    Returns
    -------
    list of Section
        Those that have something to show.

    Example
    -------
    >>> import pandas
    >>> line = {"metric": "UA", "dataset": "RAVDESS", "synthetic": False,
    ...     "curves": {"epoch": []}, "spectra": {}, "ranks": {}, "rates": [],
    ...     "versions": {}, "test_at": {}, "finished": "2026-11-20", "epoch": 9,
    ...     "test": {"UA": 0.5}, "params": {"merged": 8, "training": 9}}
    >>> table = pandas.DataFrame([{"model": "conformer", "row": "Lightweight",
    ...     "arm": "Lightweight", "family": "lightweight", "lr": 0.1,
    ...     "ratio": 8, "layers": 1, "activation": "Swish", "epochs": 9, "line": 0,
    ...     "fold": "1", "seed": 1, "test_set": "a", "valid": 0.5,
    ...     "WA": 0.5, "UA": 0.5, "WF1": 0.5, "MF1": 0.5, "reference": None}])
    >>> import numpy as np
    >>> counts = [{"01": np.eye(2, dtype=int)}]
    >>> results = Results(None, [line], table, counts, ["a", "b"], [])
    >>> [s.title for s in sections(results, compare(results))]
    ['Scores and parameters', 'Confusion', 'Learning rates', 'What was run']
    """
    models = results.models
    runs = tables.runs_at(results, comparisons.rates)
    settings = figures.draw_settings(results, runs)
    found = [
        Section("Every comparison", tables.comparison_tables(comparisons)),
        Section(
            "Scores and parameters",
            [tables.paper_table(results, runs, model) for model in models],
        ),
        Section("By epoch", pictures=figures.draw_epochs(results, runs)),
        *(Section(f"By {name}", [], [settings[name]]) for name in settings),
        Section("Confusion", pictures=[figures.draw_confusion(results, runs)]),
        Section(
            "Learning rates", tables.rate_tables(results, comparisons, runs)
        ),
        Section(
            "Ranks and singular values",
            [tables.ranks_table(results, runs, model) for model in models],
            [figures.draw_spectra(results, runs, model) for model in models],
        ),
        Section("What was run", tables.run_tables(results)),
    ]
    full = [
        Section(
            section.title,
            [table for table in section.tables if table.rows],
            list(filter(None, section.pictures)),
        )
        for section in found
    ]
    return [section for section in full if section.tables or section.pictures]


def readme_text(
    folder: str | os.PathLike, arms: Sequence[str] = README_ARMS
) -> str:
    """One sentence and one small table, as Markdown for a README.

    Arguments
    ---------
    folder : str or os.PathLike
        As for ``write_report``, with the same errors. Nothing is written.
    arms : sequence of str
        The rows; those that were not run are left out.

    Returns
    -------
    str

    Example
    -------
    >>> readme_text("results/none")
    Traceback (most recent call last):
        ...
    FileNotFoundError: There is no folder results/none...
    """
    results = read_results(folder)
    comparisons = compare(results)
    # The table stays small: some arms, and no column over all models.
    table = tables.summary_table(results, comparisons).without(ALL_MODELS)
    by_arm = {row[0]: row[1:] for row in table.rows}
    there = [arm for arm in arms if arm in by_arm]
    rows = [[README_NAMES.get(arm, arm), *by_arm[arm]] for arm in there]
    table = dataclasses.replace(table, rows=rows)
    same = comparisons.table
    same = same[same["comparison"] == SAME]
    missing = missing_runs(results)
    yet = " yet" if missing else ""
    parts = [
        _sum_up(arm, yet, same[same["row"] == arm], results.compared)
        for arm in arms
        if arm in set(same["row"]) - {ORIGINAL}
    ]
    text = f"On {results.dataset}, "
    if results.lines[0]["synthetic"]:
        text = f"**Synthetic data: the figures mean nothing.** {text}"
    text += "; ".join(parts or ["nothing has been compared yet"])
    text = " ".join([f"{text}.", *missing])
    return f"{text}\n\n{table.markdown()}\n\n{tables.LEGEND}"


def _sum_up(arm, yet, lines, metric):
    """What is shown for an arm, in half a sentence."""
    parts = []
    together = lines[lines["model"] == ALL_MODELS].to_dict("records")
    lines = lines[lines["model"] != ALL_MODELS]
    for verdict, verb in ((GAIN, "gains"), (LOSS, "loses")):
        models = lines["model"][lines["verdict"] == verdict]
        where = ", ".join(map(model_name, models))
        if len(models) == len(lines) > 1:
            parts.append(f"{verb} {metric} on all {len(models)} models")
        elif together and together[0]["verdict"] == verdict:
            parts.append(
                f"{verb} {metric} over all models together "
                f"({tables.difference(together[0])}), by itself on "
                f"{where or f'none of them{yet}'}"
            )
        elif len(models):
            parts.append(f"{verb} {metric} on {where}")
    if (lines["verdict"] == TOO_FEW).all():
        parts.append("has been run too little to say")
    elif not parts:
        parts.append(f"is shown neither to gain nor to lose{yet}")
    name = README_NAMES.get(arm, arm).replace("**", "")
    return f"{name} {' and '.join(parts)}"
