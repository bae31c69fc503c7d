"""SpeechBrain's --precision bf16 and --compile go through to the export.

Authors
 * The speechbrain_hrf authors 2026
"""

import pathlib
import shutil
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

SCRIPT = pathlib.Path(__file__).parents[2] / "recipes" / "RAVDESS" / "train.py"


@pytest.mark.parametrize("options", [["--precision", "bf16"], ["--compile"]])
def test_a_run_with(options, tmp_path):
    if "--compile" in options and not shutil.which("g++"):
        pytest.skip("torch.compile needs a C++ compiler on a CPU: no g++")
    done = subprocess.run(
        [
            sys.executable,
            str(SCRIPT),
            "hparams/speechformer_hrf.yaml",
            *("--output_folder", str(tmp_path / "run")),
            *("--number_of_epochs", "1"),
            *("--device", "cpu", "--noprogressbar"),
            *options,
        ],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert (tmp_path / "run" / "pretrained" / "README.md").is_file()
    assert "failed to compile" not in done.stdout
