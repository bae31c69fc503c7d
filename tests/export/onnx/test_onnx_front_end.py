"""The front end in ONNX gives what SpeechBrain's Fbank gives.

Authors
 * The speechbrain_hrf authors 2026
"""

import numpy as np
import pytest
import torch
from onnx_run import built, run
from speechbrain.lobes.features import MFCC, Fbank
from speechbrain.processing.features import STFT, Filterbank

from speechbrain_hrf.export.onnx.fbank import add_fbank, check_fbank
from speechbrain_hrf.export.onnx.spectrum import Spectrum, factors

# Of decibels, on a scale of 80. At the floor, 80 dB below the peak, a
# rounding error of 1e-7 of the peak is a thousandth of what is there.
DECIBELS = 0.01


def signals(rate=16000):
    """One sample, around a frame's end, loud, silent, a tone, a batch."""
    torch.manual_seed(0)
    tone = torch.sin(torch.arange(3 * rate // 10) * 0.3).unsqueeze(0)
    return [
        torch.full((1, 1), 0.5),
        torch.randn(1, rate // 100 - 1),
        torch.randn(1, rate // 100),
        0.1 * torch.randn(1, rate // 10 + 7),
        torch.sign(torch.randn(1, rate // 5)),
        torch.zeros(1, rate // 10),
        tone,
        torch.cat([tone, 0.001 * torch.randn_like(tone)]),
    ]


@pytest.mark.parametrize(
    "n_fft, win_ms, hop_ms",
    [
        (400, 25, 10),  # one convolution
        (512, 25, 10),
        (256, 16, 8),
        (441, 20, 7.5),  # odd; a hop of 120, which no factor divides
        (405, 25, 9.375),  # odd; a hop of 150, a multiple of 15
        (484, 25, 10),  # even; a hop that no factor divides
    ],
)
def test_power_spectrum(n_fft, win_ms, hop_ms):
    """Each bin once, or twice conjugated."""
    stft = STFT(16000, win_length=win_ms, hop_length=hop_ms, n_fft=n_fft)
    spectrum = Spectrum(stft)
    assert set(spectrum.bins.flat) == set(range(n_fft // 2 + 1))
    model = built(spectrum.power, {"wavs": ["batch", "samples"]})
    for wavs in signals():
        found = run(model, wavs=wavs)
        shape = len(wavs), spectrum.k1, spectrum.n2, -1
        power = found.reshape(shape)
        expected = stft(wavs).square().sum(-1).numpy()  # [B, T, bins]
        expected = expected[:, :, spectrum.bins].transpose(0, 2, 3, 1)
        assert power.shape == expected.shape
        scale = max(expected.max(), 1e-30)
        assert np.abs(power - expected).max() <= 1e-6 * scale


@pytest.mark.parametrize(
    "options",
    [
        {"n_mels": 26, "deltas": True},  # the recipes'
        {},
        {"n_mels": 13, "context": True},
        {
            "deltas": True,
            "context": True,
            "n_mels": 20,
            "left_frames": 2,
            "right_frames": 5,
        },
        {"context": True, "left_frames": 3, "right_frames": 1},
        {"n_fft": 512, "win_length": 20, "hop_length": 8, "n_mels": 80},
        {"f_min": 60, "f_max": 7600, "filter_shape": "gaussian"},
        {"filter_shape": "rectangular"},
        {"requires_grad": True, "param_change_factor": 0.5},
        {"sample_rate": 8000, "n_fft": 256, "n_mels": 23},
    ],
    ids=lambda options: ",".join(options) or "default",
)
def test_fbank(options):
    """All that SpeechBrain's Fbank offers, on all kinds of signals."""
    fbank = Fbank(**options).eval()
    model = built(
        lambda g, wavs: add_fbank(g, fbank, wavs),
        {"wavs": ["batch", "samples"]},
    )
    for wavs in signals(options.get("sample_rate", 16000)):
        expected = fbank(wavs).detach().numpy()
        found = run(model, wavs=wavs)
        assert found.shape == expected.shape
        assert np.abs(found - expected).max() <= DECIBELS


def test_a_padded_row_counts_as_speechbrain_counts_it():
    """The loudest frame of a row, padding or not, sets the floor of the row."""
    fbank = Fbank(n_mels=26)
    wavs = torch.zeros(2, 4000)
    wavs[0, :100] = 1e-3 * torch.randn(100)
    wavs[1] = torch.randn(4000)
    model = built(
        lambda g, wavs: add_fbank(g, fbank, wavs),
        {"wavs": ["batch", "samples"]},
    )
    found = run(model, wavs=wavs)
    assert found.min(axis=(1, 2))[0] < found.min(axis=(1, 2))[1] - 20
    assert np.abs(found - fbank(wavs).numpy()).max() <= DECIBELS


def test_silence_is_exact():
    """Sentence normalisation divides what is left of it by 1e-10."""
    fbank = Fbank(n_mels=26, deltas=True)
    model = built(
        lambda g, wavs: add_fbank(g, fbank, wavs),
        {"wavs": ["batch", "samples"]},
    )
    wavs = torch.zeros(1, 5000)
    assert (run(model, wavs=wavs) == fbank(wavs).numpy()).all()


def test_no_stft_and_few_constants():
    """A dense basis of n_fft 400 would have 652 KiB."""
    fbank = Fbank(n_mels=26, deltas=True)
    model = built(
        lambda g, wavs: add_fbank(g, fbank, wavs),
        {"wavs": ["batch", "samples"]},
    )
    assert "STFT" not in {node.op_type for node in model.graph.node}
    assert model.ByteSize() <= 9 * 1024


def test_a_wrong_constant_is_seen():
    """The comparison above can fail."""
    fbank, other = Fbank(n_mels=26), Fbank(n_mels=26, f_min=1)
    model = built(
        lambda g, wavs: add_fbank(g, other, wavs),
        {"wavs": ["batch", "samples"]},
    )
    wavs = signals()[3]
    found = run(model, wavs=wavs)
    assert np.abs(found - fbank(wavs).numpy()).max() > DECIBELS


@pytest.mark.parametrize(
    "features, says",
    [
        (torch.nn.Identity(), "compute_features is Identity"),
        (MFCC(), "compute_features is MFCC"),
        (Fbank(n_fft=401), "n_fft is 401, .*such as 400 or 512"),
        (Fbank(n_fft=4 * 401), "n_fft is 1604"),
    ],
    ids=["identity", "mfcc", "prime", "large prime"],
)
def test_refusals(features, says):
    """Another feature class, or a length that has no near factors."""
    with pytest.raises(ValueError, match=says):
        check_fbank(features)
        built(lambda g, wavs: add_fbank(g, features, wavs), {"wavs": [1, 9]})


def test_refuses_settings_that_fbank_does_not_offer():
    """An Fbank whose parts were exchanged for others."""
    for key, part, says in [
        ("compute_STFT", STFT(16000, center=False), "center=False"),
        ("compute_STFT", STFT(16000, pad_mode="reflect"), "'reflect'"),
        ("compute_STFT", STFT(16000, win_length=30), "480 samples is longer"),
        ("compute_fbanks", Filterbank(log_mel=False), "log_mel"),
        ("compute_fbanks", Filterbank(power_spectrogram=1), "power"),
    ]:
        fbank = Fbank()
        setattr(fbank, key, part)
        with pytest.raises(ValueError, match=says):
            check_fbank(fbank)
            built(lambda g, wavs, f=fbank: add_fbank(g, f, wavs), {"w": [1, 9]})


def test_factors_prefer_a_divisor_of_the_hop():
    """But not at the price of a large matrix."""
    assert factors(400, 160) == (20, 20)
    for n_fft, hop in [(512, 160), (480, 160), (1024, 256), (320, 160)]:
        n1, n2 = factors(n_fft, hop)
        assert n1 * n2 == n_fft and hop % n2 == 0
