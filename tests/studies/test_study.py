"""A study's YAML becomes the trials that were asked for, and no others."""

import pathlib
import shlex

import pytest
from hyperpyyaml import load_hyperpyyaml
from speechbrain import parse_arguments

from speechbrain_hrf.studies.lines import add_trial
from speechbrain_hrf.studies.run import recipe_command
from speechbrain_hrf.studies.study import load_study

BASE = """
name: demo
output_folder: results/demo
recipe: RAVDESS
data_folder: /data/RAVDESS
models: [speechformer]
modules: [Lightweight, FFN2]
seeds: [1, 2]
"""


@pytest.fixture
def study(tmp_path):
    def load(more="", overrides=""):
        path = tmp_path / "demo.yaml"
        path.write_text(BASE + more)
        return load_study(path, overrides)

    return load


def _labels(study):
    return [trial.label for trial in study.trials]


def test_the_cross_of_all_choices(study):
    trials = study(
        "ratios: [2, 4]\nlayers: [1, 2, 3]\nactivations: [relu, relu2]\n"
        "learning_rates: [0.001, 0.002]\nfolds: [1, 2, 3]\n"
    ).trials
    # (Lightweight + 2 x 3) arms, 2 activations, 2 rates, 3 folds, 2 seeds
    assert len(trials) == 7 * 2 * 2 * 3 * 2
    assert len({trial.id for trial in trials}) == len(trials)


def test_a_plain_model_has_neither_ratio_nor_layers(study):
    plain = [
        t
        for t in study("ratios: [2, 4]").trials
        if not t.options["hrf_modules"]
    ]
    assert len(plain) == 2  # one per seed
    assert "hrf_ratio" not in plain[0].options


def test_all_arms_of_a_block_come_before_the_next_block(study):
    trials = study(
        "folds: [1, 2]\ngrids:\n"
        "  - {modules: [Lightweight, FFN2]}\n"
        "  - {modules: [FFN2], learning_rates: [0.01]}\n"
    ).trials
    blocks = [(trial.fold, trial.seed) for trial in trials]
    assert blocks == [
        b for b in [(1, 1), (2, 1), (1, 2), (2, 2)] for _ in "abc"
    ]


def test_folds_and_seeds_can_be_paired(study):
    paired = study("folds: [1, 2]\npair_folds_with_seeds: True")
    assert {(t.fold, t.seed) for t in paired.trials} == {(1, 1), (2, 2)}
    with pytest.raises(ValueError, match="3 and 2"):
        study("folds: [1, 2, 3]\npair_folds_with_seeds: True")


def test_the_same_run_is_one_trial_whatever_grid_asks_for_it(study):
    """The YAML's own learning rate, asked for by number, is no other run."""
    trials = study(
        "grids:\n  - {}\n  - {modules: [FFN2], learning_rates: [0.0005]}\n"
    ).trials
    assert len(trials) == 4
    assert study().trials[0].id == trials[0].id


@pytest.mark.parametrize(
    "change",
    ["seeds: [3, 4]", "overrides: {number_of_epochs: 3}", "ratios: [2]"],
)
def test_what_changes_a_result_changes_the_id(study, change):
    before = {t.id for t in study().trials if t.options["hrf_modules"]}
    after = {
        t.id for t in study(overrides=change).trials if t.options["hrf_modules"]
    }
    assert before.isdisjoint(after)


def test_two_names_for_the_same_arm_are_refused(study):
    with pytest.raises(ValueError, match="'FFN2' and 'again' of speechformer"):
        study(
            "arms: {again: {hrf_modules: [FFN2], hrf_ratio: 8, hrf_layers: 1}}"
        )


def test_folders_do_not_change_the_id(study):
    moved = study(overrides="data_folder: /other\noutput_folder: /elsewhere")
    assert [t.id for t in moved.trials] == [t.id for t in study().trials]


def test_originals_need_their_sizes(study):
    with pytest.raises(ValueError, match="sizes of the original speechformer"):
        study(overrides="modules: [Original]")
    trials = study(
        "originals: {speechformer: {d_model: 80, lr: 0.002}}",
        "modules: [Original]",
    ).trials
    assert trials[0].options["d_model"] == 80
    assert trials[0].lr == 0.002


def test_arms_beyond_the_rows(study):
    trials = study(
        "arms: {'FFN2, scaled': {hrf_modules: [FFN2], hrf_init: scaled}}"
    ).trials
    assert {t.arm for t in trials} == {"Lightweight", "FFN2", "FFN2, scaled"}


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("sedes: [1]", "no key 'sedes'.*seeds"),
        ("grids: [{recipe: M3ED}]", "no key 'grids.0.recipe'"),
        ("activations: [tanh]", "activations.0 is 'tanh'.*'relu2'"),
        ("folds: [7]", "no fold 7: RAVDESS has folds 1 to 6"),
        ("folds: [0]", "no fold 0"),
        ("folds: [1]\nfold_key: actor", "no option 'actor'"),
        ("folds: ['a']", "no fold 'a'"),
        ("layers: [0]", "layers.0 is 0"),
        ("ratios: [.nan]", "ratios.0 is nan"),
        ("learning_rates: [-0.1]", "learning_rates.0 is -0.1"),
        ("arms: {x: {hrf_modules: [FNN2]}}", "'FNN2' matches no"),
        ("arms: {x: {hrf_modules: [FFN_M1]}}", "'FFN_M1' matches no"),
        ("arms: {x: {epochs: 3}}", "'epochs', which the recipe's"),
        ("arms: {x: {seed: 3}}", "'seed', which a study sets: give seeds"),
        ("overrides: !apply:os.system [false]", "has the tag !apply:os.system"),
        ("overrides: {lr: !new:torch.nn.ReLU }", "overrides.lr has the tag"),
        ("metric: UAR", "metric is 'UAR'"),
        ("score_at: [0]", "score_at.0 is 0"),
    ],
)
def test_mistakes_are_named(study, more, message):
    with pytest.raises(ValueError, match=message):
        study(more)


