"""From a training to a folder that SpeechBrain's EncoderClassifier loads.

A run, also from the command line, looks like this::

    report = export_pretrained("results/RAVDESS/1234", "my_model")
    print(report)

Authors
 * The speechbrain_hrf authors 2026
"""

import pathlib
import re
import shutil

import torch

from speechbrain_hrf.export.bundle import CLASSNAME, HOOK, bundle
from speechbrain_hrf.export.card import Facts, model_card
from speechbrain_hrf.export.definition import HEADER
from speechbrain_hrf.export.model import (
    LEARNT,
    loadables,
    plain_model,
    save,
    trained_model,
)
from speechbrain_hrf.export.report import ExportReport
from speechbrain_hrf.export.training import Training
from speechbrain_hrf.export.verify import verify
from speechbrain_hrf.extras import require
from speechbrain_hrf.files import replace_folder
from speechbrain_hrf.nnet import count_parameters

_OURS = re.compile(
    r"hyperparams(_standalone)?\.yaml|README\.md|\w+\.ckpt"
    r"|hrf_\w+_[0-9a-f]{8}\.py|__pycache__"
    r"|model(\.\w+)*\.onnx|manifest\.json"
)
_LOAD = """\
from speechbrain.inference.classifiers import EncoderClassifier
classifier = EncoderClassifier.from_hparams(source="{source}")
log_probabilities, score, index, label = classifier.classify_file("speech.wav")"""
_LOAD_STANDALONE = """\
from speechbrain.inference.interfaces import foreign_class
classifier = foreign_class(
    source="{source}",
    hparams_file="hyperparams_standalone.yaml",
    pymodule_file="{module}.py",
    classname="{classname}",
)"""
_ANYWHERE = "path/to/this/folder"


def export_pretrained(
    output_folder, target, audio=None, onnx=False, precisions=(), keep=False
):
    """Exports a trained model, merged, verified, all or nothing.

    Arguments
    ---------
    output_folder : str or os.PathLike
        The output folder of a training (the checkpoint that was evaluated is
        taken, else the newest), or a checkpoint folder inside it. The
        recipe's YAML needs the top-level keys sample_rate, compute_features,
        mean_var_norm, embedding_model and classifier.
    target : str or os.PathLike
        The folder to write: new, empty, or an earlier export.
    audio : list of str, optional
        Files to verify the export on; default some of the test set.
    onnx : bool
        Whether to write the model as ONNX as well, with the front end inside
        and without, and a manifest (needs the extra ``onnx``).
    precisions : sequence of str
        int8, fp16: store the parameters of ``model.onnx`` so as well, if that
        is a gain on the labelled recordings of the test set.
    keep : bool
        Whether such a file stays even if it is no gain.

    Returns
    -------
    ExportReport

    Raises
    ------
    ImportError
        A package of the extra ``onnx`` is missing.
    FileNotFoundError
        Something that the export needs is missing.
    FileExistsError
        The target holds something that is not an export.
    OSError
        The target cannot be written.
    ValueError
        The checkpoint is damaged, holds NaN, or is of another architecture;
        the YAML lacks something; the model cannot be exported to ONNX; an
        option that goes with another one comes without it.
    VerificationError
        The exported folder does not give what the trained model gives, or
        ONNX Runtime does not give what the folder gives.
        In all cases the target is as it was.

    Example
    -------
    >>> export_pretrained("results/none", getfixture("tmpdir") / "model")
    Traceback (most recent call last):
    ...
    FileNotFoundError: There is no folder results/none.
    """
    if precisions and not onnx:
        raise ValueError(
            f"{', '.join(precisions)} without ONNX: other precisions are made "
            "of model.onnx. Ask for it as well (--onnx)."
        )
    if keep and not precisions:
        raise ValueError(
            "There is no file to keep (--keep): ask for int8 or fp16 as well "
            "(--int8, --fp16)."
        )
    if onnx:
        require("onnx", ("onnx", "onnxscript", "onnxruntime"), "ONNX")
    if precisions:
        from speechbrain_hrf.export.onnx.rounding import check_precision

        for precision in precisions:
            check_precision(precision)
    training = Training(output_folder)
    target = pathlib.Path(target)
    with replace_folder(target, why_not_ours) as staging:
        facts, verification = _write(
            staging, training, audio, onnx, precisions, keep
        )
        card = model_card(facts, training.metrics)
        (staging / "README.md").write_text(card, encoding="utf-8")
        files = {
            path.name: path.stat().st_size for path in sorted(staging.iterdir())
        }
    return ExportReport(
        folder=target,
        files=files,
        checkpoint=training.checkpoint,
        trained_parameters=facts.trained_parameters,
        merged_parameters=facts.merged_parameters,
        max_difference=verification.max_difference,
        audio=verification.audio,
        load=facts.load.replace(_ANYWHERE, target.as_posix()),
        load_standalone=facts.load_standalone.replace(
            _ANYWHERE, target.as_posix()
        ),
        onnx=facts.onnx,
    )


