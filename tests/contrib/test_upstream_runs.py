"""What is assembled runs where this package cannot be imported.

SpeechBrain is the installed one with a change set's files in it, as a checkout
that is not installed: `PYTHONPATH` alone leads there.

Authors
 * The speechbrain_hrf authors 2026
"""

import csv
import json
import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest
from contrib_checkout import CONTRIB, INSTALLED, ROOT, git, make_samples
from gates import BLOCK, find_python_38
from recipe_csv import failed_checks

pytestmark = pytest.mark.slow

ANSWER = """\
import json, sys
from speechbrain.inference.classifiers import EncoderClassifier
import speechbrain.lobes.models.hrf as lobes

assert lobes.__name__ == "speechbrain.lobes.models.hrf"  # not our alias
classifier = EncoderClassifier.from_hparams(source=sys.argv[1])
print(json.dumps([classifier.classify_file(x)[0].tolist() for x in sys.argv[2:]]))
"""
SAFE = """\
import json, sys
from speechbrain_hrf.inference.safe import load

classifier = load(sys.argv[1])
kinds = {type(x).__module__ for x in classifier.mods.values()}
assert not any(kind.startswith("speechbrain_hrf.") for kind in kinds), kinds
print(json.dumps(classifier.classify_file(sys.argv[2])[0][0].tolist()))
"""


def run(command, root, block=True, cwd=None):
    """Runs it with that SpeechBrain; ours cannot be imported if blocked."""
    folder = root / "block"
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(BLOCK)
    path = [root, folder] if block else [root]
    process = subprocess.run(
        command,
        cwd=cwd or root,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, path)),
            "OMP_NUM_THREADS": "1",
        },
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


def test_blocked_means_blocked(tmp_path):
    """What the other tests rely on."""
    with pytest.raises(AssertionError, match="speechbrain_hrf is blocked"):
        run([sys.executable, "-c", "import speechbrain_hrf"], tmp_path)


def test_hrf(speechbrain_with, assembled):
    """Its examples, by SpeechBrain's options, and its unit tests."""
    root = speechbrain_with("hrf")
    (root / "conftest.py").write_text(
        "import pytest\n\n\n@pytest.fixture\ndef device():\n    return 'cpu'\n"
    )
    modules = git(assembled, "ls-tree", "-r", "--name-only", "pr/hrf")
    modules = [x for x in modules.split() if re.search("/hrf/.*py$", x)]
    assert len(modules) > 30
    pytest_ = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    said = run(
        [
            *pytest_,
            "--doctest-modules",
            "tests/unittests/test_hrf.py",
            *modules,
        ],
        root,
    )
    assert int(re.search(r"(\d+) passed", said)[1]) > 40


def test_python_38(speechbrain_with):
    """Nothing that is newer; modules are imported where 3.8 is at hand."""
    root = speechbrain_with("ravdess")
    packages = ("speechbrain/nnet/hrf", "speechbrain/lobes/models/hrf")
    vermin = shutil.which("vermin", path=os.path.dirname(sys.executable))
    run([vermin, "-t=3.8-", "--violations", *packages, "recipes/RAVDESS"], root)
    python = find_python_38()
    if python is None:
        pytest.skip("there is no Python 3.8; what it lacks was looked for")
    names = [x.replace("/", ".") for x in packages]
    stand_ins = CONTRIB / "import_with_stand_ins.py"
    subprocess.run([python, stand_ins, root, *names], check=True)


def test_checkpoints(speechbrain_with, assembled):
    """The test that goes with them passes, and fails without them."""
    root = speechbrain_with("checkpoints")
    test = "tests/unittests/test_checkpoints.py"
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", test]
    assert "2 passed" in run(command, root)
    shutil.copy(INSTALLED / "utils/checkpoints.py", root / "speechbrain/utils")
    with pytest.raises(AssertionError, match="1 failed, 1 passed"):
        run(command, root)


