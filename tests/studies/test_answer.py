"""The answer's lines: what they say, and how many they are.

Authors
 * The speechbrain_hrf authors 2026
"""

import re

import pytest
from made_up import ARMS, study, write_study

from speechbrain_hrf.studies.answer import answer
from speechbrain_hrf.studies.report import readme_text
from speechbrain_hrf.studies.results import read_results
from speechbrain_hrf.studies.statistics import compare
from speechbrain_hrf.studies.study import load_study

pytestmark = pytest.mark.usefixtures("few_resamples")
MODELS = ("convtransformer", "conformer", "speechformer")
OURS = "ALL + FRONT, normalised"


def said(folder, lines, sets, plan=None):
    results = read_results(write_study(folder / "study", lines, sets, plan))
    return answer(results, compare(results))


def test_gains_and_losses_are_said_first(tmp_path):
    """The data, ours, the paper's ALL, the rest, the rates."""
    arms = [*list(ARMS)[2:], "FFN1", "ALL"]
    lines, sets = study(
        arms, {OURS: 0.3, "ALL": -0.25}, MODELS[:2], rates=(0.001, 0.003)
    )
    found = said(tmp_path, lines, sets)
    assert found[0] == (
        "Data: RAVDESS, 24 test speakers in 6 folds, 2 seeds; training for 120 "
        "epochs, and the last epoch is scored. The score is UA, the mean recall "
        "over classes."
    )
    number = r"\+\.\d{3} \[\+\.\d{3}, \+\.\d{3}\]"
    gains = [
        rf"{number} {where}, 6 of 6 folds up, gain shown"
        for where in ("over all models", "on ConvTransformer", "on Conformer")
    ]
    assert re.fullmatch(
        r"Normalised HRF \(ALL \+ FRONT\), difference in UA: "
        rf"{'; '.join(gains)}\.",
        found[1],
    )
    assert found[2].startswith("HRF as published (ALL), difference in UA: −")
    assert found[2].count("0 of 6 folds up, loss shown") == 3
    assert found[3].startswith(
        "The paper's other rows (FFN1): nothing is shown"
    )
    assert found[4].startswith(
        "Our other arms (ALL + FRONT normalised ratio 1 and ALL normalised): "
    )
    assert found[5].startswith(
        "With each at its own best learning rate, chosen on validation "
        "speakers, instead of the lightweight model's (0.001 on "
        "ConvTransformer and 0.001 on Conformer), the differences are: "
        "Normalised HRF (ALL + FRONT) +"
    )
    assert found[6].startswith("Controls without wider layers (BatchNorm only)")
    assert len(found) == 7


def test_never_more_than_eight_lines(tmp_path):
    """Even if everything has to be said."""
    lines, sets = study(
        [*list(ARMS)[2:], "FFN1", "ALL"], models=MODELS[:1], folds=2, speakers=2
    )
    for x in lines:
        x["curves"]["train_loss"] = list(
            range(40, 40 - len(x["curves"]["epoch"]), -1)
        )
    lonely, _ = study(["ALL"], models=MODELS[1:2], folds=2, speakers=2)
    lines += [x for x in lonely if x["arm"] != "Lightweight"]
    found = said(tmp_path, lines, sets, PLAN)
    assert len(set(found)) == len(found) == 8
    assert "0 of 12 runs have finished" in found[-1]


@pytest.mark.parametrize(
    "kept, lacking", [("ALL", "Lightweight"), ("Lightweight", "HRF")]
)
def test_a_model_that_has_nothing_to_compare(tmp_path, kept, lacking):
    """One sentence, and what there is of other models is compared."""
    lines, sets = study(["ALL"], models=MODELS[:2], seeds=1)
    lines = [x for x in lines if x["model"] != "conformer" or x["arm"] == kept]
    found = said(tmp_path, lines, sets)
    assert found[1] == (
        f"Conformer: no {lacking} run has finished, so nothing can be compared."
    )
    assert "ConvTransformer" in found[2]


