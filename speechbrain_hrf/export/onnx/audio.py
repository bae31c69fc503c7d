"""What an export to ONNX is verified on: recordings, and every edge of them.

Authors
 * The speechbrain_hrf authors 2026
"""

from typing import NamedTuple

import soundfile
import torch
from speechbrain.dataio.preprocess import AudioNormalizer


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


def read(path, sample_rate):
    """Reads a recording as ``EncoderClassifier`` does.

    Arguments
    ---------
    path : str
    sample_rate : int
        The model's, Hz.

    Returns
    -------
    torch.Tensor
        [samples]

    Example
    -------
    >>> path = getfixture("tmpdir").join("a.wav").strpath
    >>> soundfile.write(path, torch.zeros(800, 2).numpy(), 8000)
    >>> read(path, 16000).shape
    torch.Size([1600])
    """
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return AudioNormalizer(sample_rate)(torch.from_numpy(samples), rate)


def audio_to_compare(recordings, sample_rate, frame):
    """Recordings, and what is made of them.

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
    >>> found = audio_to_compare({"a.wav": torch.rand(16000)}, 16000, 160)
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

    def seconds(duration):
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
