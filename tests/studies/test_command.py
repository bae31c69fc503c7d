"""What the command reads, says and refuses before any trial runs.

Authors
 * The speechbrain_hrf authors 2026
"""

import socket
import sys

import pytest
from ruamel.yaml import YAML

from speechbrain_hrf.files import append_line
from speechbrain_hrf.owner import owned
from speechbrain_hrf.provenance import table_version
from speechbrain_hrf.studies.command import read_arguments
from speechbrain_hrf.studies.command import study as main
from speechbrain_hrf.studies.lines import TRIALS
from speechbrain_hrf.studies.study import load_study
from speechbrain_hrf.studies.tasks import DRIVER


def test_other_options_are_overrides_in_yaml():
    options, overrides = read_arguments(
        [
            *("--seeds", "[1, 2]", "x.yaml", "--cores", "3"),
            *("--overrides={lr: 0.1, activation: '!name:torch.nn.ReLU'}",),
            *("--data_folder", "/path/with space", "--dry_run"),
        ]
    )
    assert (options.study, options.cores) == ("x.yaml", 3)
    assert options.dry_run and not options.resume
    read = YAML().load(overrides)
    assert read["seeds"] == [1, 2]
    assert read["overrides"]["lr"] == 0.1
    assert read["data_folder"] == "/path/with space"


@pytest.mark.parametrize(
    "argv, reported",
    [
        ([], "study"),
        (["x.yaml", "y.yaml"], "unrecognized arguments: y.yaml"),
        (["x.yaml", "--seeds"], "--seeds: expected one argument"),
        (["x.yaml", "--seeds", "--resume"], "--seeds: expected one argument"),
        # --re is not --resume, nor --recipe.
        (["x.yaml", "--re", "1"], "unrecognized arguments: --re 1"),
        (["x.yaml", "--sedes", "[1]"], "unrecognized arguments: --sedes"),
        (["x.yaml", "--sedes", "[1]"], "[--seeds SEEDS]"),
        (["x.yaml", "--address", "auto", "--cores", "2"], "--cores"),
    ],
)
def test_what_cannot_be_meant_is_refused(argv, reported, capsys):
    with pytest.raises(SystemExit):
        read_arguments(argv)
    assert reported in capsys.readouterr().err


def contents(folder):
    return sorted(path.name for path in folder.rglob("*"))


def finish(study_yaml, number, **line):
    """A study some of whose trials have their lines."""
    study = load_study(study_yaml)
    study.folder.mkdir()
    for trial in study.trials[:number]:
        append_line(study.folder / TRIALS, {"id": trial.id, **line})
    return study


def test_a_dry_run_lists_the_trials_and_writes_nothing(study_yaml, capsys):
    study = finish(study_yaml, 1)
    before = contents(study_yaml.parent)
    assert main([str(study_yaml), "--dry_run", "--seeds", "[1, 2, 3]"]) == 0
    text = capsys.readouterr().out
    for k, trial in enumerate(study.trials):
        state = "to run" if k else "done  "
        assert f"{trial.id}  {state}  {trial.label}" in text
    assert "6 trials, 5 to run; folder" in text
    assert contents(study_yaml.parent) == before


def test_a_begun_study_needs_resume(study_yaml, capsys):
    study = finish(study_yaml, 1)
    before = contents(study.folder)
    assert main([str(study_yaml)]) == 1
    error = capsys.readouterr().err
    assert "holds 1 finished trial already" in error and "--resume" in error
    assert contents(study.folder) == before


