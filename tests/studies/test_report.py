"""A report's files, its tables, its settings' figures, and bad input.

Authors
 * The speechbrain_hrf authors 2026
"""

import io
import json
import re

import numpy as np
import pandas
import pytest
from made_up import line, study, test_set, write_study
from PIL import Image

from speechbrain_hrf.studies import figures
from speechbrain_hrf.studies.command import report
from speechbrain_hrf.studies.panels import draw_lines
from speechbrain_hrf.studies.paper import family
from speechbrain_hrf.studies.report import readme_text, write_report
from speechbrain_hrf.studies.results import read_results
from speechbrain_hrf.studies.statistics import compare
from speechbrain_hrf.studies.tables import paper_table
from speechbrain_hrf.studies.trial import digest

pytestmark = pytest.mark.usefixtures("few_resamples")
OURS = "ALL + FRONT, normalised"


@pytest.fixture(scope="module")
def folder(tmp_path_factory, few_resamples):
    """A study and its report, with what an earlier report had left."""
    lines, sets = study(
        ["FFN2", "ALL", OURS, "Original"],
        {OURS: 0.3, "Original": 0.2},
        ("convtransformer", "conformer"),
        rates=(0.001, 0.003),
        seeds=1,
    )
    folder = write_study(tmp_path_factory.mktemp("study"), lines, sets)
    for name in ("report_differences.png", "notes.csv"):
        (folder / name).write_text("old")
    write_report(folder)
    return folder


def test_three_files_and_nothing_else(folder):
    """Other files stay, nothing half-written is left."""
    assert {path.name for path in folder.iterdir()} == {
        "trials.jsonl", "test_sets.jsonl", "notes.csv",
        "report.md", "report.html", "report_differences.png",
    }  # fmt: skip
    written = list(folder.glob("report*"))
    assert sum(path.stat().st_size for path in written) < 500_000


def test_the_page_stands_alone(folder):
    """Every figure is within; no address, no script."""
    page = (folder / "report.html").read_text()
    assert page.count('src="data:image/png;base64,') > 5
    assert "http" not in page and "<script" not in page


def test_markdown(folder):
    """Question, answer, figure, table; every table has one width."""
    text = (folder / "report.md").read_text()
    assert text.startswith("# Does HRF help on RAVDESS?\n\n- Data: RAVDESS")
    assert "](report_differences.png)" in text
    assert "\n\n\n" not in text
    blocks = [x for x in text.split("\n\n") if x.startswith("| ")]
    assert len(blocks) > 5
    for block in blocks:
        assert len({len(row) for row in block.splitlines()}) == 1
    assert re.search(r"^\| Original +\| \.[56]", text, re.M)


def test_readme(folder):
    """A sentence and a table of the arms that are named, in that order."""
    text = readme_text(folder)
    sentence, _, table, legend = text.split("\n\n")
    assert "normalised HRF (ALL + FRONT) gains UA on all 2 models" in sentence
    rows = [x.split("|")[1].strip() for x in table.splitlines()]
    assert rows[2:] == [
        "Lightweight",
        "HRF as published (ALL)",
        "**normalised HRF** (ALL + FRONT)",
        "Original",
    ]
    assert "| 801,000 " in table and "all models" not in table
    assert re.search(r"<br>\+\.[23]", table)


def test_readme_of_other_arms(tmp_path):
    """All that were compared, where none of the usual ones was."""
    lines, sets = study(["FFN1", "FFN2"], {"FFN2": 0.3}, seeds=1)
    text = readme_text(write_study(tmp_path, lines, sets))
    assert "; FFN2 gains UA on ConvTransformer." in text
    rows = re.findall(r"^\| (\w+) ", text, re.M)
    assert rows == ["arm", "Lightweight", "FFN1", "FFN2"]


def test_readme_of_nothing_that_was_compared(tmp_path):
    lines, sets = study(seeds=1)
    lines = [x for x in lines if x["arm"] == "Lightweight"]
    text = readme_text(write_study(tmp_path, lines, sets))
    assert "On RAVDESS, nothing has been compared yet." in text


