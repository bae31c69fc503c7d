"""The page's own decoder and resampler, against soundfile and the runner's.

Authors
 * The speechbrain_hrf authors 2026
"""

import base64

import numpy as np
import pytest

from demo.pages import RATE
from speechbrain_hrf.runtime.resample import resample

DECODE = """async (text) => {
  const { decodeWav } = await import(new URL("wav.js", document.baseURI));
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const sound = decodeWav(bytes.buffer);
  return sound && [[...sound.samples], sound.rate, sound.missing];
}"""

RESAMPLE = """async ([samples, rate, target, pieces]) => {
  const { Resampler } = await import(new URL("resample.js", document.baseURI));
  const resampler = new Resampler(rate, target);
  const found = [];
  let at = 0;
  for (const piece of pieces) {
    const part = Float32Array.from(samples.slice(at, (at += piece)));
    found.push(...resampler.push(part));
  }
  found.push(...resampler.push(Float32Array.from(samples.slice(at))));
  return [...found, ...resampler.finish()];
}"""


def decoded(page, path):
    """What the page makes of a WAV file."""
    return page.evaluate(DECODE, base64.b64encode(path.read_bytes()).decode())


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(
    "subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"]
)
def test_wav_files_of_every_kind(page, tmp_path, subtype, channels):
    """Sample by sample, also behind a chunk of odd length."""
    soundfile = pytest.importorskip("soundfile")
    random = np.random.default_rng(0)
    sound = random.uniform(-1, 1, (101, channels))
    sound[:2] = [[-1], [1]]
    path = tmp_path / "a.wav"
    soundfile.write(path, sound, 22050, subtype=subtype)
    expected, rate = soundfile.read(path, dtype="float32", always_2d=True)
    samples, found_rate, missing = decoded(page, path)
    assert (found_rate, missing) == (rate, 0)
    assert samples == pytest.approx(expected.mean(axis=1), abs=1e-7)

    content = path.read_bytes()
    path.write_bytes(content[:12] + b"note\3\0\0\0abc\0" + content[12:])
    assert decoded(page, path)[0] == samples


def test_wav_files_of_unknown_length(page, say):
    """From a pipe: all that follows counts. What others know is left to them."""
    soundfile = pytest.importorskip("soundfile")
    path = say(np.linspace(-0.5, 0.5, 50))
    samples, _, _ = decoded(page, path)
    content = path.read_bytes()
    at = content.index(b"data") + 4
    for size in (0, 0x7FFFF024, 0xFFFFFFFF):
        stand_in = size.to_bytes(4, "little")
        path.write_bytes(content[:at] + stand_in + content[at + 4 :])
        assert decoded(page, path) == [samples, RATE, 0]
    soundfile.write(path, samples, RATE, format="WAVEX", subtype="PCM_16")
    assert decoded(page, path)[0] == pytest.approx(samples, abs=1e-4)
    soundfile.write(path, samples, RATE, subtype="ULAW")
    assert decoded(page, path) is None


@pytest.mark.parametrize(
    "rate", [8000, 11025, 16000, 22050, 44100, 44101, 48000]
)
def test_the_resampler_is_the_runners(page, rate):
    """However the sound is cut into pieces; one sample, or none."""
    noise = np.random.default_rng(0).standard_normal(3000).astype(np.float32)
    for count, pieces in (
        *((3000, []), (3000, [0, 1, 2, 700, 1, 441])),
        *((1, []), (0, [])),
    ):
        sound = noise[:count]
        found = page.evaluate(RESAMPLE, [sound.tolist(), rate, RATE, pieces])
        expected = resample(sound, rate, RATE)
        assert found == pytest.approx(expected, abs=1e-6)


def test_an_odd_rate_takes_no_minutes(page):
    """It has a filter for each of 16000 phases: each as short as it can be."""
    seconds = page.evaluate(
        """async ([rate, target]) => {
          const url = new URL("resample.js", document.baseURI);
          const { Resampler } = await import(url);
          const start = performance.now();
          new Resampler(rate, target);
          return (performance.now() - start) / 1000;
        }""",
        [767999, RATE],
    )
    assert seconds < 10  # a tenth of what all taps take, those that are 0 too
