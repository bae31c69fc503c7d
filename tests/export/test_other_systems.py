"""Exports where there are no symbolic links and no fcntl, as on Windows.

Authors
 * The speechbrain_hrf authors 2026
"""

import json
import os
import subprocess
import sys

import pytest
import torch

from speechbrain_hrf.export import examples, fresh_process

# Every Python process runs a module of this name when it starts.
OTHER_SYSTEM = """\
import os, sys

sys.modules["fcntl"] = None


def refuse(*args, **options):
    raise OSError(1314, "A required privilege is not held by the client")


os.symlink = refuse
"""
# What files.py promises, beside whole files.
FILES = """\
import os, pathlib, subprocess, sys

from speechbrain_hrf.files import *
from speechbrain_hrf.files import locked, replace_folder

assert "torch" not in sys.modules and sys.modules["fcntl"] is None
try:
    os.symlink("a", "b")
except OSError:
    pass
else:
    raise SystemExit("it has links")
root = pathlib.Path(sys.argv[1])
if sys.argv[2:] == ["dies"]:
    with locked(root / "lock"):
        os._exit(0)
# A lock goes with its process, however that ended.
subprocess.run([sys.executable, sys.argv[0], root, "dies"], check=True)
with locked(root / "lock", seconds=60):
    try:
        with locked(root / "lock", seconds=0):
            raise SystemExit("two hold a lock")
    except TimeoutError:
        pass
for text in "first", "second":
    with replace_folder(root / "model", lambda place: None) as folder:
        write_whole(folder / "a.txt", text)
append_line(root / "a.jsonl", {"seed": 1})
assert read_lines(root / "a.jsonl") == [{"seed": 1}]
assert (root / "model" / "a.txt").read_text() == "second"
assert sorted(os.listdir(root)) == ["a.jsonl", "model"], os.listdir(root)
"""


@pytest.fixture
def environment(tmp_path_factory):
    """Of a process that finds itself on such a system."""
    folder = tmp_path_factory.mktemp("system")
    (folder / "sitecustomize.py").write_text(OTHER_SYSTEM)
    return {**os.environ, "PYTHONPATH": str(folder)}


@pytest.fixture
def no_links(monkeypatch):
    """Of this process."""

    def refuse(*args, **options):
        raise OSError(1314, "A required privilege is not held by the client")

    monkeypatch.setattr(os, "symlink", refuse)


def test_files_and_locks(environment, tmp_path):
    (tmp_path / "files.py").write_text(FILES)
    (tmp_path / "root").mkdir()
    process = subprocess.run(
        [sys.executable, tmp_path / "files.py", tmp_path / "root"],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr


def test_a_folder_is_verified_without_links(exported, tmp_path, no_links):
    """What the fresh process does, and what --onnx loads."""
    _, report = exported
    request = tmp_path / "request.json"
    sound = str(report.folder.parent / "data" / "0.flac")
    request.write_text(
        json.dumps(
            {
                "source": str(report.folder),
                "files": [sound],
                "blocked": [],
                "standalone": None,
                "safe": True,
            }
        )
    )
    with torch.random.fork_rng(devices=[]):
        fresh_process.main(str(request), str(tmp_path / "answer.json"))
    answers = json.loads((tmp_path / "answer.json").read_text())
    classifier = examples._load_classifier(report.folder)
    found = classifier.classify_file(sound)[0][0].tolist()
    assert answers["from_hparams"][sound][0] == pytest.approx(found, abs=1e-6)


@pytest.mark.slow  # a whole export
def test_a_whole_export(exported, environment, tmp_path):
    output, _ = exported
    process = subprocess.run(
        [
            *(sys.executable, "-m", "speechbrain_hrf.export"),
            *(output, tmp_path / "model", "--onnx"),
        ],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    assert (tmp_path / "model" / "model.onnx").is_file()
    assert os.listdir(tmp_path) == ["model"]