def test_a_unit_that_is_no_speaker(tmp_path):
    """Captions name it, and columns."""
    lines, sets = study(["ALL"], seeds=1, unit="series")
    folder = write_study(tmp_path, lines, sets)
    write_report(folder)
    text = (folder / "report.md").read_text()
    assert text.count("its 95 % interval over test series:") == 1
    assert text.count("mean over test series with its 95 %") == 1
    assert "| series up " in text


def test_labels_are_no_formulas(tmp_path):
    """Matplotlib takes what stands between dollar signs for one."""
    content = {key: x for key, x in test_set().items() if key != "id"}
    content["labels"] = ["$x^$", *content["labels"][1:]]
    sets = [{"id": digest(content), **content}]
    lines = [line("conformer", "Lightweight", *sets, 0.4)]
    assert write_report(write_study(tmp_path, lines, sets))


def test_a_single_run(tmp_path):
    """A report all the same, which says that nothing can be compared."""
    sets = [test_set()]
    write_report(
        write_study(tmp_path, [line("conformer", "FFN2", *sets, 0.4)], sets)
    )
    assert "nothing can be compared" in (tmp_path / "report.md").read_text()
    assert not (tmp_path / "report_differences.png").exists()


def test_printed_figures_stand_beside_ours(tmp_path):
    """Only of the paper's corpora, and never beside synthetic data."""
    common = {"seeds": 1, "folds": 2, "dataset": "M3ED", "metric": "WF1"}
    for synthetic in False, True:
        lines, sets = study(
            ["FFN2"], models=("conformer",), synthetic=synthetic, **common
        )
        folder = write_study(tmp_path / str(synthetic), lines, sets)
        results = read_results(folder)
        rows = paper_table(results, "Conformer").frame.set_index("arm")
        if synthetic:
            assert list(rows)[:3] == ["runs", "WF1", "parameters"]
            assert set(rows.index) == {"Lightweight", "FFN2"}
        else:
            assert list(rows)[:3] == ["runs", "WF1", "WF1, paper"]
            assert rows.loc["FFN1"].tolist()[:3] == ["-", "-", ".376"]
            assert rows.loc["FFN2", ["runs", "WF1, paper"]].tolist() == [
                "2",
                ".375",
            ]


def test_a_model_of_ones_own_on_a_corpus_of_the_paper(tmp_path):
    """The paper has no figures for it; for the others it still has."""
    lines, sets = study(
        ["FFN2"],
        models=("conformer", "mine"),
        folds=2,
        seeds=1,
        dataset="M3ED",
        metric="WF1",
    )
    write_report(write_study(tmp_path, lines, sets))
    text = (tmp_path / "report.md").read_text()
    own = text.split("\nmine: mean")[1].split("\n\n")[1]
    assert "| FFN2 " in own and "paper" not in own
    assert "| WF1, paper " in text


@pytest.mark.parametrize(
    "setting, options, names",
    [
        ("ratio", [{"hrf_ratio": x} for x in (2, 4)], "ratio {}".format),
        ("layers", [{"hrf_layers": x} for x in (1, 3)], "{} extra".format),
        (
            "activation",
            [{"activation": f"!name:torch.nn.{x}"} for x in ("ReLU", "GELU")],
            "{}".format,
        ),
    ],
)
def test_settings_have_rows_and_a_figure(tmp_path, setting, options, names):
    """An arm that was run with several; activations have their reference."""
    sets = [test_set(k) for k in (1, 2)]
    arms = {"ALL": options, "Lightweight": [{}]}
    if setting == "activation":
        arms["Lightweight"] = options
    lines = [
        line("conformer", arm, s, 0.4, options=each)
        for arm, several in arms.items()
        for each in several
        for s in sets
    ]
    results = read_results(write_study(tmp_path, lines, sets))
    values = [
        str(x).rpartition(".")[2] for one in options for x in one.values()
    ]
    rows = {f"ALL, {names(value)}" for value in values} | {"Lightweight"}
    references = {"Lightweight"}
    if setting == "activation":
        references = {f"Lightweight, {value}" for value in values}
        rows = rows - {"Lightweight"} | references
    assert set(results.table["row"]) == rows
    assert set(results.table["reference"]) == references
    name, like = figures.AXES[setting]
    pictures = figures.draw_settings(results)
    assert list(pictures) == [f"By {name}"]
    assert like in pictures[f"By {name}"][0].caption
    spectra = figures.draw_spectra(results, "Conformer")
    assert all(row in spectra.alt for row in rows)
    confusion = figures.draw_confusion(results)
    assert re.match(
        "Matrices of Conformer: Lightweight.*: ALL, ", confusion.alt
    )


