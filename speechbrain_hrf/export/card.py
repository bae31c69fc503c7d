"""The model card: what the model is, how good, how to load it, and whose data.

The block on top is the metadata that the Hugging Face Hub reads; the rest is
for people, in the words of ``card.md``. Whatever is not known is said to be
unknown, never left out.

Authors
 * The speechbrain_hrf authors 2026
"""

import pathlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from huggingface_hub import EvalResult, ModelCard, ModelCardData
from tabulate import tabulate

from speechbrain_hrf.export.report import ExportReport
from speechbrain_hrf.results import RunResults

_TEMPLATE = pathlib.Path(__file__).with_name("card.md")
# Where the model lies, in the card's lines that load it.
PLACE = "path/to/this/folder"
# Licences as the Hub names them.
_LICENCES = {
    *("cc0-1.0", "cc-by-3.0", "cc-by-sa-3.0", "cc-by-nc-3.0"),
    *("cc-by-nc-sa-3.0", "cc-by-nc-nd-3.0", "cc-by-4.0", "cc-by-sa-4.0"),
    *("cc-by-nc-4.0", "cc-by-nc-sa-4.0", "cc-by-nd-4.0", "cc-by-nc-nd-4.0"),
}
# Where it can be read, at the end: " (zenodo.org/records/1188976)".
_ADDRESS = re.compile(r" \((https?://)?[\w.-]+\.[a-z]+(/[^\s()]*)?\)$")
# In the card, the Hub's kind, and the Hub's name.
_SCORES = {
    "WA": ("WA (accuracy)", "accuracy", "Weighted accuracy"),
    "UA": ("UA (mean recall)", "recall", "Unweighted accuracy"),
    "WF1": ("WF1 (class-weighted F1)", "f1", "Weighted F1"),
    "MF1": ("MF1 (macro F1)", "f1", "Macro F1"),
}


def model_card(report: ExportReport, results: RunResults) -> str:
    """Writes the card.

    Arguments
    ---------
    report : ExportReport
        What the export knows; its files are not looked at.
    results : RunResults
        What the recipe measured.

    Returns
    -------
    str
        Markdown.

    Example
    -------
    >>> report = ExportReport(
    ...     pathlib.Path("model"), pathlib.Path("CKPT+1"), "Conformer",
    ...     ["sad", "angry"], 16000, 300, 200, {"ratio": 8}, 1e-7, "4 files"
    ... )
    >>> card = model_card(report, RunResults(dataset="RAVDESS", UA=0.5))
    >>> "# Conformer trained on RAVDESS" in card, "not evaluated" in card
    (True, True)
    """
    people = results.per_participant or {}
    labels = results.labels or report.labels
    confusions = {
        "Confusion matrix": results.confusion,
        "Confusion matrix per participant": people.get("confusion"),
    }
    card = ModelCard.from_template(
        _describe_for_hub(report, results),
        template_path=str(_TEMPLATE),
        report=report,
        results=results,
        source=PLACE,
        scores=_write_table(("", ""), _list_results(results, people)),
        confusions={
            title: _write_table(
                ("", *labels),
                (
                    (f"**{label}**", *row)
                    for label, row in zip(labels, matrix, strict=False)
                ),
            )
            for title, matrix in confusions.items()
            if matrix
        },
        sizes=_write_table(
            ("Parameters", ""),
            [
                ("In training", report.trained_parameters),
                ("Merged (this folder)", report.merged_parameters),
                (
                    "The same model, never expanded",
                    results.params_lightweight or report.merged_parameters,
                ),
            ],
        ),
        hrf="; ".join(
            f"{key}: {', '.join(value) if isinstance(value, list) else value}"
            for key, value in report.hrf.items()
        ),
    )
    return f"{card}\n"


def _describe_for_hub(
    report: ExportReport, results: RunResults
) -> ModelCardData:
    task = results.task or "Speech emotion recognition"
    dataset = results.dataset or "unnamed"
    licence = "" if results.synthetic else results.licence or ""
    known = _find_licence(licence, dataset)
    data = ModelCardData(
        library_name="speechbrain",
        pipeline_tag="audio-classification",
        license=known or "other",
        license_name=None if known else _as_identifier(licence) or None,
        tags=[
            "speechbrain",
            "audio-classification",
            task.lower().replace(" ", "-"),
            report.model,
            *(["high-rank-factorization"] if report.hrf else []),
            *(["synthetic-data"] if results.synthetic else []),
        ],
    )
    scores = {key: getattr(results, key) for key in _SCORES}
    measured = [key for key, score in scores.items() if score is not None]
    # Figures of a stand-in corpus do not belong on a leaderboard.
    if measured and not results.synthetic:
        data.metrics = list(dict.fromkeys(_SCORES[key][1] for key in measured))
        data.model_name = report.model
        data.eval_results = [
            EvalResult(
                task_type="audio-classification",
                task_name=task,
                dataset_type=_as_identifier(dataset) or "unnamed",
                dataset_name=dataset,
                dataset_split=results.split,
                metric_type=_SCORES[key][1],
                metric_name=_SCORES[key][2],
                metric_value=round(scores[key], 4),
            )
            for key in measured
        ]
    return data


def _find_licence(text: str, dataset: str) -> str | None:
    """The Hub's name of a licence, of a text that says nothing else.

    A second licence, or a word that takes something away, may forbid what
    the first one allows.
    """
    text = _ADDRESS.sub("", text.removeprefix(f"{dataset}: "))
    name = re.sub("[ -]+", "-", text.strip(" .").lower())
    return name if name in _LICENCES else None


def _as_identifier(text: str) -> str:
    """As the Hub's validator wants names of data sets and of licences."""
    return re.sub(r"[^a-z0-9.-]+", "-", text.lower()).strip("-")


def _list_results(
    results: RunResults, people: Mapping[str, Any]
) -> list[tuple[str, object]]:
    # training/ imports the export.
    from speechbrain_hrf.training.scores import score_text

    rows = {
        "Corpus": results.dataset,
        "Protocol": results.protocol,
        "Split": results.split,
        "Test utterances": results.n_test,
        "Epoch": results.epoch,
        "Seed": results.seed,
    }
    rows = {k: "unknown" if v is None else v for k, v in rows.items()}
    if results.corrections:
        rows["Corrections of the corpus"] = ", ".join(results.corrections)
    for key, (name, _, _) in _SCORES.items():
        score = getattr(results, key)
        rows[name] = "not evaluated" if score is None else score_text(score)
    for key, (name, _, _) in _SCORES.items():
        if key in people:
            rows[f"{name}, per participant"] = score_text(people[key])
    return list(rows.items())


def _write_table(
    head: Iterable[object], rows: Iterable[Iterable[object]]
) -> str:
    first, *others = (
        [str(cell).replace("|", "\\|") for cell in row] for row in (head, *rows)
    )
    return tabulate(
        others, headers=first, tablefmt="github", disable_numparse=True
    )
