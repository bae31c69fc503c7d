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
from collections.abc import Mapping, Sequence
from typing import Any

import soundfile
import torch
from speechbrain.dataio.preprocess import AudioNormalizer
from speechbrain.inference.classifiers import EncoderClassifier
from tqdm import tqdm

from speechbrain_hrf.dataio.sound.sound_file import SoundFile
from speechbrain_hrf.dataio.synthetic.voice import synthesize
from speechbrain_hrf.export import fresh_process
from speechbrain_hrf.export.bundle import CLASSNAME, Bundle
from speechbrain_hrf.export.definition import Modules
from speechbrain_hrf.export.fresh_process import Answers
from speechbrain_hrf.export.training import Training

# Of a log-probability. In evaluation the trained model computes its collapsed
# weights as merging does, so that even a very confident model, whose -180 has
# no fifth decimal in float32, differs by nothing; a wrong weight shows in the
# second digit.
TOLERANCE = 1e-5
_RECORDINGS = 4
# No more of a recording is needed to compare two models.
_LONGEST_SECONDS = 30
_LINES_OF_ERROR = 15
# Of signals that are made up, where there are no recordings.
_SECONDS = (0.3, 1.0, 2.5, 7.0)


class VerificationError(RuntimeError):
    """An exported folder does not give what the trained model gives.

    Example
    -------
    >>> raise VerificationError("a.wav: 1.0e-01")
    Traceback (most recent call last):
    ...
    speechbrain_hrf.export.verify.VerificationError: a.wav: 1.0e-01
    """


