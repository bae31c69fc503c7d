"""The files of a report, the command, and what is left when it fails.

Authors
 * The speechbrain_hrf authors 2026
"""

import csv
import sys

import pytest
from study_lines import line, study, write_study

from speechbrain_hrf.report import paper, readme_text, write_report
from speechbrain_hrf.report.__main__ import main
from speechbrain_hrf.report.figure_settings import draw_settings
from speechbrain_hrf.report.load import load_trials
from speechbrain_hrf.report.missing import missing_trials
from speechbrain_hrf.report.pictures import panels

LIGHT = {"seeds": (1,), "folds": (1, 2)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A study and its report, with what an earlier report had left."""
    folder = write_study(
        tmp_path_factory.mktemp("study"), study(["FFN2", "FRONT"], **LIGHT)
    )
    for name in ("report_old.png", "report_old.csv", "notes.csv"):
        (folder / name).write_text("old")
    (folder / "report.md").write_text("old")
    write_report(folder)
    return folder


def test_everything_is_written_and_nothing_else(folder):
    """Old figures go, other files stay, nothing half-written is left."""
    names = {path.name for path in folder.iterdir()}
    assert {"report.md", "report.html", "report_differences.png"} <= names
    assert "notes.csv" in names and "trials.jsonl" in names
    assert not [name for name in names if "old" in name or "partial" in name]
    assert "old" not in (folder / "report.md").read_text()[:4]


def test_markdown_names_what_is_there(folder):
    """Every figure and table that it links lies beside it."""
    text = (folder / "report.md").read_text()
    names = {path.name for path in folder.glob("report_*.png")}
    assert len(names) > 5
    for name in names:
        assert f"]({name})" in text
    for part in text.split("](")[1:]:
        assert (folder / part.partition(")")[0]).is_file()
    assert "\n\n\n\n" not in text
    tables = [x for x in text.splitlines() if x.startswith("|---")]
    assert len(tables) == 4


def test_the_page_stands_alone(folder):
    """Every figure is within; no address, no script."""
    page = (folder / "report.html").read_text()
    pictures = list(folder.glob("report_*.png"))
    assert page.count('src="data:image/png;base64,') == len(pictures)
    assert "http" not in page and "<script" not in page


def test_csv_files_hold_every_score(folder):
    """Also those that are not the study's own."""
    with open(folder / "report_cells.csv", newline="") as stream:
        cells = list(csv.DictReader(stream))
    assert {cell["metric"] for cell in cells} == {"WA", "UA", "WF1", "MF1"}
    assert {cell["row"] for cell in cells} == {"Lightweight", "FFN2", "FRONT"}
    with open(folder / "report_trials.csv", newline="") as stream:
        assert len(list(csv.DictReader(stream))) == 6


def test_a_single_trial(tmp_path):
    """A report all the same, which says that nothing can be compared."""
    write_report(write_study(tmp_path, [line("conformer", "FFN2", 0.4)]))
    text = (tmp_path / "report.md").read_text()
    assert "No Lightweight trial of this model has finished" in text


def test_lines_without_diagnostics(tmp_path):
    """Runs that noted no steps, spectra or validation scores."""
    lines = study(effective_steps=None, spectra={}, valid=None, **LIGHT)
    for some in lines:
        some["curves"] = {"epoch": [], "lr": [], "train_loss": []}
    write_report(write_study(tmp_path, lines))
    assert "Diagnostics" not in (tmp_path / "report.md").read_text()


def test_runs_of_unequal_length_and_broken_losses(tmp_path):
    """One was stopped earlier, one diverged on the way."""
    lines = study(**LIGHT)
    for key in ("epoch", "train_loss", "valid_UA"):
        lines[0]["curves"][key] = lines[0]["curves"][key][:4]
    lines[1]["curves"]["train_loss"][5] = None
    lines[2]["curves"]["train_loss"][5] = float("nan")
    write_report(write_study(tmp_path, lines))
    assert (tmp_path / "report_train_loss_convtransformer.png").is_file()


@pytest.mark.parametrize("setting", ["ratio", "layers", "activation"])
def test_curves_over_a_setting(tmp_path, setting):
    """Like the paper's figures, for the models that have several values."""
    values = {"ratio": [2, 4], "layers": [1, 2], "activation": ["ReLU", "GELU"]}
    lines = [
        line("convtransformer", arm, 0.4, seed=seed, **{setting: value})
        for arm in ("FFN1", "FFN2", "QKV", "CLS", "ALL")
        for value in values[setting]
        for seed in (1, 2)
    ]
    lines += study(["Project"], folds=(1,), seeds=(1, 2))
    lines += study(models=("conformer",), folds=(1,), seeds=(1, 2))
    trials = load_trials(write_study(tmp_path, lines))
    rates = dict.fromkeys(trials.models, 0.001)
    drawn = draw_settings(trials, rates, tmp_path)
    [picture] = drawn.pop(setting)
    assert (tmp_path / picture.file).is_file()
    assert "Project" not in picture.alt and "QKV is best at" in picture.alt
    assert not any(drawn.values())


def test_curves_are_of_the_same_runs(tmp_path):
    """A rate that ran on one easy fold only is no point of a curve."""
    lines = study(rates=[0.001, 0.002], folds=(1, 2), noise=0)
    for some in lines:
        if some["fold"] == 2:
            some["test"]["UA"] += 0.3
    some = [x for x in lines if x["lr"] == 0.001 or x["fold"] == 1]
    trials = load_trials(write_study(tmp_path, some))
    [picture] = draw_settings(trials, {}, tmp_path)["lr"]
    assert "FFN2 is best at 0.001 (0.400)" in picture.alt
    apart = [x for x in lines if (x["lr"] == 0.001) == (x["fold"] == 1)]
    trials = load_trials(write_study(tmp_path, apart))
    assert draw_settings(trials, {}, tmp_path)["lr"] == []


@pytest.mark.parametrize(
    "dataset, metric, beside",
    [("IEMOCAP", "UA", ".589"), ("M3ED", "WF1", ".382")],
)
def test_printed_figures_stand_beside_ours(tmp_path, dataset, metric, beside):
    """On the paper's corpora; all its rows, also those we lack."""
    lines = study(dataset=dataset, metric=metric, **LIGHT)
    write_report(write_study(tmp_path, lines))
    text = (tmp_path / "report.md").read_text()
    [row] = [x for x in text.splitlines() if x.startswith("| FFN2 | 2 |")]
    assert beside in row and "| 9K |" in row
    assert "| Original | - |" in text and "arXiv 2411.09339" in text


@pytest.mark.parametrize(
    "changes", [{"dataset": "RAVDESS"}, {"dataset": "M3ED", "synthetic": True}]
)
def test_printed_figures_stay_away_from_others(tmp_path, changes):
    """Another corpus, or none: and the reason."""
    write_report(write_study(tmp_path, study(**LIGHT, **changes)))
    text = (tmp_path / "report.md").read_text()
    assert ", paper" not in text and "paper's" in text
    assert ("SYNTHETIC DATA" in text) == ("synthetic" in changes)
    page = (tmp_path / "report.html").read_text()
    assert ("Synthetic data:" in page) == ("synthetic" in changes)


def test_the_papers_figures_are_whole():
    """Three models on three corpora, with each table's own scores."""
    table = paper.printed().reset_index()
    assert table.groupby(["model", "dataset"]).size().to_dict() == {
        (model, dataset): {"Conformer": 13}.get(model, 9)
        for model in paper.MODELS.values()
        for dataset in paper.METRICS
    }
    for dataset, metrics in paper.METRICS.items():
        some = table[table["dataset"] == dataset]
        assert some[list(metrics)].notna().all(axis=None)
        others = {"WA", "UA", "WF1", "MF1"} - set(metrics)
        assert some[list(others)].isna().all(axis=None)


def test_missing_trials_are_named(tmp_path):
    """By what other rows have, since this folder has no plan."""
    lines = study(**LIGHT)[:-1]
    write_report(write_study(tmp_path, lines))
    text = (tmp_path / "report.md").read_text()
    assert "| ConvTransformer FFN2 | .001 | 1 of 2 | fold 2: seed 1 |" in text


def test_a_plan_says_what_is_missing(tmp_path):
    """Also rows that have no trial at all, named by what they differ in."""
    write_study(tmp_path, study(**LIGHT))
    (tmp_path / "study.yaml").write_text(
        "name: demo\noutput_folder: x\nrecipe: RAVDESS\ndata_folder: y\n"
        "models: [conformer]\nmodules: [QKV]\nfolds: [1]\nseeds: [1, 2]\n"
        "ratios: [2, 8]\nactivations: [relu, gelu]\n"
    )
    write_report(tmp_path)
    text = (tmp_path / "report.md").read_text()
    row = "Conformer QKV, ratio 8, GELU | .001 | 0 of 2 | fold 1: seeds 1, 2"
    assert row in text and "By the plan in study.yaml" in text


@pytest.mark.parametrize("text", ["models: [", "recipe: none", "x: 1"])
def test_a_plan_that_cannot_be_read(tmp_path, text):
    """Is said, with the reason; the rest of the report does without it."""
    folder = write_study(tmp_path, study(**LIGHT)[:-1])
    (folder / "study.yaml").write_text(text + "\n")
    missing, expected = missing_trials(load_trials(folder))
    assert missing["missing"].tolist() == ["fold 2: seed 1"]
    assert "study.yaml cannot be read (" in expected


def test_a_failure_leaves_the_earlier_report(tmp_path, monkeypatch):
    """And nothing half-written; here the disk is full at the first figure."""
    folder = write_study(tmp_path, study(**LIGHT))
    (folder / "report.md").write_text("earlier")

    def full(*args, **options):
        raise OSError(28, "No space left on device")

    figure, _ = panels(1, 1, 1)
    monkeypatch.setattr(type(figure), "savefig", full)
    assert main([str(folder)]) == 1
    assert {path.name for path in folder.iterdir()} == {
        "trials.jsonl",
        "report.md",
    }
    assert (folder / "report.md").read_text() == "earlier"


def test_readme_form(tmp_path):
    """The answer and a row per arm; nothing is written."""
    lines = study(["FFN2", "FRONT"], {"FFN2": 0.1}, rates=[0.001, 0.002])
    folder = write_study(tmp_path, lines)
    text = readme_text(folder)
    assert text.startswith("- On RAVDESS, by UA, HRF as published beats")
    rows = [x for x in text.splitlines() if x.startswith("| FFN2 |")]
    assert len(rows) == 2 and all(r"\* |" in row for row in rows)
    [front, _] = [x for x in text.splitlines() if x.startswith("| FRONT |")]
    assert r"\*" not in front
    assert [path.name for path in folder.iterdir()] == ["trials.jsonl"]


def test_command(tmp_path, capsys):
    """Status, and errors without a traceback."""
    assert main([str(tmp_path / "none")]) == 1
    assert "There is no folder" in capsys.readouterr().err
    folder = write_study(tmp_path, study(**LIGHT))
    assert main([str(folder), "--readme"]) == 0
    assert "| FFN2 |" in capsys.readouterr().out


def test_a_missing_extra_is_named(tmp_path, monkeypatch, capsys):
    """What cannot be imported, and the command that installs it."""
    monkeypatch.setitem(sys.modules, "pingouin", None)
    assert main([str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert error.startswith("Error: The report needs pingouin")
    assert 'pip install "speechbrain-hrf[sweep]"' in error