@pytest.mark.parametrize(
    "option",
    [
        {"hrf_inner_norm": True},
        {"hrf_init": "scaled"},
        {"hrf_lr_scale": 0.3},
        {"distil_from": "0123456789ab"},
        {"hrf_ratio": 16},
        {"hrf_layers": 4},
    ],
    ids=str,
)
def test_an_arm_with_options_that_are_ours_is_not_the_papers(option):
    """Whatever it is called."""
    usual = {"hrf_inner_norm": False, "hrf_init": "default", "hrf_lr_scale": 1}
    assert family("conformer", "FFN2", usual) == "paper"
    assert family("conformer", "FFN2", {**usual, **option}) == "ours"


def test_a_fold_with_more_seeds_counts_no_more(tmp_path):
    """A study that goes on does not shift a mean towards its first folds.

    And what an arm lacks is left out of what it is compared with.
    """
    lines, sets = study(folds=2, seeds=2)
    some = [x for x in lines if (x["fold"], x["seed"]) != (2, 2)]
    folder = write_study(tmp_path, some, sets)
    one, two, three = (
        x["test"]["UA"] for x in some if x["arm"] == "Lightweight"
    )
    found = re.search(r"\| Lightweight +\| (\.\d{3})", readme_text(folder))
    mean = f"{((one + two) / 2 + three) / 2:.3f}"[1:]
    assert found[1] == mean != f"{(one + two + three) / 3:.3f}"[1:]

    some = [x for x in some if (x["fold"], x["arm"]) != (2, "FFN2")]
    text = readme_text(write_study(tmp_path, some, sets))
    found = re.search(r"\| Lightweight +\| (\.\d{3})", text)
    assert "(of the folds that all arms have so far)" in text
    assert found[1] == f"{(one + two) / 2:.3f}"[1:]


def test_a_fourth_model_has_a_line_of_panels_of_its_own(tmp_path):
    """As high as that of the three above it."""
    heights = []
    models = ("convtransformer", "conformer", "speechformer", "mine")
    for number in 3, 4:
        lines, sets = study(["ALL"], models=models[:number], seeds=1, folds=2)
        folder = write_study(tmp_path / str(number), lines, sets)
        results = read_results(folder)
        picture = figures.draw_differences(results, compare(results))
        heights.append(Image.open(io.BytesIO(picture.png)).height)
    assert heights[1] == pytest.approx(2 * heights[0], abs=2)


@pytest.mark.parametrize("models", [1, 2, 3])
def test_a_legend_is_not_cut_off(models):
    """Arms with long names beside few panels."""
    points = pandas.DataFrame(
        [
            (f"model {model}", f"{arm}, normalised, 240 epochs", x, x)
            for model in range(models)
            for arm in ("ALL", "ALL + FRONT", "FFN1 & FFN2")
            for x in (1, 2)
        ],
        columns=["panel", "row", "x", "y"],
    )
    picture = draw_lines(points, "epoch", "loss", "")
    pixels = np.asarray(Image.open(io.BytesIO(picture.png)).convert("L"))
    assert pixels.min() < 50
    assert pixels[:, [0, -1]].min() > 250


@pytest.mark.filterwarnings("error")
def test_many_names_leave_room_for_the_panels():
    """One model, forty arms, panels as low as those of layers."""
    names = [f"ALL, ratio {k}" for k in range(40)]
    points = {"panel": "layer", "row": 2 * names, "x": 40 * [1, 2], "y": 1}
    assert draw_lines(pandas.DataFrame(points), "", "", "", 4, (2.4, 1.7))


