"""The model card: what the model is, how good, how to load it, and whose data.

The block on top is the metadata that the Hugging Face Hub reads; the rest is
for people. Whatever is not known is said to be unknown, never left out.

Authors
 * The speechbrain_hrf authors 2026
"""

import io
import re
from typing import NamedTuple

import ruamel.yaml

_SYNTHETIC = """\
> **Trained on synthetic signals.** The corpus was a generated stand-in, not
> speech. The figures below mean nothing, and the model recognises nothing.
"""
# Identifiers of the Hub by the licence's short name.
_LICENCES = {
    "cc by 4.0": "cc-by-4.0",
    "cc by-nc 4.0": "cc-by-nc-4.0",
    "cc by-sa 4.0": "cc-by-sa-4.0",
    "cc by-nc-sa 4.0": "cc-by-nc-sa-4.0",
    "cc by-nc-nd 4.0": "cc-by-nc-nd-4.0",
    "cc0 1.0": "cc0-1.0",
}
_SCORES = {
    "WA": ("WA (accuracy)", "accuracy", "Weighted accuracy"),
    "UA": ("UA (mean recall)", "recall", "Unweighted accuracy"),
    "WF1": ("WF1 (class-weighted F1)", "f1", "Weighted F1"),
    "MF1": ("MF1 (macro F1)", "f1", "Macro F1"),
}


class Facts(NamedTuple):
    """What the export itself knows about the model.

    Arguments
    ---------
    model : str
        Name of the model's class.
    labels : list of str
        In the order of the outputs.
    sample_rate : int
        Hz
    trained_parameters, merged_parameters : int
        Number of parameters.
    hrf : dict
        Arguments of ``apply_hrf``; empty without HRF.
    checkpoint : str
        Name of the checkpoint.
    max_difference : float
        What the verification found.
    audio : str
        On what.
    load, load_standalone : str
        Code; the latter is empty if it is not needed.
    onnx : str
        What the export to ONNX found; empty without it.

    Example
    -------
    >>> facts = Facts("M", ["a"], 16000, 9, 6, {}, "CKPT+1", 0.0, "-", "", "")
    >>> facts.trained_parameters - facts.merged_parameters
    3
    """

    model: str
    labels: list
    sample_rate: int
    trained_parameters: int
    merged_parameters: int
    hrf: dict
    checkpoint: str
    max_difference: float
    audio: str
    load: str
    load_standalone: str
    onnx: str = ""


