"""From a training to a folder that SpeechBrain's EncoderClassifier loads.

A run, also from the command line, looks like this::

    report = export_pretrained("results/RAVDESS/1234", "my_model")
    print(report)

Authors
 * The speechbrain_hrf authors 2026
"""

import itertools
import os
import pathlib
import re
import shutil
from collections.abc import Iterable, Sequence

import torch

from speechbrain_hrf.export.bundle import HOOK, bundle
from speechbrain_hrf.export.card import model_card
from speechbrain_hrf.export.definition import HEADER, Modules
from speechbrain_hrf.export.manifest import (
    describe,
    list_files,
    write_manifest,
)
from speechbrain_hrf.export.model import (
    learnt_part,
    name_loadables,
    plain_model,
    save,
    trained_model,
)
from speechbrain_hrf.export.onnx import check_precision
from speechbrain_hrf.export.report import ExportReport
from speechbrain_hrf.export.training import Training
from speechbrain_hrf.export.verify import verify
from speechbrain_hrf.extras import require
from speechbrain_hrf.files import replace_folder
from speechbrain_hrf.inference.expansion import describe_expansion
from speechbrain_hrf.inference.safe import WEIGHTS, find_refusal, write_weights
from speechbrain_hrf.nnet import count_parameters
from speechbrain_hrf.runtime.checksums import find_own, is_of_tools
from speechbrain_hrf.runtime.folder import read_description

# What an export writes only if it is asked to.
_BY_OPTION = {
    "onnx": r"model(\.\w+)*\.onnx",
    "c": r"hrf_model\.h|hrf_model(_int8)?\.c",
    "int8": r"model\.int8\.onnx|hrf_model_int8\.c",
    "fp16": r"model\.fp16\.onnx",
}
_OURS = re.compile(
    r"hyperparams(_standalone)?\.yaml|README\.md|\w+\.ckpt"
    r"|hrf_\w+_[0-9a-f]{8}\.py|__pycache__|manifest\.json|model\.safetensors|"
    + "|".join(_BY_OPTION.values())
)


