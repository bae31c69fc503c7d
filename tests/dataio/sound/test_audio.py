"""Samples are the whole file's, or exactly the parts of it that are asked for.

Authors
 * The speechbrain_hrf authors 2026
"""

import tracemalloc

import numpy as np
import pytest
import soundfile as sf
import torch
from speechbrain.dataio.preprocess import AudioNormalizer

from speechbrain_hrf.dataio.sound.audio import read, read_parts
from speechbrain_hrf.dataio.sound.audio_files import UnusableAudio
from speechbrain_hrf.runtime.resample import resample

# The resampler's own rounding: float32 sums over some 40 filter taps.
TOLERANCE = 1e-6
RATES = pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000])


def noise(samples, channels=1):
    shape = (samples, channels)
    return np.random.default_rng(0).uniform(-0.3, 0.3, shape)


@pytest.fixture
def ramp(tmp_path):
    """Sample k has the value k / 32768."""
    path = tmp_path / "ramp.wav"
    sf.write(path, np.arange(20000, dtype=np.int16), 16000)
    return path


@pytest.fixture
def decoded(monkeypatch):
    """Counts of the samples that are decoded."""
    counts = []
    decode = sf.SoundFile.read

    def spy(file, *args, **kwargs):
        wave = decode(file, *args, **kwargs)
        counts.append(len(wave))
        return wave

    monkeypatch.setattr(sf.SoundFile, "read", spy)
    return counts


def test_stereo_is_averaged(tmp_path):
    path = tmp_path / "a.wav"
    samples = noise(1600, 2)
    sf.write(path, samples, 16000, subtype="FLOAT")
    mean = torch.tensor(samples.mean(1), dtype=torch.float32)
    assert (read(path) - mean).abs().max() < TOLERANCE


@RATES
def test_resampling_keeps_a_tone(tmp_path, rate):
    path = tmp_path / "a.wav"
    time = np.arange(rate) / rate
    sf.write(path, 0.5 * np.sin(2 * np.pi * 440 * time), rate, "FLOAT")
    time = torch.arange(16000) / 16000
    expected = 0.5 * torch.sin(2 * torch.pi * 440 * time)
    inner = slice(100, -100)  # the ends ring
    assert (read(path) - expected)[inner].abs().max() < 2e-3


@RATES
@pytest.mark.parametrize("stop", [0.002, 0.7, 1.23456, 9, None])
def test_a_start_is_cut_from_the_resampled_whole(tmp_path, rate, stop):
    path = tmp_path / "a.flac"
    sf.write(path, noise(2 * rate, 2), rate)
    whole = read(path)
    end = None if stop is None else int(stop * 16000 + 0.5)
    part = read(path, stop)
    assert part.shape == whole[:end].shape and part.dtype == torch.float32
    assert (part - whole[:end]).abs().max() < TOLERANCE


def test_no_more_is_decoded_than_asked_for(ramp, tmp_path, decoded):
    sf.write(tmp_path / "a.wav", noise(20 * 48000), 48000)
    assert len(read(tmp_path / "a.wav", 1)) == 16000
    assert sum(decoded) < 1.1 * 48000
    decoded.clear()
    read_parts(ramp, [[100, 200], [3000, 3001]])
    assert decoded == [100, 1]


def test_parts_are_joined_in_their_order(ramp):
    parts = [[100, 103], [5, 6], [101, 104], [19998, 20000]]
    wave = (read_parts(ramp, parts) * 32768).round().int().tolist()
    assert wave == [100, 101, 102, 5, 101, 102, 103, 19998, 19999]
    assert torch.equal(read_parts(ramp, [[0, 20000]]), read(ramp))


