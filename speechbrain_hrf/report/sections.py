"""The report's sections, each from what it shows.

Authors
 * The speechbrain_hrf authors 2026
"""

import dataclasses

from speechbrain_hrf.report import paper
from speechbrain_hrf.report.comparisons import (
    MATCHED,
    MEAN,
    OVERALL,
    POOLED,
    SAME,
)
from speechbrain_hrf.report.figure_differences import draw_differences
from speechbrain_hrf.report.figure_layers import (
    draw_ranks,
    draw_spectra,
    draw_steps,
)
from speechbrain_hrf.report.figure_training import draw_training
from speechbrain_hrf.report.paper_table import has_paper, paper_tables
from speechbrain_hrf.report.tables import (
    chosen_table,
    comparison_table,
    missing_table,
)


@dataclasses.dataclass
class Section:
    """A part of the report under a heading of its own.

    Arguments
    ---------
    title : str
    paragraphs : list of str
    tables : list of Table
    pictures : list of Picture

    Example
    -------
    >>> Section("Method", ["Paired."]).tables
    []
    """

    title: str
    paragraphs: list = dataclasses.field(default_factory=list)
    tables: list = dataclasses.field(default_factory=list)
    pictures: list = dataclasses.field(default_factory=list)


def results_section(trials, cells, rates):
    """The paper's tables, with its figures where the corpus is the same.

    Arguments
    ---------
    trials : Trials
    cells : pandas.DataFrame
        Of ``summarize``.
    rates : dict of str: float
        The learning rate of "same lr", by model.

    Returns
    -------
    Section

    Example
    -------
    >>> import pandas
    >>> from speechbrain_hrf.report.load import Trials
    >>> table = pandas.DataFrame({"model": []})
    >>> line = {"dataset": "RAVDESS", "synthetic": False}
    >>> trials = Trials(None, [line], table, [], [])
    >>> results_section(trials, None, {}).paragraphs
    ['The paper has no results on RAVDESS: ...']
    """
    if has_paper(trials):
        text = (
            f"Printed figures: {paper.SOURCE}. They are means over five seeds; "
            "splits, features and training may differ from ours."
        )
    elif trials.synthetic:
        text = (
            "The paper's figures are not shown beside these: generated signals "
            "have nothing to do with its corpora."
        )
    else:
        text = (
            f"The paper has no results on {trials.dataset}: its figures (on "
            "IEMOCAP, M3ED and DAIC-WOZ) would stand for another task, so that "
            "only ours are shown, in its layout."
        )
    title = "Results in the layout of the paper's tables"
    return Section(title, [text], paper_tables(trials, cells, rates))


def comparison_section(trials, comparisons, kind, folder):
    """One of the two comparisons: its tables, and the figure of both.

    Arguments
    ---------
    trials : Trials
    comparisons : Comparisons
    kind : str
        ``SAME`` or ``MATCHED``.
    folder : pathlib.Path
        Where the figure goes.

    Returns
    -------
    Section

    Example
    -------
    >>> import pandas
    >>> from speechbrain_hrf.report.comparisons import Comparisons
    >>> from speechbrain_hrf.report.load import Trials
    >>> columns = ["comparison", "metric", "family"]
    >>> nothing = pandas.DataFrame(columns=columns)
    >>> found = Comparisons(nothing, {}, nothing,
    ...     {MATCHED: [("FFN1", "one rate"), ("FFN2", "one rate")]},
    ...     {MATCHED: []})
    >>> trials = Trials(None, [{"metric": "UA"}], None, [], [])
    >>> comparison_section(trials, found, MATCHED, None).paragraphs[-1]
    'Not compared: FFN1, FFN2 (one rate).'
    """
    table = comparisons.table
    lines = table[
        (table["comparison"] == kind) & (table["metric"] == trials.metric)
    ]
    title, text = {
        SAME: (
            "Compared at the same learning rate",
            "The paper's protocol: HRF at the learning rate of the lightweight "
            "model. Its effective steps are longer there, so that a gain may "
            "be the learning rate's.",
        ),
        MATCHED: (
            "Compared at each arm's best learning rate",
            "Chosen on validation data only, for the lightweight model as for "
            "HRF.",
        ),
    }[kind]
    paragraphs = [text, *comparisons.notes[kind]]
    if comparisons.left_out[kind]:
        paragraphs.append(_not_compared(comparisons.left_out[kind]))
    tables = []
    if kind == MATCHED and len(comparisons.chosen):
        tables.append(chosen_table(comparisons.chosen, trials.metric))
    for families, caption in (
        (["paper"], "Rows of the paper"),
        (["extension"], "Arms beyond the paper"),
        (["original"], "The original model, for orientation"),
        ([MEAN, OVERALL], "Means over the paper's rows"),
        ([*POOLED.values()], "Rows over all models that have them"),
    ):
        some = lines[lines["family"].isin(families)]
        if len(some):
            caption = (
                f"{caption} against the lightweight model, {trials.metric}"
            )
            tables.append(comparison_table(some, caption))
    pictures = []
    if kind == SAME:
        pictures = draw_differences(trials, comparisons, folder)
    return Section(title, paragraphs, tables, pictures)


