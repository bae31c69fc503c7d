"""What comes after training: scores and sizes.

Authors
 * The speechbrain_hrf authors 2026
"""

import json
import os
import pathlib

from speechbrain.utils.logger import get_logger

from speechbrain_hrf.dataio.synthetic import is_synthetic
from speechbrain_hrf.files import whole_file, write_whole
from speechbrain_hrf.nnet import count_parameters
from speechbrain_hrf.nnet.targets import split_names
from speechbrain_hrf.training.display import (
    confusion_figure,
    confusion_text,
    report_text,
)
from speechbrain_hrf.training.scores import SCORES

logger = get_logger(__name__)

# Further options that tell runs apart, of the recipes that have them.
CHOICES = (
    *("class_weights", "hrf_init", "hrf_inner_bias", "hrf_inner_norm"),
    *("hrf_lr_scale", "distil_from", "distil_weight", "distil_temperature"),
)
HELD_OUT = ("scored_epoch", "valid_session", "held_out_part")


def collect_results(hparams, labels, brain, report):
    """What is worth knowing about a run, as plain values.

    Arguments
    ---------
    hparams : dict
        Of the recipe: output_folder, data_folder, corpus, protocol, seed,
        hrf_modules, hrf_ratio, hrf_layers; and where it has them fold,
        activation and others.
    labels : list of str
        The classes in the order of their indices.
    brain : speechbrain.Brain
        After ``evaluate``: ``test_scores`` (of ``EmotionScores``),
        ``deployed`` (a ``MergedClassifier``) and ``checkpoint``, the one that
        was scored.
    report : speechbrain_hrf.nnet.HRFReport
        What ``apply_hrf`` returned.

    Returns
    -------
    dict
        Fits into JSON; the export's model card is made from it.

    Example
    -------
    >>> import torch
    >>> from types import SimpleNamespace
    >>> from speechbrain_hrf import ClassifierHead, SpeechFormer, apply_hrf
    >>> from speechbrain_hrf.inference import MergedClassifier
    >>> folder = getfixture("tmpdir").strpath
    >>> hparams = {"output_folder": folder, "data_folder": folder,
    ...     "corpus": "demo", "protocol": "paper", "seed": 1,
    ...     "hrf_modules": ["CLS"], "hrf_ratio": 8, "hrf_layers": 1}
    >>> model = torch.nn.ModuleList([SpeechFormer(), ClassifierHead(16, 2)])
    >>> report = apply_hrf(model, ["CLS"])
    >>> scores = {"WA": 0.5, "UA": 0.5, "WF1": 0.5, "MF1": 0.5, "n": 2,
    ...     "confusion": [[1, 1], [0, 0]], "per_class": {}, "predicted": {}}
    >>> checkpoint = SimpleNamespace(
    ...     path=pathlib.Path(folder, "save", "CKPT+1"), meta={"epoch": 3})
    >>> brain = SimpleNamespace(test_scores=scores, checkpoint=checkpoint,
    ...     deployed=MergedClassifier(*model))
    >>> results = collect_results(hparams, ["neu", "sad"], brain, report)
    >>> results["checkpoint"], results["params_merged"]
    ('save/CKPT+1', 2902)
    """
    scores, deployed = brain.test_scores, brain.deployed
    chosen = {key: hparams[key] for key in CHOICES if key in hparams}
    if hparams["protocol"] == "held_out":
        chosen |= {key: hparams[key] for key in HELD_OUT if key in hparams}
    if not chosen.get("distil_from"):
        chosen = {k: v for k, v in chosen.items() if not k.startswith("distil")}
    if "activation" in hparams:  # a class
        chosen["activation"] = hparams["activation"].__name__
    return {
        "dataset": hparams["corpus"],
        "synthetic": is_synthetic(hparams["data_folder"]),
        "protocol": hparams["protocol"],
        "split": f"fold {hparams['fold']}" if "fold" in hparams else "test",
        "seed": hparams["seed"],
        "hrf_modules": split_names(hparams["hrf_modules"]),
        "hrf_ratio": hparams["hrf_ratio"],
        "hrf_layers": hparams["hrf_layers"],
        **chosen,
        "checkpoint": pathlib.Path(
            os.path.relpath(brain.checkpoint.path, hparams["output_folder"])
        ).as_posix(),
        "epoch": brain.checkpoint.meta["epoch"],
        "labels": list(labels),
        **{key: scores[key] for key in (*SCORES, "confusion", "per_class")},
        "n_test": scores["n"],
        "predicted": scores["predicted"],
        "params_training": count_parameters(deployed.chained),
        "params_merged": count_parameters(deployed.merged),
        "params_lightweight": report.before,
        "max_merge_difference": deployed.difference,
    }


