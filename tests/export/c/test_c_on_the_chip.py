"""The firmware on emulated boards: the host's answers, within the limits.

Authors
 * The speechbrain_hrf authors 2026
"""

import importlib.util
import pathlib

import numpy as np
import pytest
import soundfile
from c_models import LABELS, make_modules, make_noise

from speechbrain_hrf.export.c.source import SOURCE, make_sources
from speechbrain_hrf.export.examples import TOLERANCE

ROOT = pathlib.Path(__file__).resolve().parents[3]
KIB, MILLION = 1024, 1_000_000
# Of the shipped models, for windows of 5 s: flash, RAM with stack, and
# instructions a window. 250 million in 5 s leave two thirds of 168 MHz.
LIMITS = {
    "ConvTransformer": (80 * KIB, 96 * KIB, 250 * MILLION),
    "Conformer": (96 * KIB, 112 * KIB, 250 * MILLION),
    "SpeechFormer": (56 * KIB, 160 * KIB, 250 * MILLION),
}


@pytest.fixture(scope="module")
def script():
    """``extras/cortex_m/run.py`` as a module."""
    path = ROOT / "extras" / "cortex_m" / "run.py"
    spec = importlib.util.spec_from_file_location("cortex_m_run", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def board(script):
    """The same, with the programs that it needs, or a skip."""
    missing = script.find_missing()
    if missing:
        pytest.skip(
            f"{', '.join(missing)}: not installed (Debian: gcc-arm-none-eabi "
            "libnewlib-arm-none-eabi qemu-system-arm)"
        )
    return script


@pytest.fixture
def header(tmp_path):
    """A folder with the header of a model for 16 kHz."""
    files = make_sources(make_modules(), LABELS)
    (tmp_path / "hrf_model.h").write_text(files["hrf_model.h"], "utf-8")
    return tmp_path


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_a_recording_is_heard_as_it_is(script, header, subtype):
    """Whatever its file's numbers; a model at its own rate."""
    path, samples = str(header / "a.wav"), make_noise(500)
    samples[:2] = 2**15 - 1, -(2**15)
    soundfile.write(path, samples / 2.0**15, 16000, subtype=subtype)
    assert np.array_equal(script.read_recording(path, header), samples)


@pytest.mark.parametrize(
    ("shape", "rate", "message"),
    [
        (500, 48000, "48000 Hz and 1 channel.*hears 16000 Hz.*-r 16000"),
        ((500, 2), 16000, "16000 Hz and 2 channel"),
        (0, 16000, "holds no sample"),
        (None, None, "a.wav.*Format not recognised"),
    ],
)
def test_a_recording_that_it_would_mishear(
    script, header, shape, rate, message
):
    """Refused in a line, before anything is built."""
    path = header / "a.wav"
    path.write_bytes(b"no audio")
    if rate:
        soundfile.write(path, np.zeros(shape), rate)
    with pytest.raises(SystemExit, match=message):
        script.main([str(header), str(path)])


@pytest.mark.slow
@pytest.mark.parametrize("name", LIMITS)
def test_within_the_limits(board, tmp_path, name):
    files = make_sources(make_modules(name, frames=500), LABELS)
    for file, text in files.items():
        (tmp_path / file).write_text(text, encoding="utf-8")
    size = board.build(tmp_path, tmp_path / "elf", "m4")
    run = board.emulate(tmp_path / "elf", "m4", make_noise(499 * 160))
    flash, ram, instructions = LIMITS[name]
    assert size.flash <= flash
    assert size.ram + run.stack <= ram
    assert run.stack < board.STACK, "painted, and not used up"
    assert MILLION < run.instructions <= instructions


@pytest.mark.slow
@pytest.mark.parametrize("core", ["m4", "m7"])
@pytest.mark.parametrize(
    ("name", "int8"),
    [("Conformer", False), ("SpeechFormer", False), ("SpeechFormer", True)],
)
def test_answers_are_the_host_s(board, compiled, tmp_path, name, int8, core):
    found = compiled(name, int8)
    for file, text in found.files.items():
        (tmp_path / file).write_text(text, encoding="utf-8")
    source = "hrf_model_int8.c" if int8 else SOURCE
    board.build(tmp_path, tmp_path / "elf", core, source)
    # The last one is louder at its end, and is fed twice.
    late = make_noise(20000)
    late[:12000] //= 4000
    for samples in (make_noise(1), make_noise(7000), late):
        run = board.emulate(tmp_path / "elf", core, samples)
        expected = found.library.classify(samples)
        assert np.abs(run.log_probabilities - expected).max() < TOLERANCE
        assert run.label == LABELS[expected.argmax()]
