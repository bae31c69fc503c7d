"""An exported folder works where SpeechBrain is installed and we are not.

Authors
 * The speechbrain_hrf authors 2026
"""

import json
import os
import pathlib
import site
import subprocess
import sys
import sysconfig

import pytest
import soundfile
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
    here |= set(site.getsitepackages())
    if site.ENABLE_USER_SITE:
        here.add(site.getusersitepackages())
    for folder in sorted(filter(os.path.isdir, here)):
        for path in pathlib.Path(folder).iterdir():
            ours = path.name.startswith(("speechbrain_hrf", "__editable__"))
            beside = packages / path.name
            if not ours and path.suffix != ".pth" and not beside.exists():
                beside.symlink_to(path)
    return root / "venv" / "bin" / "python"


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="links to installed packages")
def test_the_cards_code_in_another_environment(
    exported, python_without_plugin, tmp_path
):
    """The plugin's route, as the control, fails there; the other one loads."""
    output, report = exported
    audio = str(tmp_path / "speech.wav")
    samples, rate = soundfile.read(output.parent / "data" / "2.flac")
    soundfile.write(audio, samples, rate)
    environment = {k: v for k, v in os.environ.items() if k[:6] != "PYTHON"}
    processes = []
    for load in (
        report.load,
        report.write_code(report.folder, standalone=True),
    ):
        script = tmp_path / "script.py"
        script.write_text(SCRIPT.format(load=load))
        processes.append(
            subprocess.run(
                [python_without_plugin, script],
                cwd=tmp_path,
                env={**environment, "HF_HUB_OFFLINE": "1"},
                capture_output=True,
                text=True,
            )
        )
    control, process = processes
    assert control.returncode == 1
    assert "speechbrain_hrf.lobes.models.Conformer" in control.stderr
    assert process.returncode == 0, process.stderr
    found, label = json.loads(process.stdout.split("ANSWER")[1])
    classifier = EncoderClassifier.from_hparams(source=str(report.folder))
    expected, _, _, labels = classifier.classify_file(audio)
    assert label == labels[0]
    assert torch.allclose(torch.tensor(found), expected[0].cpu(), atol=1e-5)
    assert "expect_len" not in process.stderr  # no warning for a newcomer
