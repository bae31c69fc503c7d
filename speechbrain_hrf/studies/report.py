"""A study's report: report.md, report.html and one figure.

    hrf report results/ravdess

The first screen has the question, the answer, one figure and one table; what
it rests on is folded below. Everything is computed from trials.jsonl and
test_sets.jsonl.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import pathlib

import matplotlib

from speechbrain_hrf.files import write_whole
from speechbrain_hrf.studies import figures, tables
from speechbrain_hrf.studies.answer import answer, missing_runs, true_names
from speechbrain_hrf.studies.results import Results, read_results
from speechbrain_hrf.studies.statistics import ALL_MODELS, Comparisons, compare
from speechbrain_hrf.studies.template import render
from speechbrain_hrf.studies.trial import LIGHTWEIGHT, ORIGINAL

FIGURE = "report_differences.png"
README_ARMS = (LIGHTWEIGHT, "ALL", "ALL + FRONT, normalised", ORIGINAL)
README_NAMES = {
    "ALL": "HRF as published (ALL)",
    "ALL + FRONT, normalised": "**normalised HRF** (ALL + FRONT)",
}


# A label may hold a dollar sign, which begins a formula elsewhere.
@matplotlib.rc_context({"text.parse_math": False})
def write_report(folder: str | os.PathLike) -> list[pathlib.Path]:
    """Writes report.md, report.html and report_differences.png.

    Each is written whole or not at all, once all are made; a figure that an
    earlier report has left goes.

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
    ValueError
        If there is no finished trial, or lines are damaged, of another format,
        or cannot be compared.

    Example
    -------
    >>> write_report("results/none")
    Traceback (most recent call last):
        ...
    ValueError: results/none/trials.jsonl has no trial that can be used...
    """
    results = read_results(folder)
    folder = pathlib.Path(folder)
    comparisons = compare(results)
    picture = figures.draw_differences(results, comparisons)
    content = {
        "title": f"Does HRF help on {results.common['dataset']}?",
        "results": results,
        "answer": answer(results, comparisons),
        "picture": picture,
        "figure": FIGURE,
        "table": tables.summary_table(results, comparisons),
        "sections": sections(results, comparisons),
    }
    pages = "report.md", "report.html"
    new = {page: render(page, **content) for page in pages}
    if picture:
        new[FIGURE] = picture.png
    for name, what in new.items():
        write_whole(folder / name, what)
    if not picture:
        (folder / FIGURE).unlink(missing_ok=True)
    return [folder / name for name in new]


def sections(results: Results, comparisons: Comparisons) -> dict[str, list]:
    """What the answer rests on.

    Arguments
    ---------
    results : Results
    comparisons : Comparisons

    Returns
    -------
    dict of str: list of Table or Picture
        By title: those that have something to show.

    Example
    -------
    >>> import numpy as np
    >>> from speechbrain_hrf.studies.rows import make_table
    >>> line = {"metric": "UA", "dataset": "RAVDESS", "synthetic": False,
    ...     "model": "conformer", "arm": "Lightweight", "options": {}, "lr": 0.1,
    ...     "fold": 1, "seed": 1, "test_set": "a", "epoch": 9, "valid": None,
    ...     "test": {"WA": 0.5, "UA": 0.5, "WF1": 0.5}, "test_at": {},
    ...     "curves": {"epoch": []}, "spectra": {}, "ranks": {}, "rates": [],
    ...     "params": {"merged": 8, "training": 9}, "versions": {},
    ...     "finished": "2026-11-20", "classes": ["sad", "calm"],
    ...     "counts": {"01": np.eye(2, dtype=int)}}
    >>> results = Results(None, make_table([line]), [])
    >>> list(sections(results, compare(results)))
    ['Scores and parameters', 'Confusion', 'Learning rates', 'What was run']
    """
    models = results.models
    found = {
        "Every comparison": tables.comparison_tables(results, comparisons),
        "Scores and parameters": [
            tables.paper_table(results, model) for model in models
        ],
        "By epoch": figures.draw_epochs(results),
        **figures.draw_settings(results),
        "Confusion": [figures.draw_confusion(results)],
        "Learning rates": tables.rate_tables(results, comparisons),
        "Ranks and singular values": [
            *(tables.ranks_table(results, model) for model in models),
            *(figures.draw_spectra(results, model) for model in models),
        ],
        "What was run": tables.run_tables(results),
    }
    full = {title: list(filter(None, found[title])) for title in found}
    return {title: parts for title, parts in full.items() if parts}


def readme_text(folder: str | os.PathLike) -> str:
    """One sentence and one small table, as Markdown for a README.

    They are of the arms of ``README_ARMS``; if none of these was compared, of
    all that were.

    Arguments
    ---------
    folder : str or os.PathLike
        As for ``write_report``, with the same errors. Nothing is written.

    Returns
    -------
    str

    Example
    -------
    >>> readme_text("results/none")
    Traceback (most recent call last):
        ...
    ValueError: results/none/trials.jsonl has no trial that can be used...
    """
    results = read_results(folder)
    comparisons = compare(results)
    # The table stays small: some arms, and no column over all models.
    table = tables.summary_table(results, comparisons)
    rows = table.frame.drop(columns=ALL_MODELS, errors="ignore")
    rows = rows.set_index("arm")
    there = set(comparisons.same["row"]) - {ORIGINAL}
    others = there and there.isdisjoint(README_ARMS)
    arms = rows.index if others else README_ARMS
    names = true_names(results, README_NAMES)
    rows = rows.reindex(arms).dropna().rename(names).reset_index()
    return render(
        "report_readme.md",
        results=results,
        all_models=ALL_MODELS,
        missing=missing_runs(results),
        names=names,
        rows=[row for row in arms if row in there],
        same=comparisons.same.to_dict("records"),
        table=tables.Table(table.caption, rows),
    )
