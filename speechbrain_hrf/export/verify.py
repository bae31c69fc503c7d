"""Proves that an exported folder gives what the trained model gives.

SpeechBrain's ``Pretrainer`` only warns about parameters that do not fit, and
a class that is imported already hides that it cannot be imported. So the
folder is loaded in a fresh process, in both ways that its card offers, and
its log-probabilities are compared with those of the model as it was trained.

Authors
 * The speechbrain_hrf authors 2026
"""

import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
from typing import NamedTuple

import soundfile
import torch
from speechbrain.dataio.preprocess import AudioNormalizer
from speechbrain.inference.classifiers import EncoderClassifier

from speechbrain_hrf.export import fresh_process
from speechbrain_hrf.export.bundle import CLASSNAME

# Of a log-probability. In evaluation the trained model computes its collapsed
# weights as merging does, so that even a very confident model, whose -180 has
# no fifth decimal in float32, differs by nothing; a wrong weight shows in the
# second digit.
TOLERANCE = 1e-5
_RECORDINGS = 4
# No more of a recording is needed to compare two models.
_LONGEST_SECONDS = 30
_LINES_OF_ERROR = 15


class VerificationError(RuntimeError):
    """An exported folder does not give what the trained model gives.

    Example
    -------
    >>> raise VerificationError("a.wav: 1.0e-01")
    Traceback (most recent call last):
    ...
    speechbrain_hrf.export.verify.VerificationError: a.wav: 1.0e-01
    """


class Verification(NamedTuple):
    """What was compared, and how well it agrees.

    Arguments
    ---------
    max_difference : float
        Largest one among all log-probabilities.
    audio : str
        On what.

    Example
    -------
    >>> Verification(1e-7, "4 recordings of the test set").max_difference
    1e-07
    """

    max_difference: float
    audio: str


def verify(folder, training, trained, audio=None, bundle=None):
    """Loads a folder in a fresh process and compares it with the training.

    Arguments
    ---------
    folder : str or os.PathLike
        The exported folder.
    training : Training
        What it was exported from.
    trained : dict
        The four modules as they were trained.
    audio : list of str, optional
        Files to compare on; default some of the training's test set, or, if
        there are none, signals made for the purpose.
    bundle : Bundle, optional
        The bundled file in the folder, if there is one.

    Returns
    -------
    Verification

    Raises
    ------
    VerificationError
        The folder does not load, or its log-probabilities or labels are not
        those of the trained model.

    Example
    -------
    >>> verify("folder", None, None, audio=["none.wav"])
    Traceback (most recent call last):
    ...
    FileNotFoundError: There is no audio file .../none.wav.
    """
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        files, described = audio_files(training, audio, scratch)
        expected = _expected(training, trained, files)
        request = {
            "source": str(pathlib.Path(folder).absolute()),
            "savedir": str(scratch / "savedir"),
            "files": files,
            "blocked": [],
            "standalone": None,
        }
        if bundle is not None:
            request["blocked"] = sorted(
                {name.partition(".")[0] for name in bundle.names}
            )
            request["standalone"] = {
                "hparams_file": "hyperparams_standalone.yaml",
                "pymodule_file": f"{bundle.module}.py",
                "classname": CLASSNAME,
            }
        found = _ask(request, scratch)
    worst = 0.0
    for route, answers in found.items():
        differences = {
            file: _difference(expected[file], answers[file], training.labels)
            for file in files
        }
        worst = max(worst, *differences.values())
        if worst > TOLERANCE:
            raise VerificationError(
                f"Loaded by {route}, the exported model differs from the "
                f"trained one by more than {TOLERANCE:.0e}; nothing was "
                "exported. Largest difference of a log-probability, and label "
                "trained -> exported:\n"
                + "\n".join(
                    f"{os.path.basename(file)}: {differences[file]:.1e} "
                    f"({expected[file][1]} -> {answers[file][1]})"
                    for file in files
                )
            )
    return Verification(worst, described)