def why_not_ours(folder):
    """Why a folder must not be replaced by an export.

    Arguments
    ---------
    folder : pathlib.Path

    Returns
    -------
    str or None
        None if it is an earlier export and nothing else.

    Example
    -------
    >>> folder = pathlib.Path(getfixture("tmpdir"))
    >>> _ = (folder / "thesis.txt").write_text("")
    >>> why_not_ours(folder)
    'it holds thesis.txt, which no export has written'
    """
    for path in sorted(folder.iterdir()):
        if not _OURS.fullmatch(path.name):
            return f"it holds {path.name}, which no export has written"
    definition = folder / "hyperparams.yaml"
    if not definition.is_file():
        return "it holds no hyperparams.yaml of an export"
    with open(definition, encoding="utf-8", errors="replace") as stream:
        if stream.readline().rstrip() != HEADER:
            return "its hyperparams.yaml was not written by an export"
    return None


def _write(staging, training, audio, onnx, precisions, keep):
    definition = training.definition
    # Building modules draws random numbers; the caller's are left alone.
    with torch.random.fork_rng(devices=[]):
        modules = plain_model(training)
        trained = trained_model(training)
    names = loadables(modules, training)
    for name in names:
        save(modules[name], staging / f"{name}.ckpt")
    shutil.copyfile(training.label_file, staging / "label_encoder.ckpt")
    n_labels = len(training.labels)
    _write_text(staging / "hyperparams.yaml", definition.text(names, n_labels))
    single = bundle(definition.objects, definition.model_name)
    if single is not None:
        _write_text(staging / f"{single.module}.py", single.text)
        _write_text(
            staging / "hyperparams_standalone.yaml",
            definition.text(
                names, n_labels, single.names, f"{single.module}.{HOOK}"
            ),
        )
    verification = verify(staging, training, trained, audio, single)
    graphs = ""
    if onnx:
        # Imports packages of an extra, and takes a while.
        from speechbrain_hrf.export.onnx.files import write_onnx

        graphs = write_onnx(staging, training, modules, audio)
    if precisions:
        from speechbrain_hrf.export.onnx.precision import add_precision

        recordings = list(training.labelled_recordings())
        for precision in precisions:
            added = add_precision(staging, precision, recordings, keep)
            graphs += f"\n{added}"
    facts = Facts(
        model=definition.model_name,
        labels=training.labels,
        sample_rate=definition.sample_rate,
        trained_parameters=_count(trained),
        merged_parameters=_count(modules),
        hrf=definition.hrf_arguments(),
        checkpoint=training.checkpoint.name,
        max_difference=verification.max_difference,
        audio=verification.audio,
        load=_LOAD.format(source=_ANYWHERE),
        load_standalone=""
        if single is None
        else _LOAD_STANDALONE.format(
            source=_ANYWHERE, module=single.module, classname=CLASSNAME
        ),
        onnx=graphs,
    )
    return facts, verification


def _count(modules):
    return sum(count_parameters(modules[key]) for key in LEARNT)


def _write_text(path, text):
    path.write_text(text, encoding="utf-8")
