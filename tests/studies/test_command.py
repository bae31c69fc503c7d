"""What the command says and refuses before any trial runs.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import socket
import subprocess
import sys

import pytest

from speechbrain_hrf.files import append_line
from speechbrain_hrf.studies.command import study as main
from speechbrain_hrf.studies.lines import TRIALS
from speechbrain_hrf.studies.study import load_study


def contents(folder):
    return sorted(path.name for path in folder.rglob("*"))


def finish_one(study_yaml):
    study = load_study(study_yaml)
    study.folder.mkdir()
    append_line(study.folder / TRIALS, {"id": study.trials[0].id})
    return study


def test_a_dry_run_lists_the_trials_and_writes_nothing(study_yaml, capsys):
    before = contents(study_yaml.parent)
    assert main([str(study_yaml), "--dry_run"]) == 0
    text = capsys.readouterr().out
    for trial in load_study(study_yaml).trials:
        assert f"{trial.id}  to run  {trial.label}" in text
    assert "4 trials: 0 done, 4 to run; folder" in text
    assert contents(study_yaml.parent) == before


def test_a_dry_run_knows_what_is_done_and_overrides(study_yaml, capsys):
    finish_one(study_yaml)
    assert main([str(study_yaml), "--dry_run", "--seeds", "[1, 2, 3]"]) == 0
    assert "6 trials: 1 done, 5 to run" in capsys.readouterr().out


def test_a_begun_study_needs_resume(study_yaml, capsys):
    study = finish_one(study_yaml)
    before = contents(study.folder)
    assert main([str(study_yaml)]) == 1
    error = capsys.readouterr().err
    assert "holds 1 finished trial already" in error and "--resume" in error
    assert contents(study.folder) == before


def test_generated_signals_are_not_taken_for_speech(
    study_yaml, corpus, tmp_path, capsys
):
    """A study that was tried on the stand-in is not done for a corpus."""
    study = load_study(study_yaml)
    study.folder.mkdir()
    for trial in study.trials:
        append_line(study.folder / TRIALS, {"id": trial.id, "synthetic": True})
    speech = tmp_path / "speech"
    speech.mkdir()
    command = [str(study_yaml), "--resume", "--data_folder"]
    assert main([*command, str(speech)]) == 1
    error = capsys.readouterr().err
    assert "holds 4 trials on generated signals" in error
    assert "another --output_folder" in error
    for same in "synthetic", str(corpus):
        assert main([*command, same]) == 0


def test_a_finished_study_has_nothing_to_do(study_yaml, capsys):
    study = finish_one(study_yaml)
    for trial in study.trials[1:]:
        append_line(study.folder / TRIALS, {"id": trial.id})
    assert main([str(study_yaml), "--resume"]) == 0
    assert "All 4 trials" in capsys.readouterr().out


@pytest.mark.parametrize(
    "options, reported",
    [
        ([], "There is no data folder"),
        (["--data_folder", "!PLACEHOLDER"], "--data_folder /path/to/corpus"),
        (["--sedes", "[1]"], "no key 'sedes'"),
        (["--models", "[perceptron]"], "no model 'perceptron'"),
        (["--recipe", "MNIST"], "no recipe 'MNIST'"),
    ],
)
def test_what_cannot_run_is_named_before_anything_is_written(
    study_yaml, capsys, options, reported
):
    before = contents(study_yaml.parent)
    assert main([str(study_yaml), *options]) == 1
    assert reported in capsys.readouterr().err
    assert contents(study_yaml.parent) == before


def test_a_missing_extra_is_named(real_study_yaml):
    """Ray is hidden in a fresh process, as it may be loaded in this one."""
    code = (
        "import sys; sys.modules['ray'] = None; "
        "from speechbrain_hrf.studies.command import study as main; "
        f"sys.exit(main([{str(real_study_yaml)!r}]))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True
    )
    assert result.returncode == 1
    assert 'pip install -e ".[studies]"' in result.stderr
    assert "Traceback" not in result.stderr
    assert not (real_study_yaml.parent / "study").exists()


def test_an_address_without_ray_is_refused_at_once(real_study_yaml, capsys):
    """Ray itself would try for minutes."""
    pytest.importorskip("ray", reason="ray is not installed")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        for given, reported in (
            (address, f"no Ray to be reached at {address}"),
            ("ray://head:10001", "ray job submit --address http://head:8265"),
        ):
            assert main([str(real_study_yaml), "--address", given]) == 1
            assert reported in capsys.readouterr().err
    # The study is free for the next one.
    assert not os.path.exists(real_study_yaml.parent / "study" / ".driver")
