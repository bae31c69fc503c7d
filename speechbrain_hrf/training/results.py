"""What comes after training: a run's results, for the disk and for the log.

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import os
import pathlib
from collections.abc import Mapping
from typing import Any

import speechbrain as sb
from tabulate import tabulate

from speechbrain_hrf.dataio.synthetic import is_synthetic
from speechbrain_hrf.files import whole_file
from speechbrain_hrf.nnet import HRFReport, count_parameters
from speechbrain_hrf.nnet.targets import split_names
from speechbrain_hrf.results import RunResults
from speechbrain_hrf.training.output_folder import explain_lost_output
from speechbrain_hrf.training.scores import SCORES, score_text

# Options that results name, of the recipes that have them.
OPTIONS = (
    *("protocol", "seed", "hrf_ratio", "hrf_layers", "hrf_init"),
    *("hrf_inner_bias", "hrf_inner_norm", "hrf_lr_scale", "class_weights"),
)
HELD_OUT = ("scored_epoch", "valid_session", "held_out_part")
DISTILLATION = ("distil_from", "distil_weight", "distil_temperature")


def collect_results(
    brain: sb.Brain,
    hparams: Mapping[str, Any],
    report: HRFReport,
    notes: Mapping[str, Any],
) -> RunResults:
    """What is worth knowing about a run; its model card is made from it.

    Arguments
    ---------
    brain : speechbrain.Brain
        After ``evaluate``: ``scores`` (an ``EmotionScores``), ``test_results``
        (what it summarizes, and what else the recipe adds), ``deployed`` (a
        ``MergedClassifier``) and ``checkpoint``, the one that was scored.
    hparams : dict
        Of the recipe: output_folder, data_folder, corpus, hrf_modules; and
        where it has them fold, activation and ``OPTIONS``.
    report : speechbrain_hrf.nnet.HRFReport
        What ``apply_hrf`` returned.
    notes : dict
        What else belongs on the model card: licence, features, task, caution;
        hubert_source, which counts if the features are HuBERT's.

    Returns
    -------
    RunResults

    Example
    -------
    >>> brain, hparams, report = getfixture("scored_run")
    >>> results = collect_results(brain, hparams, report, {"licence": "MIT"})
    >>> results.checkpoint, results.split, results.licence
    ('save/CKPT+1', 'fold 2', 'MIT')
    """
    keys = [*OPTIONS]
    if hparams.get("protocol") == "held_out":
        keys += HELD_OUT
    if hparams.get("distil_from"):
        keys += DISTILLATION
    notes = dict(notes)
    if notes.get("features") != "hubert":
        notes.pop("hubert_source", None)
    deployed = brain.deployed
    found = dict(brain.test_results)
    return RunResults.from_dict(
        {
            "dataset": hparams["corpus"],
            "synthetic": is_synthetic(hparams["data_folder"]),
            "split": f"fold {hparams['fold']}" if "fold" in hparams else "test",
            **{key: hparams[key] for key in keys if key in hparams},
            **notes,
            "hrf_modules": split_names(hparams["hrf_modules"]),
            "activation": getattr(hparams.get("activation"), "__name__", None),
            "checkpoint": pathlib.Path(
                os.path.relpath(brain.checkpoint.path, hparams["output_folder"])
            ).as_posix(),
            "epoch": brain.checkpoint.meta["epoch"],
            "labels": list(brain.scores.labels),
            "n_test": found.pop("n"),
            **found,
            "params_training": count_parameters(deployed.chained),
            "params_merged": count_parameters(deployed.merged),
            "params_lightweight": report.before,
            "max_merge_difference": deployed.difference,
        }
    )


def write_results(
    results: RunResults, output_folder: str | os.PathLike[str]
) -> None:
    """Writes test_metrics.json and confusion_matrix.png.

    Where there are scores ``per_participant`` too, those get a picture of
    their own, confusion_matrix_participants.png.

    Arguments
    ---------
    results : RunResults
    output_folder : str or os.PathLike

    Example
    -------
    >>> folder = getfixture("tmpdir")
    >>> write_results(getfixture("run_results"), folder.strpath)
    >>> sorted(path.basename for path in folder.listdir())
    ['confusion_matrix.png', 'test_metrics.json']
    """
    folder = pathlib.Path(output_folder)
    scores = results.to_dict()
    with explain_lost_output(folder):
        results.write(folder)
        _draw(results, scores, "", folder / "confusion_matrix.png")
        if results.per_participant:
            _draw(
                results,
                results.per_participant,
                ", per participant",
                folder / "confusion_matrix_participants.png",
            )


def _draw(results, scores, what, path):
    # matplotlib would take half a second of every start of a training.
    from speechbrain_hrf.training.confusion import draw_confusion

    with whole_file(path) as partial:
        draw_confusion(
            scores["confusion"],
            results.labels,
            f"{results.dataset}{what}\n{_scores_line(scores)}",
            partial,
        )


def results_text(results: RunResults) -> str:
    """Scores and sizes as text for the log.

    Arguments
    ---------
    results : RunResults
        Scores ``per_participant`` are shown too.

    Returns
    -------
    str

    Example
    -------
    >>> print(results_text(getfixture("run_results")))
    Test set (fold 1), merged model: WA .500, UA .500, WF1 .500, MF1 .500 (2
    utterances)
         precision  recall    F1    n
    neu       .500    .500  .500    1
    sad       .500    .500  .500    1
    true \\ found      neu    sad
    neu               1      1
    sad               0      0
    Parameters: 9 in training, 6 merged, 6 in the model without HRF
    Largest difference between merged and chained log-probabilities on the test
    set: 1.0e-07
    """
    split = "" if results.split == "test" else f" ({results.split})"
    people = results.per_participant
    lines = [
        f"Test set{split}, merged model: {_scores_line(results.to_dict())} "
        f"({results.n_test} utterances)",
        *_tables(results.labels, results.per_class, results.confusion),
    ]
    if people:
        lines += [
            "Per participant, by the mean of log-posteriors: "
            f"{_scores_line(people)} ({people['n']} participants)",
            *_tables(results.labels, people["per_class"], people["confusion"]),
        ]
    lines += [
        f"Parameters: {results.params_training} in training, "
        f"{results.params_merged} merged, "
        f"{results.params_lightweight} in the model without HRF",
        "Largest difference between merged and chained log-probabilities "
        f"on the test set: {results.max_merge_difference:.1e}",
    ]
    return "\n".join(lines)


def _scores_line(scores):
    return ", ".join(f"{key} {score_text(scores[key])}" for key in SCORES)


def _tables(labels, per_class, confusion):
    """Precision, recall and F1 of each class; the confusion matrix."""
    scores = [
        [
            label,
            *(score_text(row[key]) for key in ("precision", "recall", "F1")),
            str(row["n"]),
        ]
        for label, row in per_class.items()
    ]
    counts = [
        [label, *map(str, row)]
        for label, row in zip(labels, confusion, strict=True)
    ]
    return [
        tabulate(
            rows,
            headers=head,
            tablefmt="plain",
            disable_numparse=True,
            colalign=["left"] + ["right"] * (len(head) - 1),
        )
        for head, rows in (
            (["", "precision", "recall", "F1", "n"], scores),
            (["true \\ found", *labels], counts),
        )
    ]
