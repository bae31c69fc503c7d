"""Writes hrf_model.h and hrf_model.c into an export, verified.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import pathlib
import tempfile
from collections.abc import Mapping, Sequence

from speechbrain_hrf.export.c.check import check, compare_int8, to_int16
from speechbrain_hrf.export.c.library import (
    Library,
    compile_library,
    find_compiler,
)
from speechbrain_hrf.export.c.source import (
    HEADER,
    SOURCE,
    SOURCE_INT8,
    make_sources,
)
from speechbrain_hrf.export.definition import Modules
from speechbrain_hrf.export.examples import load_examples
from speechbrain_hrf.export.training import Training


def write_c(
    folder: pathlib.Path,
    training: Training,
    modules: Modules,
    audio: Sequence[str] | None = None,
    int8: bool = False,
) -> str:
    """Adds the model as C to an exported folder.

    Arguments
    ---------
    folder : pathlib.Path
        SpeechBrain loads it already.
    training : speechbrain_hrf.export.training.Training
    modules : dict
        The four modules of ``EncoderClassifier``, plain.
    audio : list of str, optional
        Files to verify on; default some of the training's test set.
    int8 : bool
        Whether to add hrf_model_int8.c.

    Returns
    -------
    str
        What was found.

    Raises
    ------
    ValueError
        C is not written for such a model, or the compiler refuses it.
    speechbrain_hrf.export.VerificationError
        What was compiled differs from SpeechBrain.

    Example
    -------
    >>> import torch
    >>> modules = {"compute_features": torch.nn.Identity()}
    >>> modules["mean_var_norm"] = modules["compute_features"]
    >>> write_c(pathlib.Path("model"), None, modules)
    Traceback (most recent call last):
    ...
    AttributeError: 'NoneType' object has no attribute 'labels'
    """
    files = make_sources(
        modules, training.labels, int8, training.definition.sample_rate
    )
    compiler = find_compiler()
    if not compiler:
        named = os.environ.get("CC")
        missing = f"CC={named!r}" if named else "cc, or what CC names"
        found = (
            f"{SOURCE}: not verified, for there is no C compiler here "
            f"({missing})"
        )
    else:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
            libraries = {
                name: compile_library(
                    compiler,
                    files,
                    name,
                    len(training.labels),
                    pathlib.Path(scratch),
                )
                for name in files
                if name != HEADER
            }
            found = _verify(folder, training, modules, libraries, audio)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    return found


def _verify(
    folder: pathlib.Path,
    training: Training,
    modules: Modules,
    libraries: Mapping[str, Library],
    audio: Sequence[str] | None,
) -> str:
    classifier, recordings, examples, described = load_examples(
        folder, training, modules, audio
    )
    differences = check(libraries[SOURCE], classifier, examples)
    found = (
        f"{SOURCE}: compiled here, it differs from SpeechBrain by "
        f"{max(differences.values()):.1e} on {len(differences)} signals, "
        f"{described} among them"
    )
    if SOURCE_INT8 in libraries:
        signals = [to_int16(signal.numpy()) for signal in recordings.values()]
        int8 = compare_int8(
            libraries[SOURCE],
            libraries[SOURCE_INT8],
            list(training.recordings()),
            signals,
            training.definition.sample_rate,
        )
        found = f"{found}\n{int8}"
    return found