def test_no_folder_no_lines(tmp_path):
    none = r"trials\.jsonl has no trial .* is missing or empty.*`hrf study`"
    with pytest.raises(ValueError, match=f"none/{none}"):
        write_report(tmp_path / "none")
    with pytest.raises(ValueError, match=none):
        write_report(tmp_path)
    (tmp_path / "trials.jsonl").write_text("")
    with pytest.raises(ValueError, match=none):
        write_report(tmp_path)


@pytest.mark.parametrize(
    "second, reported",
    [
        ("no", "line 2 is not valid JSON"),
        (
            '{"id": ' + 10**5 * "[" + 10**5 * "]" + "}",
            "line 2 is not valid JSON",
        ),
        ({"dataset": "x" * 9999}, "differ in dataset: RAVDESS and xxx"),
        ({"test_set": "x" * 9999}, "line 2: its test set xxxxxxxxxxxx is"),
        ("[1]", "line 2 is no JSON object"),
        ({"lr": "0.001"}, r"line 2 is damaged: lr: .*--resume"),
        ({"synthetic": "false"}, "line 2 is damaged: synthetic"),
        ({"id": "../x"}, r"line 2 is damaged: id: string should match"),
        ({"curves": None}, "line 2 is damaged: curves"),
        ({"params": {}}, "line 2 is damaged: params: .* at least 3"),
        ({"test_at": {"30": {}}}, r"line 2 is damaged: test_at\.30: "),
        ({"seconds": "x"}, "line 2 is damaged: seconds"),
        ({"predicted": "01"}, "line 2 is damaged: its predicted classes"),
        ({"predicted": "z" * 240}, "line 2 is damaged: its predicted classes"),
        (
            {"test_set": "feedfeedfeed"},
            "line 2: its test set feedfeedfeed is not",
        ),
        ({"dataset": "M3ED"}, "differ in dataset: M3ED and RAVDESS"),
        ({"metric": "WA"}, "differ in metric: UA and WA"),
        ({"options": {"x": 1}}, "two sets of options under one name"),
    ],
)
def test_lines_that_cannot_be_used_are_named(tmp_path, second, reported):
    sets = [test_set()]
    first = line("conformer", "ALL", *sets, 0.4)
    if isinstance(second, dict):
        changes = {"id": "b" * 12, **second}
        second = json.dumps(line("conformer", "ALL", *sets, 0.4, **changes))
    folder = write_study(tmp_path, [], sets)
    (folder / "trials.jsonl").write_text(f"{json.dumps(first)}\n{second}\n")
    with pytest.raises(ValueError, match=reported) as caught:
        write_report(folder)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    "change",
    [{"speakers": 240 * ["x"]}, {"labels": None}, {"truth": 5}, {"more": 1}],
    ids=str,
)
def test_a_damaged_test_set(tmp_path, change):
    """Is not the one that its trials know."""
    sets = [test_set()]
    lines = [line("conformer", "ALL", *sets, 0.4)]
    folder = write_study(tmp_path, lines, [{**sets[0], **change}])
    reported = "trials.jsonl, line 1: its test set .* was changed there. Bring"
    with pytest.raises(ValueError, match=reported):
        write_report(folder)


@pytest.mark.parametrize("value", [None, float("nan")])
def test_runs_without_a_score_are_left_out_and_named(tmp_path, value):
    lines, sets = study(["ALL"], seeds=1)
    lines[0]["test"]["UA"] = value
    results = read_results(write_study(tmp_path / "a", lines, sets))
    assert len(results.table) == len(lines) - 1
    assert results.warnings == [
        "Left out: convtransformer Lightweight, lr 0.001, fold 1, seed 1, whose "
        "scores are "
        f"{ {**lines[0]['test'], 'UA': float('nan')} }."
    ]
    with pytest.raises(ValueError, match="no trial .* can be used. Left out"):
        read_results(write_study(tmp_path / "b", lines[:1], sets))


