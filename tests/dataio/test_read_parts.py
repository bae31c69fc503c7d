"""Parts are cut at the sample and joined in the order asked for.

Authors
 * The speechbrain_hrf authors 2026
"""

import numpy as np
import pytest
import soundfile as sf
import torch

from speechbrain_hrf.dataio.audio import read, read_parts
from speechbrain_hrf.dataio.audio_files import UnusableAudio

# The resampler's own rounding: float32 sums over some 40 filter taps.
TOLERANCE = 1e-6


def noise(samples, channels=1):
    shape = (samples, channels)
    return np.random.default_rng(0).uniform(-0.3, 0.3, shape)


@pytest.fixture
def ramp(tmp_path):
    """Sample k has the value k / 32768."""
    path = tmp_path / "ramp.wav"
    sf.write(path, np.arange(20000, dtype=np.int16), 16000)
    return path


def values(wave):
    return (wave * 32768).round().int().tolist()


def test_parts_are_joined_in_their_order(ramp):
    parts = [[100, 103], [5, 6], [101, 104], [19998, 20000]]
    wave = read_parts(ramp, parts)
    assert values(wave) == [100, 101, 102, 5, 101, 102, 103, 19998, 19999]
    assert wave.dtype == torch.float32


def test_the_whole_as_one_part_is_the_file(ramp):
    assert torch.equal(read_parts(ramp, [[0, 20000]]), read(ramp))


def test_no_more_is_decoded_than_asked_for(ramp, monkeypatch):
    decoded = []
    decode = sf.SoundFile.read

    def spy(file, *args, **kwargs):
        wave = decode(file, *args, **kwargs)
        decoded.append(len(wave))
        return wave

    monkeypatch.setattr(sf.SoundFile, "read", spy)
    read_parts(ramp, [[100, 200], [3000, 3001]])
    assert decoded == [100, 1]


@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000])
@pytest.mark.parametrize("channels", [1, 2])
def test_other_rates_and_stereo_are_converted(tmp_path, name, rate, channels):
    samples = noise(3 * rate, channels)
    sf.write(tmp_path / name, samples, rate, subtype="PCM_16")
    parts = [[0, rate // 2], [2 * rate, 2 * rate + rate // 2]]
    wave = read_parts(tmp_path / name, parts)
    assert len(wave) == 16000
    # What comes out is what the joined samples give as a file.
    decoded, _ = sf.read(tmp_path / name)
    joined = np.concatenate([decoded[start:stop] for start, stop in parts])
    sf.write(tmp_path / "joined.wav", joined, rate, subtype="FLOAT")
    expected = read(tmp_path / "joined.wav")
    assert (wave - expected).abs().max() < TOLERANCE


def test_a_clip_of_ten_seconds_has_as_many_samples(tmp_path):
    rate = 44100
    sf.write(tmp_path / "a.wav", noise(11 * rate), rate)
    parts = [[7, 7 + 3 * rate], [2 * rate, 9 * rate]]
    assert len(read_parts(tmp_path / "a.wav", parts)) == 160000


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


def test_a_part_past_the_end_is_refused(ramp):
    with pytest.raises(UnusableAudio, match="20000 samples .* sample 20001"):
        read_parts(ramp, [[0, 10], [19990, 20001]])


def test_broken_files_are_named(tmp_path):
    def refused(path, reason):
        with pytest.raises(UnusableAudio, match=reason) as caught:
            read_parts(path, [[0, 16000]])
        assert caught.value.path == str(path)

    refused(tmp_path / "none.wav", "missing")
    (tmp_path / "empty.wav").write_bytes(b"")
    refused(tmp_path / "empty.wav", "empty")
    (tmp_path / "text.wav").write_text("This is no audio. " * 50)
    refused(tmp_path / "text.wav", "decoded")
    samples = noise(16000)
    samples[9000] = np.nan
    sf.write(tmp_path / "nan.wav", samples, 16000, subtype="FLOAT")
    refused(tmp_path / "nan.wav", "NaN")
    assert len(read_parts(tmp_path / "nan.wav", [[0, 9000]])) == 9000
    sf.write(tmp_path / "short.flac", noise(16000), 16000)
    content = (tmp_path / "short.flac").read_bytes()
    (tmp_path / "short.flac").write_bytes(content[:-2000])
    refused(tmp_path / "short.flac", "decoded")
