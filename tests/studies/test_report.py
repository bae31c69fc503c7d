"""A report's files, its tables, its settings' figures, and bad input.

Authors
 * The speechbrain_hrf authors 2026
"""

import json

import pytest
from made_up import line, study, test_set, write_study

from speechbrain_hrf.studies import figures
from speechbrain_hrf.studies.command import report
from speechbrain_hrf.studies.report import readme_text, write_report
from speechbrain_hrf.studies.results import read_results
from speechbrain_hrf.studies.statistics import compare
from speechbrain_hrf.studies.tables import paper_table, runs_at

OURS = "ALL + FRONT, normalised"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A study and its report, with what an earlier report had left."""
    lines, sets = study(
        ["FFN2", "ALL", OURS, "Original"],
        {OURS: 0.3, "Original": 0.2},
        ("convtransformer", "conformer"),
        rates=(0.001, 0.003),
        seeds=1,
    )
    folder = write_study(tmp_path_factory.mktemp("study"), lines, sets)
    for name in ("report_old.png", "report_old.csv", "notes.csv"):
        (folder / name).write_text("old")
    write_report(folder)
    return folder


def test_three_files_and_nothing_else(folder):
    """Old figures go, other files stay, nothing half-written is left."""
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
        assert len({row.count(" | ") for row in block.splitlines()} - {0}) == 1
    assert "| Original | .6" in text or "| Original | .5" in text


def test_readme(folder):
    """A sentence and a table of the arms that are named, in that order."""
    text = readme_text(folder)
    sentence, _, table, legend = text.split("\n\n")
    assert "normalised HRF (ALL + FRONT) gains UA on all 2 models" in sentence
    rows = [x.split(" | ")[0] for x in table.splitlines()]
    assert rows[2:] == [
        "| Lightweight",
        "| HRF as published (ALL)",
        "| **normalised HRF** (ALL + FRONT)",
        "| Original",
    ]
    assert "| 801,000 |" in table and "all models" not in table
    assert "<br>+.3" in table or "<br>+.2" in table
    assert readme_text(folder, ["Lightweight"]).count("\n|") == 3


def test_synthetic_data_have_a_banner(tmp_path):
    lines, sets = study(["ALL"], seeds=1, folds=2, synthetic=True)
    write_report(write_study(tmp_path, lines, sets))
    assert "SYNTHETIC DATA" in (tmp_path / "report.md").read_text()
    assert "Synthetic data:" in (tmp_path / "report.html").read_text()
    assert "Synthetic" in readme_text(tmp_path)


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
    lines, sets = study(["FFN2"], models=("conformer",), **common)
    results = read_results(write_study(tmp_path / "a", lines, sets))
    table = paper_table(
        results, runs_at(results, {"conformer": 0.001}), "conformer"
    )
    assert table.head[:4] == ["arm", "runs", "WF1", "WF1, paper"]
    rows = {row[0]: row for row in table.rows}
    assert rows["FFN1"][1:4] == ["-", "-", ".376"]
    assert rows["FFN2"][1] == "2" and rows["FFN2"][3] == ".375"
    for x in lines:
        x["synthetic"] = True
    results = read_results(write_study(tmp_path / "b", lines, sets))
    table = paper_table(
        results, runs_at(results, {"conformer": 0.001}), "conformer"
    )
    assert table.head[:4] == ["arm", "runs", "WF1", "parameters"]


SETTINGS = {
    "ratio": [{"hrf_ratio": ratio} for ratio in (2, 4, 8)],
    "layers": [{"hrf_layers": count} for count in (1, 2, 3)],
    "activation": [
        {"activation": f"!name:{x}"} for x in ("torch.nn.ReLU", "torch.nn.GELU")
    ],
}


@pytest.mark.parametrize("setting", SETTINGS)
def test_settings_have_rows_and_a_figure_of_their_own(tmp_path, setting):
    """An arm that was run with several; activations have their reference."""
    sets = [test_set(k) for k in (1, 2)]
    lines = [
        line("conformer", arm, s, 0.4, options={**options})
        for options in SETTINGS[setting]
        for s in sets
        for arm in ("Lightweight", "FFN2")
        if setting == "activation"
        or arm == "FFN2"
        or options == SETTINGS[setting][0]
    ]
    if setting != "activation":  # it has no such option
        for x in lines:
            if x["arm"] == "Lightweight":
                x["options"] = {"hrf_modules": []}
    results = read_results(write_study(tmp_path, lines, sets))
    rows = sorted(set(results.table["row"]))
    assert rows == {
        "ratio": ["FFN2, ratio 2", "FFN2, ratio 4", "FFN2, ratio 8", "Lightweight"],
        "layers": ["FFN2, 1 extra", "FFN2, 2 extra", "FFN2, 3 extra", "Lightweight"],
        "activation": [
            "FFN2, GELU", "FFN2, ReLU", "Lightweight, GELU", "Lightweight, ReLU",
        ],
    }[setting]  # fmt: skip
    if setting == "activation":
        references = results.table.set_index("row")["reference"]
        assert set(references["FFN2, GELU"]) == {"Lightweight, GELU"}
    runs = runs_at(results, compare(results).rates)
    name, like = figures.AXES[setting]
    pictures = figures.draw_settings(results, runs)
    assert list(pictures) == [name]
    assert like in pictures[name].caption


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
def test_an_arm_with_options_that_are_ours_is_not_the_papers(tmp_path, option):
    """Whatever it is called."""
    sets = [test_set()]
    plain = {
        "hrf_inner_norm": False,
        "hrf_init": "default",
        "hrf_lr_scale": 1.0,
    }
    lines = [
        line(
            "conformer",
            "FFN2",
            *sets,
            0.4,
            seed=seed,
            options={**plain, **more},
        )
        for seed, more in enumerate(({}, option))
    ]
    table = read_results(write_study(tmp_path, lines, sets)).table
    assert sorted(table["family"]) == ["ours", "paper"]


def test_no_folder_no_lines(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder .*none.*hrf study"):
        write_report(tmp_path / "none")
    with pytest.raises(FileNotFoundError, match="missing or empty.*hrf study"):
        write_report(tmp_path)
    (tmp_path / "trials.jsonl").write_text("")
    with pytest.raises(FileNotFoundError, match="missing or empty"):
        write_report(tmp_path)


OLD = {"id": "a", "overrides": {}, "split": {}, "test": {"confusion": []}}


@pytest.mark.parametrize(
    "second, reported",
    [
        ("no", "line 2: not JSON"),
        ("[1]", "line 2 is damaged: the line: input should be a valid"),
        (json.dumps(OLD), "line 2 is of the old format.*`hrf study`"),
        ({"lr": "fast"}, r"line 2 is damaged: lr: .*--resume"),
        ({"curves": None}, "line 2 is damaged: curves"),
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
        second = json.dumps(
            line("conformer", "ALL", *sets, 0.4, id="b", **second)
        )
    folder = write_study(tmp_path, [], sets)
    (folder / "trials.jsonl").write_text(f"{json.dumps(first)}\n{second}\n")
    with pytest.raises(ValueError, match=reported) as caught:
        write_report(folder)
    assert "\n" not in str(caught.value)


def test_a_damaged_test_set(tmp_path):
    sets = [test_set()]
    folder = write_study(
        tmp_path, [line("conformer", "ALL", *sets, 0.4)], [{"id": 1}]
    )
    with pytest.raises(
        ValueError, match="test_sets.jsonl, line 1 is damaged: id"
    ):
        write_report(folder)


@pytest.mark.parametrize("value", [None, float("nan")])
def test_runs_without_a_score_are_left_out_and_named(tmp_path, value):
    lines, sets = study(["ALL"], seeds=1)
    lines[0]["test"]["UA"] = value
    results = read_results(write_study(tmp_path / "a", lines, sets))
    assert len(results.table) == len(lines) - 1
    assert results.warnings == [
        "Left out: convtransformer Lightweight, lr 0.001, fold 1, seed 1, since "
        f"its test UA is {value}, not a number."
    ]
    with pytest.raises(
        ValueError, match="No trial in .* can be used. Left out"
    ):
        read_results(write_study(tmp_path / "b", lines[:1], sets))


def test_what_a_killed_driver_leaves(tmp_path):
    """A torn last line is left out and told; a line that stands twice is one."""
    lines, sets = study(["ALL"], seeds=1)
    folder = write_study(tmp_path, [lines[0], *lines], sets)
    assert len(read_results(folder).table) == len(lines)
    path = folder / "trials.jsonl"
    path.write_text(path.read_text()[:-50])
    results = read_results(folder)
    assert len(results.table) == len(lines) - 1
    assert "ends within a line" in results.warnings[0]


def test_what_is_compared_on_unequal_terms_is_said(tmp_path):
    lines, sets = study(["ALL"], seeds=1)
    for x in lines:
        x["dirty"] = x["arm"] == "ALL"
        if x["arm"] == "ALL":
            x["options"]["number_of_epochs"] = 60
    assert read_results(write_study(tmp_path, lines, sets)).warnings == [
        "6 of 12 runs were made with changes of the code that are in no commit.",
        "Runs of ConvTransformer differ in number_of_epochs: 120 and 60.",
    ]


def test_the_command(tmp_path, capsys):
    """Names what it wrote; an error is one line and exit status 1."""
    lines, sets = study(["ALL"], seeds=1, folds=2)
    folder = write_study(tmp_path / "study", lines, sets)
    assert report([str(folder)]) == 0
    assert capsys.readouterr().out.count(str(folder)) == 3
    assert report([str(tmp_path / "none")]) == 1
    said = capsys.readouterr().err
    assert "There is no folder" in said and said.count("\n") == 1