@pytest.mark.parametrize(
    ("overrides", "error", "message"),
    [
        (
            "seeds: []",
            ValueError,
            "0 trials: give models, modules or arms, and",
        ),
        ("seeds: [9223372036854775809]", ValueError, "seeds.0 is 92233720"),
        ("seeds: 3", ValueError, "seeds is 3"),
        ("seeds: [true]", ValueError, "seeds.0 is True"),
        (
            f"seeds: {list(range(1000))}\n"
            f"learning_rates: {[k / 100 for k in range(1, 52)]}",
            ValueError,
            "102,000 trials: at most",
        ),
        ("models: [lstm]", ValueError, "no model 'lstm'.*convtransformer"),
        ("modules: []", ValueError, "0 trials"),
        ("recipe: TIMIT", FileNotFoundError, "no recipe 'TIMIT'"),
    ],
)
def test_bad_values_are_named(study, overrides, error, message):
    with pytest.raises(error, match=message):
        study(overrides=overrides)


def test_a_folder_keeps_its_study(study, tmp_path):
    place = f"output_folder: {tmp_path}/study"
    study(overrides=place).save()
    study(overrides=f"{place}\nseeds: [5]").save()  # more of the same
    with pytest.raises(ValueError, match="metric is 'UA', not 'WF1'"):
        study(overrides=f"{place}\nmetric: WF1").save()


def test_a_narrower_study_leaves_the_wider_one_written(study, tmp_path):
    place = f"output_folder: {tmp_path}/study"
    wide = study(overrides=place)
    wide.save()
    written = (wide.folder / "study.yaml").read_text()
    add_trial(wide.folder, {"id": wide.trials[0].id}, {"id": "test"})
    study(overrides=f"{place}\nseeds: [5]").save()
    assert (wide.folder / "study.yaml").read_text() == written
    study(overrides=f"{place}\nseeds: [1, 2, 5]").save()
    assert (wide.folder / "study.yaml").read_text() != written


def test_a_saved_study_names_no_path_of_its_machine(study, tmp_path):
    first = study(overrides=f"output_folder: {tmp_path}/private/study")
    first.save()
    saved = first.folder / "study.yaml"
    assert "private" not in saved.read_text()
    assert "/data/" not in saved.read_text()
    again = load_study(saved)
    assert [t.id for t in again.trials] == [t.id for t in first.trials]


@pytest.mark.parametrize(
    "recipe", ["RAVDESS", "nEMO", "IEMOCAP", "M3ED", "DAIC-WOZ"]
)
def test_commands_say_what_trials_say(study, recipe):
    """Each command, read by SpeechBrain's parser, gives the trial's options."""
    trials = study(
        "activations: [relu2]\narms: {x: {hrf_modules: [CLS, 'FFN1 & FFN2'], "
        "hrf_init: scaled, hrf_inner_bias: False}}",
        f"recipe: {recipe}",
    ).trials
    loaded = study(overrides=f"recipe: {recipe}")
    for trial in trials:
        _, script, *argv = recipe_command(trial, loaded, 7)
        assert pathlib.Path(script).parent.name == recipe
        hparams_file, run_opts, overrides = parse_arguments(argv)
        assert run_opts["noprogressbar"] is True
        with open(hparams_file, encoding="utf-8") as stream:
            hparams = load_hyperpyyaml(stream, overrides)
        for key, value in trial.options.items():
            if key == "activation":
                assert hparams[key].__name__ == "SquaredReLU"
            elif key != "number_of_epochs":
                assert hparams[key] == value, shlex.join(argv)
        assert hparams["number_of_epochs"] == 7
        assert hparams["export_folder"] is None


def test_nothing_of_a_study_is_executed(study, tmp_path):
    """Not even by --dry_run; nor is what is nested too deeply a traceback."""
    touched = tmp_path / "touched"
    with pytest.raises(ValueError, match="!apply:os.system"):
        study(f"paper: !apply:os.system ['touch {touched}']")
    assert not touched.exists()
    for tag in ("!applyref:os.system", "!include:x.yaml", "!new:object"):
        with pytest.raises(ValueError, match=f"paper has the tag {tag}"):
            study(f"paper: {tag} ['touch {touched}']")
        with pytest.raises(ValueError, match="command line: paper has the tag"):
            study(overrides=f"paper: {tag} ['touch {touched}']")
    assert not touched.exists()
    with pytest.raises(ValueError, match="nested too deeply"):
        study("overrides: " + "[" * 500 + "]" * 500)