@pytest.mark.parametrize(
    "fold, remedy",
    [({}, "run more folds"), ({"fold": None}, "the test set has too few")],
)
def test_too_few_speakers(tmp_path, fold, remedy):
    """What is missing is said, and no verdict is given."""
    lines, sets = study(["ALL"], {"ALL": 0.3}, folds=1)
    found = said(tmp_path, [{**x, **fold} for x in lines], sets)
    assert found[1].endswith("on ConvTransformer, too little run.")
    assert found[-1] == (
        "4 test speakers took part; at least 6 are needed to show anything: "
        f"{remedy}."
    )


def test_the_rate_is_named_where_there_are_several(tmp_path):
    """Here arms have another one than the original, and none is chosen."""
    lines, sets = study(["ALL", "Original"], seeds=1)
    sentence = "All this is at the lightweight model's learning rate{}. Whether"
    [line] = [x for x in said(tmp_path, lines, sets) if "All this" in x]
    assert line.startswith(sentence.format(""))
    for x in lines:
        x["lr"] = 0.002 if x["arm"] == "Original" else 0.0005
    [line] = [x for x in said(tmp_path, lines, sets) if "All this" in x]
    assert line.startswith(sentence.format(" (0.0005 on ConvTransformer)"))


@pytest.mark.parametrize(
    "arm, options, name",
    [
        ("ALL", {}, "HRF as published"),
        ("ALL", {"hrf_inner_norm": True}, "HRF as published"),
        ("ALL", {"hrf_ratio": 16}, "HRF as published"),
        (OURS, {}, "ormalised HRF"),
        (OURS, {"hrf_inner_norm": False}, "ormalised HRF"),
    ],
)
def test_an_arm_is_called_what_it_is(tmp_path, arm, options, name):
    """Whatever a study's overrides have made of it."""
    lines, sets = study([arm], seeds=1)
    for x in lines:
        x["options"] |= options
    found = said(tmp_path, lines, sets)
    assert (name in found[1]) == (not options)
    assert found[1].startswith(arm.replace(",", "")) == bool(options)
    assert (name in readme_text(tmp_path / "study")) == (not options)


def test_recordings_are_not_called_speakers(tmp_path):
    """Of a table that does not say who speaks."""
    lines, sets = study(["ALL"], folds=1, unit="recording")
    found = said(tmp_path, lines, sets)
    assert "4 test recordings in 1 fold" in found[0]
    assert found[1].startswith("Nobody said who speaks")
    assert "intervals too narrow. Add the column speaker" in found[1]
    assert "4 test recordings took part; at least 6" in found[-1]
    assert not any("test speaker" in line for line in found)


def test_series_are_not_called_speakers(tmp_path):
    """Of M3ED, whose speakers are letters within a dialogue."""
    lines, sets = study(["ALL"], folds=1, unit="series", fold=None)
    found = said(tmp_path, lines, sets)
    assert found[0].startswith("Data: RAVDESS, 4 test series, 2 seeds")
    assert found[1] == (
        "Who speaks is known within a dialogue only, so that a series counts "
        "as a speaker."
    )
    assert found[-1].startswith("4 test series took part; at least 6")


PLAN = """
name: demo
output_folder: .
recipe: RAVDESS
data_folder: /path/to/RAVDESS
models: [convtransformer]
modules: [Lightweight, ALL]
folds: [1, 2, 3]
seeds: [1, 2]
"""


def test_what_the_plan_has_and_lines_have_not(tmp_path):
    (tmp_path / "plan.yaml").write_text(PLAN)
    planned = load_study(tmp_path / "plan.yaml").trials
    ran = [trial for trial in planned if trial.fold == 1]
    ran += [trial for trial in planned if trial.fold == 2][:1]
    lines, sets = study(["ALL"], folds=2)
    for trial, line in zip(ran, lines, strict=False):
        line["id"] = trial.id
    found = said(tmp_path, lines, sets, PLAN)
    assert found[-1] == (
        "5 of 12 runs have finished: go on with hrf study ... --resume."
    )