@pytest.mark.parametrize(
    ("dataset", "model"),
    [("RAVDESS", "convtransformer"), ("IEMOCAP", "speechformer")],
)
def test_debug_run_and_its_export(speechbrain_with, tmp_path, dataset, model):
    """As SpeechBrain's recipe tests start it; its export is loaded apart."""
    root = speechbrain_with(dataset.lower())
    make_samples(root)
    table = root / f"tests/recipes/{dataset}.csv"
    with open(table, newline="", encoding="utf-8") as file:
        row = next(x for x in csv.DictReader(file) if model in x["Hparam_file"])
    output = tmp_path / "run"
    command = [sys.executable, row["Script_file"], row["Hparam_file"]]
    command += shlex.split(row["test_debug_flags"])
    command += ["--device=cpu", f"--output_folder={output}", "--debug"]
    command += ["--debug_persistently"]
    run(command, root)
    assert failed_checks(row["test_debug_checks"], output) == []

    wavs = sorted(map(str, root.glob("tests/samples/ASR/dev_*.wav")))
    ask = [sys.executable, "-c", ANSWER]
    answers = json.loads(run([*ask, output / "pretrained", *wavs], root))
    assert len(answers) == 8 and len(answers[0][0]) == 4
    # Made again by `hrf export`, which verifies it against the training.
    again = tmp_path / "again"
    export = [sys.executable, "-m", "speechbrain_hrf.export", output, again]
    run([*export, "--audio", wavs[0]], root, block=False, cwd=tmp_path)
    others = json.loads(run([*ask, again, *wavs], root))
    for one, other in zip(answers, others, strict=True):
        assert one[0] == pytest.approx(other[0], abs=1e-5)
    # Its classes are known by name: plain data are enough to load it.
    safe = [sys.executable, "-c", SAFE, again, wavs[0]]
    assert json.loads(run(safe, root, block=False, cwd=tmp_path)) == (
        pytest.approx(answers[0][0], abs=1e-5)
    )


def test_ravdess_trains_as_ours_does(speechbrain_with, corpora, tmp_path):
    """The same losses and scores: figures of ours are figures of it."""
    from speechbrain_hrf.dataio.synthetic import make_corpus

    root = speechbrain_with("ravdess")
    corpus = make_corpus("RAVDESS", corpora)
    options = [f"--data_folder={corpus}", "--number_of_epochs=3", "--seed=1"]
    options += ["--device=cpu", "--noprogressbar"]
    yaml = "hparams/convtransformer_hrf.yaml"
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    recipe = root / "recipes/RAVDESS/emotion_recognition"
    run(
        [sys.executable, "train.py", yaml, f"--output_folder={theirs}"]
        + options,
        root,
        cwd=recipe,
    )
    run(
        [sys.executable, ROOT / "recipes/RAVDESS/train.py", yaml]
        + [f"--output_folder={ours}", f"--feature_folder={tmp_path / 'kept'}"]
        + options,
        tmp_path,
        block=False,
    )
    found, expected = (_numbers(folder) for folder in (theirs, ours))
    assert len(found) == 6
    # In evaluation single recordings show how float32's rounding has grown.
    tested = found.pop("loss")
    assert tested == pytest.approx(expected["loss"], abs=1e-3)
    assert found == pytest.approx({x: expected[x] for x in found}, abs=2e-4)


def _numbers(folder):
    """Losses by epoch, and the test's loss, WA and UA."""
    log = (folder / "train_log.txt").read_text(encoding="utf-8")
    losses = re.findall(r"train loss: (\S+)", log)
    test = re.findall(r"test (loss|WA|UA): ([^,\s]+)", log)
    named = [*enumerate(losses), *test]
    return {name: float(value) for name, value in named}


def test_check_says_what_failed(assembled, capsys):
    """The skeleton has no script that judges docstrings: that gate fails."""
    import upstream

    assert upstream.main([str(assembled), "--only", "checkpoints", "--check"])
    table = capsys.readouterr().out.partition("    checkpoints\n")[2]
    outcomes = dict(re.findall(r"^(.*?) {2,}(passed|FAILED)$", table, re.M))
    assert outcomes["docstrings"] == "FAILED"
    for gate in ("ruff check", "ruff format", "Python 3.8", "codespell"):
        assert outcomes[gate] == "passed"
