"""What an export is held against SpeechBrain on, and how closely.

Authors
 * The speechbrain_hrf authors 2026
"""

import math
import os
import pathlib
import tempfile
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from speechbrain.inference.classifiers import EncoderClassifier

from speechbrain_hrf.export.definition import Modules
from speechbrain_hrf.export.training import Training
from speechbrain_hrf.export.verify import VerificationError, audio_files

# Of a log-probability. Both sides compute in float32, in another order.
TOLERANCE = 1e-4
# Below this one the tolerance grows with it: float32 rounds -300 to no more
# than 3e-5, and what has led there likewise.
LARGE = -10.0


class Audio(NamedTuple):
    """A batch of signals.

    Arguments
    ---------
    name : str
        What it is.
    wavs : torch.Tensor
        Zero-padded, [B, samples].
    wav_lens : torch.Tensor
        Relative lengths, [B].

    Example
    -------
    >>> Audio("silence", torch.zeros(1, 16000), torch.ones(1)).name
    'silence'
    """

    name: str
    wavs: torch.Tensor
    wav_lens: torch.Tensor


def make_examples(
    recordings: Mapping[str, torch.Tensor], sample_rate: int, frame: int
) -> list[Audio]:
    """Recordings, and every edge that can be made of them.

    Arguments
    ---------
    recordings : dict
        Signal [samples] by name; at least one, none of them empty.
    sample_rate : int
        Hz
    frame : int
        Samples from one frame to the next.

    Returns
    -------
    list of Audio

    Example
    -------
    >>> found = make_examples({"a.wav": torch.rand(16000)}, 16000, 160)
    >>> [audio.name for audio in found][:4]
    ['a.wav', 'silence', 'full-scale square wave', 'clipped recording']
    >>> {tuple(audio.wavs.shape) for audio in found} >= {(1, 1), (1, 480000)}
    True
    """
    rate = sample_rate
    first = next(iter(recordings.values()))
    longest = max(recordings.values(), key=len)

    # Recordings begin with silence; an instant of one should be of speech.
    loud = longest.roll(-int(longest.abs().argmax()))

    def seconds(duration: float) -> torch.Tensor:
        # As much of a recording as that, said again where it is shorter.
        samples = int(duration * rate)
        times = -(-samples // len(loud))
        return loud.repeat(times)[:samples]

    # It glides: what does not change has no deviation, and a normalisation
    # over time would divide rounding errors by it.
    time = torch.arange(rate) / rate
    square = torch.sign(torch.sin(800 * time + 1500 * time**2))
    signals = {
        **recordings,
        "silence": torch.zeros(rate),
        "full-scale square wave": square,
        "clipped recording": (1000 * first).clamp(-1, 1),
        "a click": torch.nn.functional.one_hot(
            torch.tensor(rate // 3), rate
        ).float(),
        "no sample": torch.zeros(0),
        "one sample": torch.tensor([0.5]),
        "one frame": seconds(1)[: frame - 1],
        "one frame and one sample more": seconds(1)[: frame + 1],
        "0.1 s": seconds(0.1),
        "5 s": seconds(5),
        "30 s": seconds(30),
    }
    found = [
        Audio(name, signal.unsqueeze(0), torch.ones(1))
        for name, signal in signals.items()
    ]
    batch = [seconds(12.3), seconds(5), seconds(0.2), torch.zeros(rate)]
    everything = [*batch, *recordings.values(), torch.tensor([0.5])]
    short = [seconds(1.5), seconds(0.7), seconds(0.02)]
    for name, rows in (
        ("a padded batch of short ones", short),
        ("a padded batch of all lengths", everything),
    ):
        wavs = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
        lengths = torch.tensor([float(len(row)) for row in rows])
        found.append(Audio(name, wavs, lengths / wavs.shape[1]))
    return found


def measure_difference(
    output: NDArray[np.float32], expected: torch.Tensor
) -> float:
    """Largest difference, of large log-probabilities in proportion.

    Arguments
    ---------
    output : numpy.ndarray
        [B, C]
    expected : torch.Tensor
        [B, C]

    Returns
    -------
    float

    Example
    -------
    >>> expected = torch.tensor([[-1.0, -50.0]])
    >>> f"{measure_difference(expected.numpy() + 0.01, expected):.3f}"
    '0.010'
    """
    if output.shape != tuple(expected.shape):
        return math.inf
    scale = (expected / LARGE).clamp(min=1)
    difference = (torch.from_numpy(output) - expected).abs() / scale
    return float(difference.max())


def refuse_differences(
    name: str, differences: Mapping[str, float], option: str
) -> None:
    """Raises where an export gives something else than SpeechBrain.

    Arguments
    ---------
    name : str
        Of the file that was run.
    differences : dict
        By name of the audio; NaN is no agreement.
    option : str
        Of ``hrf export``, which asked for it.

    Raises
    ------
    VerificationError
        One is larger than ``TOLERANCE``; every audio where it is, is named.

    Example
    -------
    >>> refuse_differences("model.onnx", {"silence": 1e-5}, "--onnx")
    """
    wrong = [
        f"{audio} ({value:.1e})"
        for audio, value in differences.items()
        if not value <= TOLERANCE
    ]
    if wrong:
        raise VerificationError(
            f"{name} does not give SpeechBrain's log-probabilities, by more "
            f"than {TOLERANCE:.0e} (below {LARGE:.0f} in proportion) on "
            f"{', '.join(wrong)}. Nothing was exported. If it is little more, "
            "give other recordings (--audio): audio that was upsampled has "
            "bands that hold rounding errors alone. If not, this is a fault "
            f"of the export: report it, and export without {option}."
        )


def load_examples(
    folder: pathlib.Path,
    training: Training,
    modules: Modules,
    audio: Sequence[str] | None,
) -> tuple[EncoderClassifier, dict[str, torch.Tensor], list[Audio], str]:
    """An exported folder, and what to compare with it on.

    Arguments
    ---------
    folder : pathlib.Path
        SpeechBrain loads it already.
    training : speechbrain_hrf.export.training.Training
    modules : dict
        The four modules of ``EncoderClassifier``.
    audio : list of str or None
        Files to take instead of some of the test set.

    Returns
    -------
    speechbrain.inference.classifiers.EncoderClassifier
        The folder itself, as its users load it; not the modules in memory.
    dict
        The recordings, signal [samples] by name.
    list of Audio
        These, and all that is made of them.
    str
        What recordings they are.

    Example
    -------
    >>> load_examples(None, None, {}, ["none.wav"])
    Traceback (most recent call last):
    ...
    FileNotFoundError: There is no audio file .../none.wav.
    """
    with tempfile.TemporaryDirectory() as scratch:
        files, described = audio_files(training, audio, pathlib.Path(scratch))
        classifier = _load_classifier(folder)
        recordings: dict[str, torch.Tensor] = {}
        for file in files:
            name = os.path.basename(file)
            # Two of one name, from two folders, are both compared.
            name = file if name in recordings else name
            recordings[name] = classifier.load_audio(file)
    hop = modules["compute_features"].compute_STFT.hop_length
    rate = training.definition.sample_rate
    made = make_examples(recordings, rate, hop)
    return classifier, recordings, made, described


def _load_classifier(folder: pathlib.Path) -> EncoderClassifier:
    with torch.random.fork_rng(devices=[]):
        return EncoderClassifier.from_hparams(
            source=str(folder.absolute()), run_opts={"device": "cpu"}
        )