def test_what_a_killed_driver_leaves(tmp_path, caplog):
    """A torn last line is left out and told; a line that stands twice is one."""
    lines, sets = study(["ALL"], seeds=1)
    folder = write_study(tmp_path, [lines[0], *lines], sets)
    assert len(read_results(folder).table) == len(lines)
    path = folder / "trials.jsonl"
    path.write_text(path.read_text()[:-50])
    assert len(read_results(folder).table) == len(lines) - 1
    assert "ends within line" in caplog.text


def test_what_is_compared_on_unequal_terms_is_said(tmp_path):
    lines, sets = study(["ALL"], seeds=1)
    for x in lines:
        x["dirty"] = x["arm"] == "ALL"
        if x["arm"] == "ALL":
            x["options"] |= {"number_of_epochs": 60, "batch_size": 8}
            x["scored_epoch"] = "best"
    results = read_results(write_study(tmp_path, lines, sets))
    differ = "Runs of ConvTransformer differ in"
    assert results.warnings == [
        "6 of 12 runs are of code that is in no commit.",
        f"{differ} scored_epoch: best and last.",
        f"{differ} number_of_epochs: 120 and 60.",
        f"{differ} batch_size: 8 and None.",
    ]
    assert set(results.table["row"]) == {"Lightweight", "ALL"}


@pytest.mark.parametrize(
    "change",
    [
        {"lr": 0.002},
        {"seed": 2},
        {"options": {"number_of_epochs": 120, "activation": "GELU"}},
    ],
    ids=str,
)
def test_arms_that_are_not_compared_are_named(tmp_path, change):
    """Once, with the number of their runs and why."""
    lines, sets = study(["FFN1", "ALL", "Original"], seeds=1)
    for x in lines:
        if x["arm"] in ("FFN1", "ALL"):
            x |= change
    results = read_results(write_study(tmp_path, lines, sets))
    assert results.warnings == [
        "12 of 24 runs are not compared, all those of ConvTransformer FFN1; "
        "ConvTransformer ALL: no run of the lightweight model has their rate, "
        "fold, seed, test set and activation. Run it with these."
    ]
    assert set(compare(results).table["row"]) == {"Original"}


def test_runs_with_other_epochs_are_reported_apart(tmp_path):
    """Each compared with the lightweight model of as many epochs."""
    lines, sets = study(["ALL"], {"ALL": 0.3})
    more, _ = study(["ALL"], {"ALL": -0.3}, seeds=1)
    for x in more:
        x["options"]["number_of_epochs"] = 30
        x["id"] = x["id"][::-1]
    folder = write_study(tmp_path, lines + more, sets)
    results = read_results(folder)
    table = compare(results).table.set_index("row")
    assert set(table.index) == {"ALL", "ALL, 30 epochs"}
    assert table.loc["ALL", "difference"] > 0.2
    assert table.loc["ALL, 30 epochs", "difference"] < -0.2
    references = results.table.groupby("row")["reference"].unique()
    assert references["ALL, 30 epochs"] == ["Lightweight, 30 epochs"]
    assert references["ALL"] == ["Lightweight"]
    write_report(folder)
    text = (folder / "report.md").read_text()
    assert "| ALL, 30 epochs " in text and "| ALL  " in text
    # Where no lightweight model was trained as long, it is the usual one.
    others = [x for x in more if x["arm"] != "Lightweight"]
    table = read_results(write_study(tmp_path, lines + others, sets)).table
    assert set(table["reference"]) == {"Lightweight"}


def test_the_command_and_the_banner_of_synthetic_data(tmp_path, capsys):
    """Names what it wrote; an error is one line and exit status 1."""
    lines, sets = study(["ALL"], seeds=1, folds=2, synthetic=True)
    folder = write_study(tmp_path / "study", lines, sets)
    assert report([str(folder)]) == 0
    assert capsys.readouterr().out.count(str(folder)) == 3
    assert "SYNTHETIC DATA" in (folder / "report.md").read_text()
    assert "Synthetic data:" in (folder / "report.html").read_text()
    assert "Synthetic" in readme_text(folder)
    assert report([str(tmp_path / "none")]) == 1
    said = capsys.readouterr().err
    assert "has no trial that can be used" in said and said.count("\n") == 1
