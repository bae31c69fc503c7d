"""The runner needs numpy and ONNX Runtime, and nothing else.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import soundfile

# Lets in the standard library, the two packages, and this one. What those two
# need of their own they import themselves.
_GUARD = """
import sys

class Guard:
    ALLOWED = {*sys.stdlib_module_names, "numpy", "onnxruntime",
               "speechbrain_hrf"}

    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        frame = sys._getframe(1)
        while "importlib" in frame.f_code.co_filename:
            frame = frame.f_back
        importer = frame.f_globals.get("__name__", "").partition(".")[0]
        if top not in self.ALLOWED and importer in {
            "__main__", "speechbrain_hrf"
        }:
            raise ImportError(f"{name} is not allowed here")
        return None

sys.meta_path.insert(0, Guard())
for name in "torch", "speechbrain", "torchaudio":
    sys.modules[name] = None  # whoever asks
"""


def python(code, *arguments):
    """Runs code behind the guard."""
    return subprocess.run(
        [sys.executable, "-c", _GUARD + code, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def recording(tmp_path):
    """Stereo, at a rate that has to be resampled."""
    noise = 0.1 * np.random.default_rng(0).standard_normal((44100, 2))
    soundfile.write(tmp_path / "a.wav", noise, 44100)
    return tmp_path / "a.wav"


def test_only_numpy_and_onnxruntime(onnx_folder, recording):
    """The command line, whole files and streams, with all else locked out."""
    process = python(
        "from speechbrain_hrf.runtime.__main__ import main\n"
        "status = main(sys.argv[1:]) or main([*sys.argv[1:], '--stream'])\n"
        "assert 'soundfile' not in sys.modules\n"
        "sys.exit(status)",
        onnx_folder,
        recording,
    )
    assert process.returncode == 0, process.stderr
    assert len(process.stdout.splitlines()) == 1 + 2


@pytest.mark.parametrize(
    "code", ["import speechbrain_hrf.nnet", "import soundfile", "import scipy"]
)
def test_the_guard_guards(code):
    """The negative control."""
    process = python(code)
    assert process.returncode == 1
    assert "ImportError" in process.stderr or "NotFound" in process.stderr


def test_without_onnxruntime(onnx_folder, recording):
    """The error says what to install."""
    process = python(
        "sys.modules['onnxruntime'] = None\n"
        "from speechbrain_hrf.runtime.__main__ import main\n"
        "sys.exit(main(sys.argv[1:]))",
        onnx_folder,
        recording,
    )
    assert process.returncode == 1
    assert process.stderr == (
        "Error: The runner needs ONNX Runtime: pip install onnxruntime\n"
    )


@pytest.mark.slow
def test_in_a_fresh_environment(onnx_folder, recording, repository, tmp_path):
    """numpy and onnxruntime from the index, this package without what it
    depends on.
    """
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(repository / name, tmp_path)
    shutil.copytree(
        repository / "speechbrain_hrf",
        tmp_path / "speechbrain_hrf",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    inside = venv / ("Scripts" if os.name == "nt" else "bin") / "python"
    pip = [inside, "-m", "pip", "install", "-q"]
    subprocess.run([*pip, "numpy", "onnxruntime"], check=True)
    subprocess.run([*pip, "--no-deps", tmp_path], check=True)
    environment = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith("PYTHON")
    }

    def run(*arguments):
        return subprocess.run(
            [inside, *map(str, arguments)],
            cwd=onnx_folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    process = run("-m", "speechbrain_hrf.runtime", onnx_folder, recording)
    assert process.returncode == 0, process.stderr
    here = subprocess.run(
        [
            *(sys.executable, "-m", "speechbrain_hrf.runtime"),
            *(onnx_folder, recording),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert process.stdout == here.stdout
    # The negative control: what is left out is really not there.
    for name in ("torch", "speechbrain", "soundfile"):
        assert run("-c", f"import {name}").returncode == 1
    assert "No module named" in run("-c", "import speechbrain_hrf.nnet").stderr
