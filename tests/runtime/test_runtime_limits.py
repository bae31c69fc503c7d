"""What the runner costs: memory, time to start, memory over hours.

Authors
 * The speechbrain_hrf authors 2026
"""

import importlib.util
import os
import re
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile
from speechbrain.inference.classifiers import EncoderClassifier

from speechbrain_hrf.export import export_pretrained
from speechbrain_hrf.runtime import Classifier

MEGABYTES = 120
SECONDS = 0.5
# Its own start in starts of the packages alone: 1.05 on a quiet machine, 1.7 on a
# busy one; with an import of PyTorch it would be about nine.
TIMES = 3
RUN = """\
import runpy, sys
sys.argv[0] = ""
runpy.run_module("speechbrain_hrf.runtime", run_name="__main__")
"""

# The kernel's own figure of the process that asks. (What a parent is told of
# its children counts the parent's memory at the fork.)
_PEAK = (
    "\nimport re; print('PEAK', re.search(r'VmHWM:\\s+(\\d+) kB', "
    "open('/proc/self/status').read())[1])"
)
_STATM = pytest.mark.skipif(
    not os.path.exists("/proc/self/statm"), reason="there is no /proc"
)


def python(code, *arguments):
    """What code prints in a process of its own."""
    process = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


def peak_of_the_command(*arguments):
    """MB that the command line needs at most."""
    code = (
        "import sys; from speechbrain_hrf.runtime.__main__ import main; "
        "main(sys.argv[1:])"
    )
    output = python(code + _PEAK, *arguments)
    return int(re.search(r"PEAK (\d+)", output)[1]) / 1024


@pytest.fixture
def five_seconds(tmp_path):
    """Stereo at 44.1 kHz."""
    noise = 0.1 * np.random.default_rng(0).standard_normal((5 * 44100, 2))
    soundfile.write(tmp_path / "a.wav", noise, 44100)
    return tmp_path / "a.wav"


@_STATM
def test_memory(onnx_folder, five_seconds):
    """Resident, of a whole file and of a stream."""
    assert peak_of_the_command(onnx_folder, five_seconds) < MEGABYTES
    more = peak_of_the_command(onnx_folder, five_seconds, "--stream")
    assert more < MEGABYTES


def test_start(onnx_folder, five_seconds):
    """From the shell's prompt to the first label: little more than the packages
    that it needs, by the processor's time, in turns.
    """
    packages, whole = [], []
    for _ in range(3):
        for costs, code in (
            (packages, "import numpy, onnxruntime, soundfile"),
            (whole, RUN),
        ):
            before = os.times()
            python(code, onnx_folder, five_seconds)
            after = os.times()
            costs.append(
                after.children_user
                - before.children_user
                + after.children_system
                - before.children_system
            )
    assert min(whole) < TIMES * min(packages)


@pytest.fixture(scope="module", params=["ConvTransformer", "SpeechFormer"])
def exported(request, repository, tmp_path_factory):
    """A real model, exported with its graphs; and recordings."""
    path = repository / "tests" / "export" / "conftest.py"
    spec = importlib.util.spec_from_file_location("export_conftest", path)
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    root = tmp_path_factory.mktemp("exported")
    output = made.make_output(
        root,
        model=f"speechbrain_hrf.lobes.models.{request.param}",
        hrf_modules="[ALL]",
    )
    export_pretrained(output, root / "model", onnx=True)
    return root / "model", sorted((root / "data").glob("*.flac"))


@pytest.mark.slow
def test_equals_encoder_classifier(exported):
    """Of files: other rates, stereo, shorter and longer than a window."""
    folder, recordings = exported
    reference = EncoderClassifier.from_hparams(source=str(folder))
    classifier = Classifier(folder)
    for path in recordings:
        expected, _, _, label = reference.classify_file(str(path))
        samples, rate = soundfile.read(path, dtype="float32")
        result = classifier(samples, rate)
        found = list(result.log_probabilities.values())
        assert found == pytest.approx(expected[0].tolist(), abs=1e-4)
        assert result.label == label[0]
    assert len(recordings) == 3


@pytest.mark.slow
@_STATM
def test_cost_of_a_real_model(exported, five_seconds):
    """The same limits."""
    folder, _ = exported
    assert peak_of_the_command(folder, five_seconds) < MEGABYTES
    start = time.perf_counter()
    classifier = Classifier(folder)
    classifier(np.zeros(5 * 16000), 16000)
    assert time.perf_counter() - start < SECONDS


@pytest.mark.slow
@_STATM
def test_an_hour(exported):
    """Memory at the end is what it was after ten minutes, faster than it is
    heard by far.
    """
    folder, _ = exported
    output = python(
        """
import sys, time
import numpy as np
from speechbrain_hrf.runtime import Classifier

def resident():
    with open("/proc/self/statm") as stream:
        return int(stream.read().split()[1]) * 4096 / 2**20

def microphone():
    for _ in range(60):
        for at in range(0, 60 * 16000, 1600):
            yield minute[at : at + 1600]

minute = np.random.default_rng(0).integers(-999, 999, 60 * 16000, np.int16)
start = time.perf_counter()
for window in Classifier(sys.argv[1]).stream(microphone(), 16000):
    if window.stop == 600:
        early = resident()
print(resident() - early, 3600 / (time.perf_counter() - start))
""",
        folder,
    )
    growth, speed = map(float, output.split())
    assert growth < 4
    assert speed > 20