def _not_compared(left_out):
    """Rows by the reason why they are not compared."""
    reasons = {}
    for name, reason in left_out:
        reasons.setdefault(reason, []).append(name)
    parts = [f"{', '.join(names)} ({why})" for why, names in reasons.items()]
    return f"Not compared: {'; '.join(parts)}."


STEPS = (
    "A chain moves its product further per optimiser step than a plain layer "
    "moves its weight. What is 2 here trains as if its learning rate were "
    "about twice the lightweight model's."
)
RANKS = (
    "Extra linear factors may bias training towards weights of low rank. "
    "Effective rank: the exponential of the entropy of the singular values "
    "divided by their sum (Roy and Vetterli, 2007)."
)


def diagnostic_sections(trials, rates, ranks, steps, folder):
    """What explains a difference: steps, training, spectra.

    Arguments
    ---------
    trials : Trials
    rates : dict of str: float
        The learning rate of "same lr", by model.
    ranks, steps : pandas.DataFrame
        Of ``effective_ranks`` and ``step_ratios``.
    folder : pathlib.Path
        Where the figures go.

    Returns
    -------
    list of Section
        Without those that would be empty.

    Example
    -------
    >>> import pandas
    >>> from speechbrain_hrf.report.load import Trials
    >>> nothing = pandas.DataFrame({"model": [], "row": []})
    >>> trials = Trials(None, [{"metric": "UA"}], nothing, [], [])
    >>> diagnostic_sections(trials, {}, nothing, nothing, None)
    []
    """
    spectra = [
        *draw_ranks(ranks, folder),
        *draw_spectra(trials, rates, folder),
    ]
    sections = (
        ("length of the effective step", [STEPS], draw_steps(steps, folder)),
        ("training against steps", [], draw_training(trials, rates, folder)),
        ("effective rank and spectrum of merged weights", [RANKS], spectra),
    )
    return [
        Section(f"Diagnostics: {title}", paragraphs, pictures=pictures)
        for title, paragraphs, pictures in sections
        if pictures
    ]


def missing_section(trials, missing, expected):
    """What the study lacks, and what was left out.

    Arguments
    ---------
    trials : Trials
    missing : pandas.DataFrame
    expected : str
        Of ``missing_trials``.

    Returns
    -------
    Section

    Example
    -------
    >>> from speechbrain_hrf.report.load import Trials
    >>> trials = Trials(None, [], None, [], ["a: its UA is nan"])
    >>> missing_section(trials, [], "By the plan.").paragraphs
    ['No trial is missing. By the plan.', 'Left out: a: its UA is nan.']
    """
    paragraphs = []
    if trials.unusable:
        paragraphs.append(f"Left out: {'; '.join(trials.unusable)}.")
    if len(missing):
        return Section(
            "Missing trials", [expected, *paragraphs], [missing_table(missing)]
        )
    paragraphs.insert(0, f"No trial is missing. {expected}")
    return Section("Missing trials", paragraphs)