def audio_files(training, audio, scratch):
    """The recordings to compare on, each of 30 s at most.

    Arguments
    ---------
    training : Training
        What was exported.
    audio : list of str or None
        Files to take instead of the test set's.
    scratch : pathlib.Path
        Folder for what has to be cut or made up; the caller removes it.

    Returns
    -------
    list of str
        Paths.
    str
        What they are.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        A file is no audio, or holds none.

    Example
    -------
    >>> audio_files(None, ["none.wav"], None)
    Traceback (most recent call last):
    ...
    FileNotFoundError: There is no audio file .../none.wav.
    """
    if audio:
        paths = [os.path.abspath(path) for path in audio]
        for path in paths:
            if not os.path.isfile(path):
                raise FileNotFoundError(f"There is no audio file {path}.")
        described = f"{_counted(paths)} given for it"
    else:
        paths = [
            os.path.abspath(path) for path in training.recordings(_RECORDINGS)
        ]
        described = f"{_counted(paths)} of the test set"
    if not paths:
        rate = training.definition.sample_rate
        paths = _made_up(scratch, rate)
        described = (
            f"{len(paths)} generated signals (no whole recording of the test "
            "set is at hand)"
        )
    return [_at_most_longest(path, scratch) for path in paths], described


def _counted(paths):
    return f"{len(paths)} recording" + "s" * (len(paths) != 1)


def _at_most_longest(path, scratch):
    try:
        info = soundfile.info(path)
    except soundfile.SoundFileError as error:
        raise ValueError(
            f"{path} cannot be read as audio ({error}): give other files to "
            "verify on (--audio)."
        ) from error
    if not info.frames:
        raise ValueError(
            f"{path} holds no sample: give other files to verify on (--audio)."
        )
    if info.duration <= _LONGEST_SECONDS:
        return path
    samples, rate = soundfile.read(
        path, frames=int(_LONGEST_SECONDS * info.samplerate), dtype="float32"
    )
    cut = scratch / f"{len(list(scratch.iterdir()))}.wav"
    soundfile.write(cut, samples, rate, subtype="FLOAT")
    return str(cut)


def _made_up(scratch, rate):
    # A gliding voice-like tone in noise, of different lengths.
    generator = torch.Generator().manual_seed(0)
    paths = []
    for number, seconds in enumerate((0.3, 1.0, 2.5, 7.0)):
        time = torch.arange(int(seconds * rate)) / rate
        phase = 2 * math.pi * (110 * (number + 1) * time + 15 * time**2)
        signal = sum(torch.sin(k * phase) / k for k in range(1, 9))
        noise = torch.randn(len(time), generator=generator)
        path = scratch / f"signal{number}.wav"
        soundfile.write(path, (0.1 * signal + 0.01 * noise).numpy(), rate)
        paths.append(str(path))
    return paths


def _expected(training, modules, files):
    hparams = {
        "label_encoder": training.label_encoder,
        "audio_normalizer": AudioNormalizer(training.definition.sample_rate),
    }
    classifier = EncoderClassifier(modules, hparams, run_opts={"device": "cpu"})
    n_labels = len(training.labels)
    expected = {}
    for file in files:
        wavs = classifier.load_audio(file).unsqueeze(0)
        output = classifier.mods.classifier(classifier.encode_batch(wavs))
        if output.shape[-1] != n_labels:
            raise ValueError(
                f"The classifier has {output.shape[-1]} outputs, but "
                f"{training.label_file} has {n_labels} labels: they are not "
                "of one training."
            )
        if not torch.isfinite(output).all():
            raise ValueError(
                f"The trained model itself gives {output.flatten().tolist()} "
                f"for {file}: that file holds NaN, or what the training saved "
                "of compute_features or mean_var_norm does."
            )
        expected.update(fresh_process.answers(classifier, [file]))
    return expected


def _ask(request, scratch):
    paths = scratch / "request.json", scratch / "answer.json"
    paths[0].write_text(json.dumps(request), encoding="utf-8")
    # The current folder comes along: a recipe may define its model there.
    path = [os.path.abspath(entry) for entry in sys.path]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HF_HUB_OFFLINE": "1",
    }
    for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE"):
        environment.pop(name, None)  # it is no part of a distributed run
    process = subprocess.run(
        [sys.executable, fresh_process.__file__, *map(str, paths)],
        cwd=scratch,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode:
        lines = process.stderr.strip().splitlines()[-_LINES_OF_ERROR:]
        raise VerificationError(
            "The exported folder does not load in a fresh process; nothing "
            "was exported. It says:\n" + "\n".join(lines)
        )
    return json.loads(paths[1].read_text(encoding="utf-8"))


def _difference(expected, found, labels):
    (mine, _), (theirs, label) = expected, found
    if len(mine) != len(theirs) or label != labels[theirs.index(max(theirs))]:
        return math.inf
    differences = [abs(a - b) for a, b in zip(mine, theirs, strict=True)]
    if not all(map(math.isfinite, differences)):
        return math.inf
    return max(differences)
