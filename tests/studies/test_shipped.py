"""The shipped studies stand for the paper's tables and figures.

Every command of studies/README.md that names a study is expanded, for the
corpus that it is for.

Authors
 * The speechbrain_hrf authors 2026
"""

import pathlib
import re
import shlex

import pytest

from speechbrain_hrf.studies.command import read_arguments
from speechbrain_hrf.studies.study import load_study

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
MODELS, SEEDS = 3, 5
SHARED = 7  # HRF rows that all models have
COUNTS = {
    "table_3": (1 + 1 + 7) * SEEDS,
    "table_4": (1 + 1 + 11) * SEEDS,
    "table_5": (1 + 1 + 7) * SEEDS,
    "figures_4_6": MODELS * (1 + SHARED * 3) * SEEDS,  # the plain one has no r
    "figures_7_9": MODELS * (1 + SHARED * 3) * SEEDS,
    "figures_10_12": MODELS * (1 + SHARED) * 4 * SEEDS,
    "lr_matched": MODELS * (1 + 3) * 5 * 8,
}
METRICS = {"IEMOCAP": "UA", "M3ED": "WF1", "DAIC-WOZ": "MF1", "RAVDESS": "UA"}
ORIGINALS = {
    ("convtransformer", "IEMOCAP"): (8, 80, 320),
    ("convtransformer", "M3ED"): (8, 80, 160),
    ("convtransformer", "DAIC-WOZ"): (8, 80, 320),
    ("conformer", "IEMOCAP"): (4, 80, 320),
    ("conformer", "M3ED"): (4, 80, 320),
    ("conformer", "DAIC-WOZ"): (4, 80, 320),
    ("speechformer", "IEMOCAP"): ([2, 2, 2, 2], 80, 64, 40),
    ("speechformer", "M3ED"): ([2, 2, 1, 1], 128, 256, None),
    ("speechformer", "DAIC-WOZ"): ([2, 2, 2, 2], 80, 64, None),
}


def commands():
    """(study, overrides) of each command in studies/README.md."""
    text = (REPOSITORY / "studies/README.md").read_text(encoding="utf-8")
    found = re.findall(r"`hrf study (\S.*?)`", text)
    found += re.findall(r"^hrf study (.*)$", text, re.M)
    for command in found:
        options, overrides = read_arguments(shlex.split(command))
        yield options.study, overrides


def studies():
    return [
        (path, overrides)
        for path, overrides in dict.fromkeys(commands())
        if pathlib.Path(path).stem in COUNTS
    ]


def recipes_of(name):
    return {
        "".join(re.findall(r"^recipe: (.*)$", overrides, re.M)) or "IEMOCAP"
        for path, overrides in studies()
        if path == f"studies/{name}.yaml"
    }


def test_the_readme_has_every_study_for_every_corpus_of_the_paper():
    for name in COUNTS:
        assert recipes_of(name) >= {"IEMOCAP", "M3ED", "DAIC-WOZ"}, name
    assert "RAVDESS" in recipes_of("lr_matched")
    shipped = {path.stem for path in REPOSITORY.glob("studies/*.yaml")}
    assert shipped == {*COUNTS, "nemo", "own_data", "ravdess", "ravdess_more"}


@pytest.mark.parametrize("path, overrides", studies())
def test_a_command_of_the_readme_stands_for_its_trials(path, overrides):
    study = load_study(REPOSITORY / path, overrides)
    recipe = study.recipe_folder.name
    count = COUNTS[study.keys.name]
    if recipe == "RAVDESS":  # six folds with two seeds, not eight seeds
        count = count // 8 * 12
    assert len(study.trials) == count
    assert len({trial.id for trial in study.trials}) == count
    assert study.keys.metric == METRICS[recipe]
    assert study.folder.as_posix().endswith(f"{study.keys.name}/{recipe}")
    for trial in study.trials:
        if trial.arm == "Original":
            sizes = ORIGINALS[trial.model, recipe]
            blocks = trial.options.get("num_blocks")
            blocks = blocks or trial.options["blocks_per_stage"]
            found = (blocks, trial.options["d_model"], trial.options["d_ffn"])
            assert found == sizes[:3]
            assert trial.options.get("d_hidden") == (*sizes, None)[3]
            assert trial.options["lr"] == 0.001
        else:
            assert trial.options.keys().isdisjoint({"d_model", "d_ffn"})
    if study.keys.name == "lr_matched":
        # A rate that is chosen needs something to choose it on.
        protocols = {trial.options["protocol"] for trial in study.trials}
        assert protocols == {"official" if recipe == "M3ED" else "held_out"}
    if study.keys.name.startswith("table"):
        assert {
            t.options["lr"] for t in study.trials if t.arm != "Original"
        } == {0.0005 if study.keys.name == "table_5" else 0.001}