def export_pretrained(
    output_folder: str | os.PathLike[str],
    target: str | os.PathLike[str],
    audio: Sequence[str] | None = None,
    onnx: bool = False,
    precisions: Sequence[str] = (),
    keep: bool = False,
    c: bool = False,
) -> ExportReport:
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
        is a gain on the labelled recordings of the test set. int8 goes for C
        as well.
    keep : bool
        Whether such an ONNX file stays even if it is no gain. C's does.
    c : bool
        Whether to write the model as C as well, for a microcontroller.

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
        The target holds something that is not an export, or a file that was
        changed since.
    OSError
        The target cannot be written.
    ValueError
        The checkpoint is damaged, holds NaN, or is of another architecture;
        the YAML lacks something; the model cannot be exported to ONNX or C;
        an option that goes with another one comes without it.
    VerificationError
        The exported folder does not give what the trained model gives, or
        ONNX Runtime or the C does not give what the folder gives.
        In all cases the target is as it was.

    Example
    -------
    >>> export_pretrained("results/none", getfixture("tmpdir") / "model")
    Traceback (most recent call last):
    ...
    FileNotFoundError: There is no folder results/none.
    """
    _check_options(onnx, precisions, keep, c)
    training = Training(output_folder)
    target = pathlib.Path(target)
    with replace_folder(target, _why_not_replaced) as staging:
        before = os.listdir(target) if target.is_dir() else []
        # Building modules draws random numbers; the caller's are left alone.
        with torch.random.fork_rng(devices=[]):
            modules = plain_model(training)
            trained = trained_model(training)
        report = _write(staging, target, training, modules, trained, audio)
        if onnx:
            report.onnx = _write_onnx(
                staging, training, modules, audio, precisions, keep
            )
        if c:
            # Imports what only this needs.
            from speechbrain_hrf.export.c.files import write_c

            report.c = write_c(
                staging, training, modules, audio, "int8" in precisions
            )
        card = model_card(report, training.results)
        _write_text(staging / "README.md", card)
        _write_checksums(staging)
        report.files = {
            path.name: path.stat().st_size for path in sorted(staging.iterdir())
        }
        asked = [*precisions, *["onnx"] * onnx, *["c"] * c]
        report.lost = _say_lost(before, report, asked)
    return report


def why_not_ours(folder: pathlib.Path) -> str | None:
    """Why a folder is not what an export has written.

    Arguments
    ---------
    folder : pathlib.Path

    Returns
    -------
    str or None
        None if it is an export, and nothing else but what tools leave.

    Example
    -------
    >>> folder = pathlib.Path(getfixture("tmpdir"))
    >>> _ = (folder / "thesis.txt").write_text("")
    >>> why_not_ours(folder)
    'it holds thesis.txt, which no export has written'
    """
    for path in sorted(folder.iterdir()):
        if not is_ours(path.name) and not is_of_tools(path.name):
            return f"it holds {path.name}, which no export has written"
    definition = folder / "hyperparams.yaml"
    if not definition.is_file():
        return "it holds no hyperparams.yaml of an export"
    with open(definition, encoding="utf-8", errors="replace") as stream:
        if stream.readline().rstrip() != HEADER:
            return "its hyperparams.yaml was not written by an export"
    return None


def _why_not_replaced(folder: pathlib.Path) -> str | None:
    reason = why_not_ours(folder)
    if reason:
        return reason
    # Such as .git, which is more than what a desktop leaves.
    own = [x.name for x in folder.iterdir() if x.name[0] == "."]
    own += find_own(folder)
    if own:
        return (
            f"its {own[0]} was added or changed since it was exported (move "
            "that away to have the others replaced)"
        )
    return None


def _say_lost(
    before: Iterable[str], report: ExportReport, asked: Sequence[str]
) -> str:
    """What an earlier export had, and this one was not asked for."""
    gone = sorted({*before} - report.files.keys())
    lost = {
        option: [name for name in gone if re.fullmatch(pattern, name)]
        for option, pattern in _BY_OPTION.items()
        if option not in asked
    }
    names = sorted({*itertools.chain(*lost.values())})
    options = " ".join(f"--{option}" for option, found in lost.items() if found)
    if not names:
        return ""
    return (
        f"No longer in {report.folder}: {', '.join(names)}: add {options} to "
        "have them again"
    )


def is_ours(name: str) -> bool:
    """Whether an export may have written a file.

    Arguments
    ---------
    name : str
        Of the file.

    Returns
    -------
    bool

    Example
    -------
    >>> is_ours("classifier.ckpt"), is_ours("speech.wav")
    (True, False)
    """
    return bool(_OURS.fullmatch(name))


def _check_options(
    onnx: bool, precisions: Sequence[str], keep: bool, c: bool
) -> None:
    only_onnx = [x for x in precisions if not (c and x == "int8")]
    if only_onnx and not onnx:
        raise ValueError(
            f"{', '.join(only_onnx)} without ONNX: other precisions are made "
            "of model.onnx. Ask for it as well (--onnx); int8 goes with --c, "
            "too."
        )
    if keep and not (onnx and precisions):
        raise ValueError(
            "There is no file to keep (--keep): ask for ONNX in int8 or fp16 "
            "as well (--onnx, --int8, --fp16). C in int8 is always kept."
        )
    for precision in precisions:
        check_precision(precision)
    if onnx:
        require("onnx", ("onnx", "onnxscript", "onnxruntime"), "ONNX")


def _write(
    staging: pathlib.Path,
    target: pathlib.Path,
    training: Training,
    modules: Modules,
    trained: Modules,
    audio: Sequence[str] | None,
) -> ExportReport:
    definition, n_labels = training.definition, len(training.labels)
    names = name_loadables(modules, training)
    for name in names:
        save(modules[name], staging / f"{name}.ckpt")
    write_weights(staging / WEIGHTS, modules, names)
    shutil.copyfile(training.label_file, staging / "label_encoder.ckpt")
    _write_text(staging / "hyperparams.yaml", definition.write(names, n_labels))
    single = bundle(definition.objects, definition.model_name)
    if single is not None:
        _write_text(staging / f"{single.module}.py", single.text)
        standalone = definition.write(
            names, n_labels, single.names, f"{single.module}.{HOOK}"
        )
        _write_text(staging / "hyperparams_standalone.yaml", standalone)
    description = describe(training, modules)
    write_manifest(staging, description)
    _write_checksums(staging)
    refused = find_refusal(description["modules"])
    difference, compared = verify(
        staging, training, trained, audio, single, is_safe=not refused
    )
    as_trained = learnt_part(trained)
    return ExportReport(
        folder=target,
        checkpoint=training.checkpoint,
        model=definition.model_name,
        labels=training.labels,
        sample_rate=definition.sample_rate,
        trained_parameters=count_parameters(as_trained),
        merged_parameters=count_parameters(learnt_part(modules)),
        hrf=describe_expansion(as_trained),
        max_difference=difference,
        audio=compared,
        module=single.module if single else "",
        only_bundled=single is not None and single.holds_foreign_code,
        refused=refused or "",
    )


def _write_onnx(
    staging: pathlib.Path,
    training: Training,
    modules: Modules,
    audio: Sequence[str] | None,
    precisions: Sequence[str],
    keep: bool,
) -> str:
    # Imports packages of an extra, and takes a while.
    from speechbrain_hrf.export.onnx.files import write_onnx

    found = [write_onnx(staging, training, modules, audio)]
    if precisions:
        from speechbrain_hrf.export.onnx.precision import add_precision

        recordings = list(training.recordings())
        for precision in precisions:
            added = add_precision(staging, precision, recordings, keep)
            found.append(str(added))
    return "\n".join(found)


def _write_checksums(staging: pathlib.Path) -> None:
    content = read_description(staging) | {"files": list_files(staging)}
    write_manifest(staging, content)


def _write_text(path: pathlib.Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
