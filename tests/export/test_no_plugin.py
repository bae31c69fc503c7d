"""An exported folder works where SpeechBrain is installed and we are not.

Authors
 * The speechbrain_hrf authors 2026
"""

import json
import os
import pathlib
import shutil
import site
import subprocess
import sys
import sysconfig

import pytest
import torch
from speechbrain.inference.classifiers import EncoderClassifier

SCRIPT = """\
import json, sys
try:
    import speechbrain_hrf
except ModuleNotFoundError:
    pass
else:
    sys.exit("the plugin is here: " + speechbrain_hrf.__file__)

{load}
log_probabilities, score, index, label = classifier.classify_file(
    sys.argv[1]
)
print("ANSWER", json.dumps([log_probabilities[0].tolist(), label[0]]))
"""


@pytest.fixture(scope="module")
def python_without_plugin(tmp_path_factory):
    """The interpreter of a virtual environment with all that is installed
    here, but this package.

    Its packages are links to those here. Paths in .pth files are not
    followed there, so that an editable installation does not come along.
    """
    root = tmp_path_factory.mktemp("without_plugin")
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", root / "venv"],
        check=True,
    )
    (packages,) = (root / "venv").glob("lib/python3.*/site-packages")
    here = {sysconfig.get_path(kind) for kind in ("purelib", "platlib")}
    if not site.ENABLE_USER_SITE:
        here |= set(site.getsitepackages())
    else:
        here |= {*site.getsitepackages(), site.getusersitepackages()}
    for folder in sorted(filter(os.path.isdir, here)):
        for path in pathlib.Path(folder).iterdir():
            ours = path.name.startswith(("speechbrain_hrf", "__editable__"))
            beside = packages / path.name
            if not ours and path.suffix != ".pth" and not beside.exists():
                beside.symlink_to(path)
    return root / "venv" / "bin" / "python"


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="links to installed packages")
def test_standalone_in_another_environment(
    exported, python_without_plugin, tmp_path
):
    """The code on the card, in a process that cannot import the plugin."""
    output, report = exported
    shutil.copytree(report.folder, tmp_path / "model")
    audio = str(output.parent / "data" / "2.flac")
    script = tmp_path / "script.py"
    script.write_text(
        SCRIPT.format(
            load=report.load_standalone.replace(str(report.folder), "model")
        )
    )
    environment = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith("PYTHON")
    }
    process = subprocess.run(
        [python_without_plugin, script, audio],
        cwd=tmp_path,
        env={**environment, "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    (line,) = (
        line
        for line in process.stdout.splitlines()
        if line.startswith("ANSWER")
    )
    found, label = json.loads(line.removeprefix("ANSWER"))
    classifier = EncoderClassifier.from_hparams(source=str(report.folder))
    expected, _, _, labels = classifier.classify_file(audio)
    assert label == labels[0]
    assert torch.allclose(torch.tensor(found), expected[0].cpu(), atol=1e-5)
    assert "expect_len" not in process.stderr  # no warning for a newcomer


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="links to installed packages")
def test_the_plugins_route_needs_the_plugin(
    exported, python_without_plugin, tmp_path
):
    """The negative control: that environment really lacks the plugin."""
    _, report = exported
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(load=report.load))
    process = subprocess.run(
        [python_without_plugin, script, "none.wav"],
        cwd=tmp_path,
        env={k: v for k, v in os.environ.items() if k[:6] != "PYTHON"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 1
    assert "speechbrain_hrf.lobes.models.Conformer" in process.stderr