@RATES
@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
def test_joined_parts_are_resampled(tmp_path, name, rate):
    """What comes out is what the joined samples give as a file."""
    sf.write(tmp_path / name, noise(3 * rate, 2), rate, subtype="PCM_16")
    parts = [[7, 7 + rate // 2], [2 * rate, 2 * rate + rate // 2]]
    wave = read_parts(tmp_path / name, parts)
    assert len(wave) == 16000
    samples, _ = sf.read(tmp_path / name)
    joined = np.concatenate([samples[start:stop] for start, stop in parts])
    sf.write(tmp_path / "joined.wav", joined, rate, subtype="FLOAT")
    expected = read(tmp_path / "joined.wav")
    assert (wave - expected).abs().max() < TOLERANCE


@pytest.mark.parametrize("name", ["a.ogg", "a.mp3", "a.opus", "a.w64"])
def test_parts_of_what_cannot_jump(tmp_path, name):
    """Vorbis, say, gives other samples after a jump."""
    subtype = "GSM610" if name == "a.w64" else None
    kind = {"a.opus": ("OGG", "OPUS"), "a.w64": ("W64", subtype)}.get(name, ())
    sf.write(
        *(tmp_path / name, noise(40000), 16000),
        **dict(zip(("format", "subtype"), kind, strict=bool(kind))),
    )
    whole = read(tmp_path / name)
    parts = [[33000, 36000], [5000, 5001], [20001, 23000]]
    expected = torch.cat([whole[start:stop] for start, stop in parts])
    assert torch.equal(read_parts(tmp_path / name, parts), expected)
    assert torch.equal(read(tmp_path / name, 0.5)[:7000], whole[:7000])


@pytest.mark.parametrize("rate", [44101, 44056, 1009, 767999])
def test_odd_rates_take_no_more_than_others(tmp_path, rate):
    """torchaudio's filters take 5 GB and more where rates share no divisor."""
    samples = noise(rate // 4, 2)
    sf.write(tmp_path / "a.wav", samples, rate, subtype="FLOAT")
    tracemalloc.start()
    wave = read(tmp_path / "a.wav")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100 * 2**20
    assert len(wave) == -(-len(samples) * 16000 // rate)
    mono = samples.astype(np.float32).mean(1)
    assert (wave.numpy() - resample(mono, rate, 16000)).max() < TOLERANCE
    part = read(tmp_path / "a.wav", 0.1)
    assert (part - wave[:1600]).abs().max() < TOLERANCE
    parts = read_parts(tmp_path / "a.wav", [[0, len(samples)]])
    assert torch.equal(parts, wave)


def test_odd_rates_are_resampled_as_torchaudio_does(tmp_path):
    """Two rates of which its filters still fit, above and below the limit."""
    for rate in (11025, 47952):
        samples = noise(rate // 4)[:, 0].astype(np.float32)
        sf.write(tmp_path / "a.wav", samples, rate, subtype="FLOAT")
        expected = AudioNormalizer(16000)(torch.from_numpy(samples), rate)
        found = read(tmp_path / "a.wav")
        assert (found - expected).abs().max() < TOLERANCE


@pytest.mark.parametrize(
    "parts, said",
    [
        ([], "no part"),
        ([[3, 3]], r"the part \[3, 3\]"),
        ([[0, 5], [7, 6]], r"the part \[7, 6\]"),
        ([[-1, 6]], r"the part \[-1, 6\]"),
    ],
)
def test_impossible_parts_are_refused(ramp, parts, said):
    with pytest.raises(ValueError, match=said):
        read_parts(ramp, parts)
    with pytest.raises(ValueError, match="cannot read up to -1 s"):
        read(ramp, -1)


def test_a_part_past_the_end_is_refused(ramp):
    with pytest.raises(UnusableAudio, match="20000 samples .* sample 20001"):
        read_parts(ramp, [[0, 10], [19990, 20001]])


def test_damage_is_named_where_it_is_read(tmp_path):
    samples = noise(16000)
    sf.write(tmp_path / "cut.flac", samples, 16000)
    content = (tmp_path / "cut.flac").read_bytes()
    (tmp_path / "cut.flac").write_bytes(content[:-2000])
    middle = len(content) // 2
    damaged = content[:middle] + b"\x11" * 2000 + content[middle + 2000 :]
    (tmp_path / "damaged.flac").write_bytes(damaged)
    sf.write(tmp_path / "cut.wav", samples, 16000)
    content = (tmp_path / "cut.wav").read_bytes()
    (tmp_path / "cut.wav").write_bytes(content[:-2000])
    samples[9000] = np.nan
    sf.write(tmp_path / "nan.wav", samples, 16000, subtype="FLOAT")
    for name, reason in (
        ("none.wav", "missing"),
        ("cut.flac", "decoded"),
        ("damaged.flac", "decoded"),
        ("cut.wav", "30000 of 32000 bytes|holds 15000 samples"),
        ("nan.wav", "NaN"),
    ):
        path = tmp_path / name
        for read_it in (read, lambda path: read_parts(path, [[0, 16000]])):
            with pytest.raises(UnusableAudio, match=reason) as caught:
                read_it(path)
            assert caught.value.path == str(path)
            # The path once, not again inside the reason.
            assert str(path) not in caught.value.reason
    assert len(read(tmp_path / "cut.wav", 0.9)) == 14400
    assert len(read(tmp_path / "nan.wav", 0.5)) == 8000
    assert len(read_parts(tmp_path / "nan.wav", [[0, 9000]])) == 9000


def test_what_an_ogg_lost_in_its_middle_is_missed(tmp_path):
    """A page goes, and libsndfile reads on behind it."""
    path = tmp_path / "a.ogg"
    sf.write(path, noise(48000), 16000)
    whole = read(path, 0.5)
    content = path.read_bytes()
    middle = len(content) // 2
    path.write_bytes(content[:middle] + bytes(600) + content[middle + 600 :])
    for read_it in (read, lambda path: read_parts(path, [[0, 48000]])):
        with pytest.raises(UnusableAudio, match="[0-9] samples cannot be dec"):
            read_it(path)
    assert torch.equal(read(path, 0.5), whole)