def model_card(facts, metrics):
    """Writes the card.

    Arguments
    ---------
    facts : Facts
        What the export knows.
    metrics : dict
        What the recipe wrote to ``test_metrics.json``; any key may be
        missing.

    Returns
    -------
    str
        Markdown.

    Example
    -------
    >>> facts = Facts(
    ...     "Conformer", ["sad", "angry"], 16000, 300, 200, {"ratio": 8},
    ...     "CKPT+1", 1e-7, "4 recordings", "load()", "",
    ... )
    >>> card = model_card(facts, {"dataset": "RAVDESS", "UA": 0.5})
    >>> "| UA (mean recall) | 0.5000 |" in card, "not evaluated" in card
    (True, True)
    """
    dataset = metrics.get("dataset") or "an unnamed corpus"
    parts = [
        f"---\n{_metadata(facts, metrics)}---",
        f"# {facts.model} trained on {dataset}",
    ]
    if metrics.get("synthetic"):
        parts.append(_SYNTHETIC.rstrip())
    if metrics.get("caution"):
        parts.append(f"> {metrics['caution']}")
    parts += [
        "Classifies utterances with SpeechBrain's `EncoderClassifier`: "
        f"{facts.sample_rate} Hz audio in, log-probabilities of "
        f"{len(facts.labels)} labels out ({', '.join(facts.labels)}). Audio "
        "of other rates, and stereo, is converted.",
        f"## How to load\n\n```python\n{facts.load}\n```",
        _standalone(facts),
        _on_a_device(facts),
        f"## Results\n\n{_results(metrics)}",
        _confusion(facts, metrics),
        f"## Sizes\n\n{_sizes(facts, metrics)}",
        f"## Check of this export\n\nLoaded in a fresh process, it gave the "
        f"log-probabilities of the trained model (checkpoint "
        f"`{facts.checkpoint}`) within {facts.max_difference:.1e}, "
        f"on {facts.audio}.",
        f"## Licence of the data\n\n{_licence(metrics)}",
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _task(metrics):
    return metrics.get("task") or "Speech emotion recognition"


def _metadata(facts, metrics):
    licence = "" if metrics.get("synthetic") else metrics.get("licence") or ""
    known = [
        identifier
        for name, identifier in _LICENCES.items()
        if name.replace("-", " ") in licence.lower().replace("-", " ")
    ]
    data = {
        "library_name": "speechbrain",
        "pipeline_tag": "audio-classification",
        "license": known[0] if known else "other",
        "tags": [
            "speechbrain",
            "audio-classification",
            _task(metrics).lower().replace(" ", "-"),
            facts.model,
            *(["high-rank-factorization"] if facts.hrf else []),
            *(["synthetic-data"] if metrics.get("synthetic") else []),
        ],
    }
    if licence and not known:
        data["license_name"] = re.sub(r"\W+", "-", licence.lower()).strip("-")
    scores = {key: metrics[key] for key in _SCORES if _is_number(metrics, key)}
    # Figures of a stand-in corpus do not belong on a leaderboard.
    if scores and not metrics.get("synthetic"):
        kinds = [_SCORES[key][1] for key in scores]
        data["metrics"] = list(dict.fromkeys(kinds))
        data["model-index"] = [_index(facts, metrics, scores)]
    stream = io.StringIO()
    yaml = ruamel.yaml.YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.dump(data, stream)
    return stream.getvalue()


def _index(facts, metrics, scores):
    dataset = str(metrics.get("dataset") or "unnamed")
    return {
        "name": facts.model,
        "results": [
            {
                "task": {
                    "type": "audio-classification",
                    "name": _task(metrics),
                },
                "dataset": {
                    "type": dataset.lower(),
                    "name": dataset,
                    **(
                        {"split": str(metrics["split"])}
                        if metrics.get("split")
                        else {}
                    ),
                },
                "metrics": [
                    {
                        "type": _SCORES[key][1],
                        "value": round(float(value), 4),
                        "name": _SCORES[key][2],
                    }
                    for key, value in scores.items()
                ],
            }
        ],
    }


def _standalone(facts):
    if not facts.load_standalone:
        return ""
    return (
        "Where only SpeechBrain is installed, and not the plugin "
        "`speechbrain-hrf`, the classes come from the file in this folder. It "
        "is run as code: read it first.\n\n"
        f"```python\n{facts.load_standalone}\n```\n\n"
        "Give no `savedir`, or a new one for each model: SpeechBrain serves "
        "the files it finds there, whatever the `source` is."
    )


def _on_a_device(facts):
    if not facts.onnx:
        return ""
    return (
        "## On a device\n\nWithout PyTorch and SpeechBrain: `model.onnx` takes "
        "`wavs` [batch, samples] (mono, "
        f"{facts.sample_rate} Hz, -1 to 1) and `wav_lens` [batch] (the share "
        "of the longest that is not padding; ones for a single recording) and "
        "gives `log_probabilities`; the features and their normalisation are "
        "inside. `model.features.onnx` takes `feats`, what `compute_features` "
        "gives, instead. `manifest.json` holds the labels, the geometry of "
        "frames and windows, and a hash of each file.\n\n```python\n"
        "from speechbrain_hrf.runtime import Classifier  # numpy, onnxruntime\n"
        'classifier = Classifier("path/to/this/folder")\n'
        "result = classifier(waveform, sample_rate)\n```\n\n"
        f"```text\n{facts.onnx}\n```"
    )


def _results(metrics):
    rows = [
        ("Corpus", metrics.get("dataset")),
        ("Protocol", metrics.get("protocol")),
        ("Split", metrics.get("split")),
        *(
            [("Corrections of the corpus", ", ".join(metrics["corrections"]))]
            if metrics.get("corrections")
            else []
        ),
        ("Test utterances", metrics.get("n_test")),
        ("Epoch", metrics.get("epoch")),
        ("Seed", metrics.get("seed")),
    ]
    rows = [
        (name, "unknown" if value is None else value) for name, value in rows
    ]
    for key, (name, _, _) in _SCORES.items():
        number = f"{metrics[key]:.4f}" if _is_number(metrics, key) else None
        rows.append((name, number or "not evaluated"))
    people = metrics.get("per_participant") or {}
    rows += [
        (f"{name}, per participant", f"{people[key]:.4f}")
        for key, (name, _, _) in _SCORES.items()
        if _is_number(people, key)
    ]
    return _table(("", ""), rows)


def _confusion(facts, metrics):
    labels = [str(label) for label in metrics.get("labels") or facts.labels]
    people = metrics.get("per_participant") or {}
    parts = [
        f"### {title}\n\nRows: the true label; columns: the model's answer.\n\n"
        + _table(
            ("", *labels),
            [
                (f"**{label}**", *row)
                for label, row in zip(labels, matrix, strict=False)
            ],
        )
        for title, matrix in (
            ("Confusion matrix", metrics.get("confusion")),
            ("Confusion matrix per participant", people.get("confusion")),
        )
        if matrix
    ]
    return "\n\n".join(parts)


def _sizes(facts, metrics):
    lightweight = metrics.get("params_lightweight", facts.merged_parameters)
    rows = [
        ("In training", facts.trained_parameters),
        ("Merged (this folder)", facts.merged_parameters),
        ("The same model, never expanded", lightweight),
    ]
    table = _table(("Parameters", ""), rows)
    if not facts.hrf:
        return table + "\n\nTrained without high-rank factorization (HRF)."
    options = "; ".join(
        f"{key}: {', '.join(value) if isinstance(value, list) else value}"
        for key, value in facts.hrf.items()
    )
    kind = (
        "normalised HRF (high-rank factorization with batch normalisation "
        "between the factors)"
        if facts.hrf.get("inner_norm")
        else "HRF (high-rank factorization) without normalisation"
    )
    return (
        table + f"\n\nTrained with {kind} of linear layers ({options}), which "
        "are multiplied out here."
    )


def _licence(metrics):
    if metrics.get("synthetic"):
        return "The signals were generated: no corpus's licence applies."
    return metrics.get("licence") or "Not stated: ask whoever trained it."


def _table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |"
        for line in lines
    )


def _is_number(metrics, key):
    return isinstance(metrics.get(key), int | float)