@pytest.mark.parametrize("plan", ["no: study", ": [", "5", "a: " + 999 * "["])
def test_a_plan_that_cannot_be_read(tmp_path, plan):
    """Lines are reported on all the same, and that runs may be missing."""
    lines, sets = study(["ALL"], folds=2)
    found = said(tmp_path, lines, sets, plan)
    assert found[-1].startswith("Whether runs are missing cannot be told: ")


def test_a_plan_of_a_recipe_that_needs_what_is_not_installed(tmp_path):
    (tmp_path / "hparams").mkdir()
    (tmp_path / "train.py").touch()
    (tmp_path / "my_prepare.py").write_text("import not_there")
    yaml = tmp_path / "hparams" / "conformer_hrf.yaml"
    yaml.write_text("{lr: 1, number_of_epochs: 1, protocol: x, fold: 1}")
    plan = (
        f"{{name: x, recipe: '{tmp_path}', models: [conformer], "
        "modules: [Lightweight], folds: [1], seeds: [1]}"
    )
    lines, sets = study(["ALL"], folds=2)
    assert said(tmp_path / "study", lines, sets, plan)[-1].endswith(
        "not_there'"
    )


def test_training_that_was_not_finished(tmp_path):
    """By the loss's fall; one that is learned by heart is finished."""
    lines, sets = study(["ALL"], seeds=1)
    for x in lines:
        count = len(x["curves"]["epoch"])
        x["curves"]["train_loss"] = [2 - 1.5 * k / count for k in range(count)]
    found = said(tmp_path / "a", lines, sets)[-1]
    assert found.endswith("An arm that gains may only be faster there.")
    name = "Lightweight, 240 epochs"
    options = {"hrf_modules": [], "number_of_epochs": 240}
    longer = [
        {**x, "arm": name, "options": options, "id": f"{k:012d}"}
        for k, x in enumerate(lines)
        if x["arm"] == "Lightweight"
    ]
    found = said(tmp_path / "longer", lines + longer, sets)
    assert found[-1].startswith(f"Controls without wider layers ({name[:11]} ")
    assert found[-2].endswith(
        "; more epochs alone make a difference of .000 [.000, .000] on "
        f"ConvTransformer ({name})."
    )
    for x in longer:
        x["arm"] = "Lightweight, taught"
    found = said(tmp_path / "taught", lines + longer, sets)
    assert found[-2].endswith("An arm that gains may only be faster there.")
    for x in longer:
        x["options"] = {**options, "number_of_epochs": 30}
        x["arm"] = "Lightweight, 30 epochs"
    found = said(tmp_path / "shorter", lines + longer, sets)
    assert found[-2].endswith("An arm that gains may only be faster there.")
    for x in lines:
        x["curves"]["train_loss"] = [2 * 0.7**k for k in range(count)]
    assert not any("finished" in t for t in said(tmp_path / "b", lines, sets))


def test_many_gains_are_cut_short(tmp_path):
    arms = ["FFN1", "FFN2", "QKV", "Project"]
    lines, sets = study(arms, dict.fromkeys(arms, 0.3), MODELS[:2])
    [line] = [x for x in said(tmp_path, lines, sets) if "paper's rows" in x]
    assert re.search(r"a gain is shown for FFN1 over all .* and 8 more\.", line)


@pytest.mark.parametrize(
    "without, epoch",
    [((), "epoch that validation chooses"), (("valid",), "last epoch")],
)
def test_which_epoch_is_scored(tmp_path, without, epoch):
    """The paper's protocol says nothing of it, with validation or without."""
    lines, sets = study(["ALL"], {}, MODELS[:1], seeds=1)
    for line in lines:
        line["scored_epoch"] = None
        line |= dict.fromkeys(without)
    assert f"and the {epoch} is scored" in said(tmp_path, lines, sets)[0]
