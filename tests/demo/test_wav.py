"""The page's WAV reader finds all samples of a file, or says why it does not.

Authors
 * The speechbrain_hrf authors 2026
"""

import base64
import struct

import numpy as np
import pytest
import soundfile

READ = """async (text) => {
  const url = new URL("audio_file.js", document.baseURI);
  const { readAudioFile } = await import(url);
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  try {
    const sound = await readAudioFile(new File([bytes], "a.wav"));
    return [[...sound.samples], sound.note];
  } catch (error) {
    return [[], error.message];
  }
}"""


def read(page, content):
    """The samples, and what is said of them."""
    return page.evaluate(READ, base64.b64encode(content).decode())


@pytest.fixture
def content(tmp_path):
    """Gives a function that makes a WAV file of 101 samples."""

    def make(**options):
        wave = np.random.default_rng(0).uniform(-1, 1, (101, 2))
        path = tmp_path / "a.wav"
        soundfile.write(path, wave, 16000, **options)
        expected, _ = soundfile.read(path, dtype="float32", always_2d=True)
        return path.read_bytes(), expected.mean(1)

    return make


@pytest.mark.parametrize(
    "subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"]
)
def test_big_endian(page, content, subtype):
    """RIFX, which browsers take for noise."""
    file, expected = content(subtype=subtype, endian="BIG", format="WAV")
    assert file[:4] == b"RIFX"
    samples, note = read(page, file)
    assert samples == pytest.approx(expected, abs=1e-7) and note == ""


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
def test_no_length(page, content, size):
    """All to the end; but a list of titles is no sound."""
    file, expected = content(subtype="PCM_16")
    samples, note = read(page, file[:40] + struct.pack("<I", size) + file[44:])
    assert samples == pytest.approx(expected, abs=1e-7)
    assert "a.wav does not say how long it is" in note
    titles = b"LIST" + struct.pack("<I", 400) + bytes(400)
    assert "it holds no sound" in read(page, file[:40] + bytes(4) + titles)[1]


def test_more_samples_behind_the_first(page, content):
    """Two parts, two files."""
    file, _ = content(subtype="PCM_16")
    for rest in file[36:], file:
        samples, told = read(page, file + rest)
        assert samples == [] and "more samples behind those" in told


def test_chunks_as_the_command_line_reads_them(page, content):
    """An empty part before the samples is none; two descriptions are wrong."""
    file, expected = content(subtype="PCM_16")
    empty = b"data" + bytes(4)
    samples, _ = read(page, file[:36] + empty + file[36:])
    assert samples == pytest.approx(expected, abs=1e-7)
    samples, told = read(page, file[:36] + file[12:])
    assert samples == [] and "describes its samples twice" in told
