"""The examples of docs/your_model.md run as it says and keep their promises.

Each is started by its command there, on a few files of RAVDESS.

Authors
 * The speechbrain_hrf authors 2026
"""

import math
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from readme_commands import bash_blocks

REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLES = sorted(REPOSITORY.glob("docs/examples/*.py"))
TEXT = (REPOSITORY / "docs/your_model.md").read_text(encoding="utf-8")
COMMANDS = [shlex.split(line) for line in bash_blocks(TEXT)[-1].splitlines()]
RAVDESS = "/path/to/RAVDESS"
EMOTIONS = "neutral calm happy sad angry fearful disgust surprised".split()

# What each file is taken for, in a process that cannot import the plugin.
CLASSIFY = """\
import sys

sys.modules["speechbrain_hrf"] = None
from speechbrain.inference.classifiers import EncoderClassifier

classifier = EncoderClassifier.from_hparams(sys.argv[1])
for path in sys.argv[2:]:
    print(classifier.classify_file(path)[3][0])
"""


@pytest.fixture(scope="module")
def few_files(ravdess_folder, tmp_path_factory):
    """Every fifth file of two actors to train on and of one to test on."""
    folder = tmp_path_factory.mktemp("RAVDESS")
    for actor in ("Actor_01", "Actor_02", "Actor_21"):
        (folder / actor).mkdir()
        for file in sorted((ravdess_folder / actor).glob("03-*"))[::5]:
            (folder / actor / file.name).symlink_to(file)
    return folder


def run_python(*arguments):
    """What it prints."""
    process = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=REPOSITORY,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


def run_example(name, replaced=None):
    """Runs the command that the text gives, some of its words replaced."""
    (command,) = (each for each in COMMANDS if each[1].endswith(f"/{name}.py"))
    return run_python(
        *((replaced or {}).get(word, word) for word in command[1:])
    )


def test_examples_are_short_and_named():
    """A page each, and no example that the text does not know."""
    for path in EXAMPLES:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 60
        assert path.name in TEXT


@pytest.mark.slow
def test_ecapa_ships_without_the_plugin(few_files, tmp_path):
    """The folder gives, without the plugin, the scores that were printed."""
    target = tmp_path / "model"
    printed = run_example(
        "ecapa_on_ravdess", {RAVDESS: few_files, "my_ecapa": target, "20": 10}
    )
    files = sorted((few_files / "Actor_21").iterdir())
    found = run_python("-c", CLASSIFY, target, *files).split()
    true = [EMOTIONS[int(file.name[6:8]) - 1] for file in files]
    assert f"on {len(files)} files" in printed
    hits = sum(map(str.__eq__, found, true))
    assert f"WA {hits / len(files):.3f}".replace(" 0.", " .") in printed


@pytest.mark.slow
def test_preserve_keeps_what_is_learnt():
    """Outputs are equal after expansion; fine-tuning then improves on it."""
    pytest.importorskip("transformers", reason="transformers is missing")
    printed = run_example("finetune_with_preserve")
    changed, old, new = map(float, re.findall(r"\d\S*\d", printed))
    assert changed < 1e-4
    assert new > old + 0.2


@pytest.mark.slow
def test_cnn_ships_the_merged_weights(few_files, tmp_path):
    """ONNX Runtime has heard every file; the file holds no factors."""
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    pytest.importorskip("onnxscript", reason="onnxscript is not installed")
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    target = tmp_path / "cnn.onnx"
    printed = run_example(
        "torchvision_style_cnn", {RAVDESS: few_files, "my_cnn.onnx": target}
    )
    assert " of 12 files of unheard actors" in printed
    trained, shipped = re.findall(r"\d+,\d+", printed)
    stored = onnx.load(target).graph.initializer
    # Some normalisations are merged into their convolutions as well.
    count = sum(math.prod(weight.dims) for weight in stored)
    assert 0.98 < count / int(shipped.replace(",", "")) <= 1
    assert int(trained.replace(",", "")) > 3 * count