def test_generated_signals_are_not_taken_for_speech(
    study_yaml, corpus, tmp_path, capsys
):
    """A study that was tried on the stand-in is not done for a corpus."""
    finish(study_yaml, 4, synthetic=True)
    command = [str(study_yaml), "--resume", "--data_folder"]
    assert main([*command, str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert "holds 4 trials on generated signals" in error
    assert "another --output_folder" in error
    for same in "synthetic", str(corpus):
        assert main([*command, same]) == 0
        assert "All 4 trials" in capsys.readouterr().out


def test_another_table_of_labels_is_refused(study_yaml, tmp_path, capsys):
    """Before anything runs; wherever the table lies, and by its content."""
    (tmp_path / "mine").mkdir()
    table = tmp_path / "mine" / "labels.csv"
    table.write_text("path,label\na.wav,sad\n")
    finish(study_yaml, 4, synthetic=False, table=table_version(str(table)))
    command = [str(study_yaml), "--resume", "--data_folder"]
    moved = table.rename(tmp_path / "mine" / "my.csv")
    assert main([*command, str(moved)]) == 0
    moved.rename(table)
    assert main([*command, str(table.parent)]) == 0
    assert main([*command, str(tmp_path)]) == 0
    assert capsys.readouterr().out.count("All 4 trials") == 3
    table.write_text("path,label\na.wav,happy\n")
    for place in (table, table.parent, tmp_path):
        assert main([*command, str(place)]) == 1
        error = capsys.readouterr().err
        assert "holds 4 trials on another table of labels" in error
        assert str(place) in error and "another --output_folder" in error


def test_a_table_of_generated_signals_is_known_as_such(
    study_yaml, tmp_path, capsys
):
    finish(study_yaml, 4, synthetic=True)
    table = tmp_path / "labels.csv"
    table.write_text("path,label\na.wav,sad\n")
    command = [str(study_yaml), "--resume", "--data_folder", str(table)]
    assert main(command) == 1
    assert "on generated signals" in capsys.readouterr().err
    (tmp_path / "SYNTHETIC.txt").write_text("")
    assert main(command) == 0


def test_a_table_that_is_not_there_is_named(tmp_path, repository, capsys):
    study = str(repository / "studies" / "own_data.yaml")
    folder = ["--output_folder", str(tmp_path / "study")]
    assert main([study, "--labels", str(tmp_path / "my.csv"), *folder]) == 1
    error = capsys.readouterr().err
    assert f"There are no data at {tmp_path}/my.csv: give" in error
    assert "--labels my.csv" in error
    audio = ["--data_folder", str(tmp_path / "audio")]
    (tmp_path / "my.csv").touch()
    assert (
        main([study, "--labels", str(tmp_path / "my.csv"), *audio, *folder])
        == 1
    )
    error = capsys.readouterr().err
    assert f"There are no data at {tmp_path}/audio: give --data_folder" in error
    assert [path.name for path in tmp_path.iterdir()] == ["my.csv"]


def test_too_few_speakers_are_said_before_ray_starts(
    tmp_path, repository, capsys
):
    """Not by each of sixty trials, three times."""
    rows = [f"{who}.wav,{label},{who}" for who in "ab" for label in ("x", "y")]
    rows = [row.replace(".", f"{k}.") for k, row in enumerate(rows)]
    for row in rows:
        (tmp_path / row.partition(",")[0]).touch()
    table = tmp_path / "my.csv"
    table.write_text("\n".join(["path,label,speaker", *rows]))
    study = str(repository / "studies" / "own_data.yaml")
    folder = ["--output_folder", str(tmp_path / "study")]
    assert main([study, "--labels", str(table), *folder]) == 1
    error = capsys.readouterr().err
    assert "There are 2 speakers (a, b), fewer than 5 folds" in error
    assert len(error.splitlines()) == 1
    assert not (tmp_path / "study").exists()


@pytest.mark.parametrize(
    "options, reported",
    [
        ([], "no_corpus: give --data_folder /path/to/corpus"),
        (
            ["--data_folder", "null"],
            "There are no data at null: give --data_folder",
        ),
        (["--data_folder", "null"], "--data_folder /path/to/corpus"),
        (["--data_folder", "!PLACEHOLDER"], "for the tag '!PLACEHOLDER'"),
        (["--seeds", "[1]", "--seeds", "[2]"], 'found duplicate key "seeds"'),
    ],
)
def test_what_cannot_run_is_named_before_anything_is_written(
    study_yaml, capsys, options, reported
):
    before = contents(study_yaml.parent)
    assert main([str(study_yaml), *options]) == 1
    assert reported in capsys.readouterr().err
    assert contents(study_yaml.parent) == before


def test_a_study_that_is_not_there_is_named(tmp_path, capsys):
    given = tmp_path / "none" / "x.yaml"
    assert main([str(given)]) == 1
    error = capsys.readouterr().err
    assert error == f"There is no {given}: give a YAML's path.\n"


def test_a_missing_extra_is_named(real_study_yaml, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main([str(real_study_yaml)]) == 1
    error = capsys.readouterr().err
    assert 'pip install -e ".[studies]"' in error and "Traceback" not in error
    assert not (real_study_yaml.parent / "study").exists()


def test_an_address_without_ray_is_refused_at_once(real_study_yaml, capsys):
    """Ray itself would try for minutes."""
    pytest.importorskip("ray", reason="ray is not installed")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        for given, reported in (
            (address, f"Ray cannot be reached at {address} (see --help): "),
            ("ray://head:10001", "reached at ray://head:10001 (see --help): "),
        ):
            assert main([str(real_study_yaml), "--address", given]) == 1
            error = capsys.readouterr().err
            assert reported in error
    # The study is free for the next one.
    assert not (real_study_yaml.parent / "study" / ".driver").exists()


def test_a_study_that_is_being_run_is_refused(real_study_yaml, capsys):
    pytest.importorskip("ray", reason="ray is not installed")
    folder = load_study(real_study_yaml).folder
    folder.mkdir()
    with owned(folder, DRIVER, "") as driver:  # as by another process
        assert main([str(real_study_yaml)]) == 1
    error = capsys.readouterr().err
    assert f"Another driver ({driver}) runs this study" in error
    assert "another --output_folder" in error


def test_a_study_that_fits_on_no_core_is_told_so(real_study_yaml, capsys):
    pytest.importorskip("ray", reason="ray is not installed")
    few = ["--cores", "1", "--threads_per_trial", "2"]
    assert main([str(real_study_yaml), *few]) == 1
    error = capsys.readouterr().err
    assert "takes 2 threads, and there are 1 cores: change --threads" in error