def verify(
    folder: str | os.PathLike[str],
    training: Training,
    trained: Modules,
    audio: Sequence[str] | None = None,
    bundle: Bundle | None = None,
    is_safe: bool = False,
) -> tuple[float, str]:
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
    is_safe : bool
        Whether it must also load without running its YAML.

    Returns
    -------
    float
        Largest difference among all log-probabilities.
    str
        On what they were compared.

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
    with tempfile.TemporaryDirectory() as name:
        scratch = pathlib.Path(name)
        files, described = audio_files(training, audio, scratch)
        expected = _answer_as_trained(training, trained, files)
        request = {
            "source": str(pathlib.Path(folder).absolute()),
            "files": files,
            "safe": is_safe,
            "blocked": sorted(
                {n.partition(".")[0] for n in bundle.names} if bundle else ()
            ),
            "standalone": bundle
            and {
                "hparams_file": "hyperparams_standalone.yaml",
                "pymodule_file": f"{bundle.module}.py",
                "classname": CLASSNAME,
            },
        }
        found = _ask(request, scratch)
    worst = 0.0
    for route, answers in found.items():
        differences = {
            file: measure_difference(
                expected[file], answers[file], training.labels
            )
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
    return worst, described


def audio_files(
    training: Training, audio: Sequence[str] | None, scratch: pathlib.Path
) -> tuple[list[str], str]:
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
        paths, whose = [os.path.abspath(path) for path in audio], "given for it"
    else:
        # A recording may have several entries.
        known = dict.fromkeys(path for path, _ in training.recordings())
        paths = [os.path.abspath(path) for path in known][:_RECORDINGS]
        whose = "of the test set"
    described = f"{len(paths)} recording{'s' * (len(paths) != 1)} {whose}"
    if not paths:
        rate = training.definition.sample_rate
        for number, seconds in enumerate(_SECONDS):
            wave = synthesize("calm", "A", "female", number, seconds, rate)
            paths.append(str(scratch / f"signal{number}.wav"))
            soundfile.write(paths[-1], wave, rate)
        described = (
            f"{len(paths)} generated signals (no whole recording of the test "
            "set is at hand)"
        )
    return [_cut(path, scratch) for path in paths], described


def measure_difference(
    expected: tuple[list[float], str],
    found: tuple[list[float], str],
    labels: Sequence[str],
) -> float:
    """Largest difference of a log-probability between two answers.

    Arguments
    ---------
    expected, found : tuple of (list of float, str)
        Log-probabilities and label.
    labels : list of str
        In the order of the log-probabilities.

    Returns
    -------
    float
        Infinite if they are not as many, no numbers, or if the label found is
        not that of the largest one.

    Example
    -------
    >>> measure_difference(([-0.5, -1.0], "a"), ([-0.5, -1.5], "a"), "ab")
    0.5
    """
    (mine, _), (theirs, label) = expected, found
    if len(mine) != len(theirs) or label != labels[theirs.index(max(theirs))]:
        return math.inf
    differences = [abs(a - b) for a, b in zip(mine, theirs, strict=True)]
    return (
        max(differences) if all(map(math.isfinite, differences)) else math.inf
    )


def _cut(path: str, scratch: pathlib.Path) -> str:
    if not os.path.isfile(path):
        raise FileNotFoundError(f"There is no audio file {path}.")
    try:
        with SoundFile(path) as file:
            rate, limit = file.samplerate, _LONGEST_SECONDS * file.samplerate
            samples, is_short = file.read_whole(limit), file.frames <= limit
    except soundfile.SoundFileError as error:
        raise ValueError(
            f"{path} cannot be read as audio ({error}): give other files to "
            "verify on (--audio)."
        ) from error
    if not len(samples):
        raise ValueError(
            f"{path} holds no sample: give other files to verify on (--audio)."
        )
    if is_short:
        return path
    cut = scratch / f"{len(list(scratch.iterdir()))}.wav"
    soundfile.write(cut, samples, rate, subtype="FLOAT")
    return str(cut)


def _answer_as_trained(
    training: Training, modules: Modules, files: Sequence[str]
) -> Answers:
    hparams = {
        "label_encoder": training.label_encoder,
        "audio_normalizer": AudioNormalizer(training.definition.sample_rate),
    }
    classifier = EncoderClassifier(modules, hparams, run_opts={"device": "cpu"})
    for file in files:
        wavs = classifier.load_audio(file).unsqueeze(0)
        try:
            output = classifier.mods.classifier(classifier.encode_batch(wavs))
        except Exception as error:  # a model may raise anything
            raise ValueError(
                "The trained model cannot be run as EncoderClassifier runs "
                "it, compute_features(wavs), mean_var_norm(feats, wav_lens), "
                "embedding_model(feats, wav_lens), classifier(embedding) "
                f"({type(error).__name__}: {error}): give its modules these "
                "arguments."
            ) from error
        if output.shape[-1] != len(training.labels):
            raise ValueError(
                f"The classifier has {output.shape[-1]} outputs, but "
                f"{training.label_file} has {len(training.labels)} labels: "
                "they are not of one training."
            )
        if not torch.isfinite(output).all():
            raise ValueError(
                f"The trained model itself gives {output.flatten().tolist()} "
                f"for {file}: that file holds NaN, or what the training saved "
                "of compute_features or mean_var_norm does."
            )
    return fresh_process.answer(classifier, list(files))


def _ask(
    request: Mapping[str, Any], scratch: pathlib.Path
) -> dict[str, Answers]:
    asked, answered = scratch / "request.json", scratch / "answer.json"
    asked.write_text(json.dumps(request), encoding="utf-8")
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
    routes = 1 + bool(request["standalone"]) + request["safe"]
    total = routes * len(request["files"])
    with (
        open(scratch / "errors.txt", "w+", errors="replace") as errors,
        tqdm(total=total, desc="loading the export", disable=None) as bar,
        subprocess.Popen(
            [sys.executable, fresh_process.__file__, asked, answered],
            cwd=scratch,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        for line in process.stdout or ():
            bar.update(line.rstrip() == fresh_process.ANSWERED)
        process.wait()
        errors.seek(0)
        said = errors.read()
    if process.returncode:
        lines = said.strip().splitlines()[-_LINES_OF_ERROR:]
        raise VerificationError(
            "The exported folder does not load in a fresh process; nothing "
            "was exported. It says:\n" + "\n".join(lines)
        )
    found: dict[str, Answers] = json.loads(answered.read_text("utf-8"))
    return found