def write_results(output_folder, results):
    """Writes test_metrics.json and confusion_matrix.png, and logs the scores.

    Where the results have scores ``per_participant`` too, those get a picture
    of their own, confusion_matrix_participants.png.

    Arguments
    ---------
    output_folder : str
    results : dict
        As of ``collect_results``; must fit into JSON.

    Example
    -------
    >>> row = {"precision": 0.5, "recall": 0.5, "F1": 0.5, "n": 1}
    >>> results = {"dataset": "demo", "labels": ["a", "b"], "WA": 0.5,
    ...     "UA": 0.5, "WF1": 0.5, "MF1": 0.5, "confusion": [[1, 1], [0, 0]],
    ...     "per_class": {"a": row, "b": row}, "split": "test",
    ...     "n_test": 2, "params_training": 9, "params_merged": 6,
    ...     "params_lightweight": 6, "max_merge_difference": 1e-7}
    >>> folder = getfixture("tmpdir")
    >>> write_results(folder.strpath, results)
    >>> sorted(path.basename for path in folder.listdir())
    ['confusion_matrix.png', 'test_metrics.json']
    """
    folder = pathlib.Path(output_folder)
    _draw_confusion(results, results, "", folder / "confusion_matrix.png")
    if "per_participant" in results:
        _draw_confusion(
            results,
            results["per_participant"],
            ", per participant",
            folder / "confusion_matrix_participants.png",
        )
    text = json.dumps(results, indent=2) + "\n"
    write_whole(folder / "test_metrics.json", text)
    logger.info("%s", results_text(results))


def _draw_confusion(results, scores, what, path):
    with whole_file(path) as partial:
        confusion_figure(
            scores["confusion"],
            results["labels"],
            f"{results['dataset']}{what}\n"
            f"WA {scores['WA']:.3f}, UA {scores['UA']:.3f}\n"
            f"WF1 {scores['WF1']:.3f}, MF1 {scores['MF1']:.3f}",
            partial,
        )


def results_text(results):
    """Scores and sizes as text for the log.

    Arguments
    ---------
    results : dict
        As of ``collect_results``; scores ``per_participant`` are shown too.

    Returns
    -------
    str

    Example
    -------
    >>> row = {"precision": 0.5, "recall": 0.5, "F1": 0.5, "n": 1}
    >>> print(results_text({"labels": ["a", "b"], "WA": 0.5, "UA": 0.5,
    ...     "WF1": 0.5, "MF1": 0.5, "confusion": [[1, 1], [0, 0]], "n_test": 2,
    ...     "per_class": {"a": row, "b": row}, "split": "fold 1",
    ...     "params_training": 9, "params_merged": 6, "params_lightweight": 6,
    ...     "max_merge_difference": 1e-7}))
    Test set (fold 1), merged model: WA 0.5000, UA 0.5000, WF1 0.5000, MF1
    0.5000 (2 utterances)
       precision  recall     F1  n
    a     0.5000  0.5000 0.5000  1
    b     0.5000  0.5000 0.5000  1
    true \\ found  a  b
    a             1  1
    b             0  0
    Parameters: 9 in training, 6 merged, 6 in the model without HRF
    Largest difference between merged and chained log-probabilities on the test
    set: 1.0e-07
    """
    split = f" ({results['split']})" if results["split"] != "test" else ""
    lines = [
        f"Test set{split}, merged model: {_scores_text(results)} "
        f"({results['n_test']} utterances)",
        report_text(results["per_class"]),
        confusion_text(results["confusion"], results["labels"]),
    ]
    if "per_participant" in results:
        people = results["per_participant"]
        lines += [
            f"Per participant, by the mean of log-posteriors: "
            f"{_scores_text(people)} ({people['n']} participants)",
            report_text(people["per_class"]),
            confusion_text(people["confusion"], results["labels"]),
        ]
    lines += [
        f"Parameters: {results['params_training']} in training, "
        f"{results['params_merged']} merged, "
        f"{results['params_lightweight']} in the model without HRF",
        "Largest difference between merged and chained log-probabilities "
        f"on the test set: {results['max_merge_difference']:.1e}",
    ]
    return "\n".join(lines)


def _scores_text(scores):
    return ", ".join(f"{key} {scores[key]:.4f}" for key in SCORES)
