"""A study's YAML becomes the trials that were asked for, and no others.

Authors
 * The speechbrain_hrf authors 2026
"""

import pathlib
import shlex

import pytest
from hyperpyyaml import load_hyperpyyaml
from speechbrain import parse_arguments

from speechbrain_hrf.studies.lines import add_trial
from speechbrain_hrf.studies.recipe import read_hparams
from speechbrain_hrf.studies.run import recipe_command, recipe_options
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


def test_the_cross_of_all_choices(study):
    trials = study(
        "ratios: [2, 4]\nlayers: [1, 2, 3]\nactivations: [relu, relu2]\n"
        "learning_rates: [0.001, 0.002]\nfolds: [1, 2, 3]\n"
    ).trials
    # (Lightweight + 2 x 3) arms, 2 activations, 2 rates, 3 folds, 2 seeds
    assert len(trials) == 7 * 2 * 2 * 3 * 2
    assert len({trial.id for trial in trials}) == len(trials)
    plain = [t for t in trials if not t.options["hrf_modules"]]
    assert not any("hrf_ratio" in t.options for t in plain)


def test_a_split_may_be_what_a_study_crosses(study):
    more = "recipe: M3ED\nfold_key: protocol\nfolds: [paper, official]"
    trials = study(overrides=more).trials
    assert len(trials) == 8
    assert all(t.options["protocol"] == t.fold for t in trials)


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


def test_the_same_run_is_one_trial_whatever_grid_asks_for_it(study):
    """The YAML's own learning rate, asked for by number, is no other run."""
    trials = study(
        "grids:\n  - {}\n  - {modules: [FFN2], learning_rates: [0.001]}\n"
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


@pytest.mark.parametrize(
    "more, said",
    [
        ("ratios: []", r"ratios is \[\]: List should have at least 1 item"),
        (
            "recipe: x",
            r'not valid YAML \(line \d+: found duplicate key "recipe"',
        ),
        ("paper: [", "not valid YAML .line"),
        (
            "paper: !ref <none>",
            "line 9: could not dete.* the tag '!ref'. A stu",
        ),
        (
            "paper: !!python/object:os.x",
            "line 9: could not dete.*python/object",
        ),
    ],
)
def test_a_damaged_study_is_named(study, tmp_path, more, said):
    with pytest.raises(ValueError, match=said) as caught:
        study(more)
    assert str(caught.value).startswith(str(tmp_path / "demo.yaml"))


def test_a_recipe_that_is_not_there_is_named(study):
    with pytest.raises(FileNotFoundError, match="There is no recipe 'none'"):
        study(overrides="recipe: none")


def test_folders_do_not_change_the_id(study):
    moved = study(overrides="data_folder: /other\noutput_folder: /elsewhere")
    assert [t.id for t in moved.trials] == [t.id for t in study().trials]


def test_originals_need_their_sizes(study):
    with pytest.raises(
        ValueError, match="needs its sizes: give originals: {speech"
    ):
        study(overrides="modules: [Original]")
    trials = study(
        "originals: {speechformer: {d_model: 80, lr: 0.002}}",
        "modules: [Original]",
    ).trials
    assert trials[0].options["d_model"] == 80
    assert trials[0].options["lr"] == 0.002


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("sedes: [1]", "no key 'sedes'.*seeds"),
        ("grids: [{recipe: M3ED}]", "no key 'grids.0.recipe'"),
        ("grids: [{ratio: [2]}]", "'grids.0.ratio'. There are: models.*ratios"),
        ("1: 2", "1 is 1: Keys should be strings"),
        ("overrides: {fold: 9}", "'fold', which is the study's: .*or folds"),
        ("overrides: {lr: fast}", "'Lightweight': lr is 'fast': it must be a"),
        (
            "overrides: {number_of_epochs: many}",
            "number_of_epochs is 'many': it must be a number, such as 120",
        ),
        ("overrides: {hrf_inner_norm: 1}", "must be True or False"),
        ("activations: [tanh]", "activations.0 is 'tanh'.*'relu2'"),
        ("folds: [7]", "no fold 7: there are 1 to 6"),
        ("folds: [0]", "no fold 0"),
        (
            "folds: [1]\nfold_key: actor",
            "needs the option 'actor'.* correct fold_key",
        ),
        ("folds: ['a']", "no fold 'a'"),
        ("layers: [0]", "layers.0 is 0"),
        ("ratios: [.nan]", "ratios.0 is nan"),
        ("learning_rates: [-0.1]", "learning_rates.0 is -0.1"),
        ("arms: {x: {hrf_modules: [FNN2]}}", "'FNN2' matches no"),
        ("arms: {x: {hrf_modules: [FFN_M1]}}", "'FFN_M1' matches no"),
        (
            "arms: {x: {epochs: 3}}",
            "'epochs', which is none of those in the rec",
        ),
        (
            "arms: {x: {seed: 3}}",
            "'seed', which is the study's: .*such as seeds",
        ),
        ("overrides: {lr: 2020-01-01}", "overrides.lr is datetime.date"),
        ("metric: UAR", "metric is 'UAR'"),
        ("score_at: [0]", "score_at.0 is 0"),
    ],
)
def test_mistakes_are_named(study, more, message):
    with pytest.raises(ValueError, match=message):
        study(more)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ("seeds: []", "0 trials: give models, modules and seeds"),
        ("seeds: [9223372036854775809]", "seeds.0 is 92233720"),
        ("seeds: 3", "seeds is 3"),
        ("seeds: [true]", "seeds.0 is True"),
        (
            f"seeds: {[*range(600)]}\nlearning_rates: {[*range(1, 100)]}",
            "more than 100,000 trials",
        ),
        ("models: [lstm]", "no model 'lstm'.*convtransformer"),
        ("recipe: TIMIT", "no recipe 'TIMIT'"),
    ],
)
def test_bad_values_are_named(study, overrides, message):
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        study(overrides=overrides)


@pytest.mark.parametrize("key", ["lr", "number_of_epochs", "protocol"])
def test_a_recipe_without_what_a_study_needs_is_told_so(study, tmp_path, key):
    """A recipe of one's own: which option, in which file, and the fix."""
    options = {"lr": 5, "number_of_epochs": 5, "protocol": 5}
    options |= {"hrf_modules": [], "hrf_ratio": 8, "hrf_layers": 1}
    for name in "whole", "mine":
        yaml = tmp_path / name / "hparams" / "speechformer_hrf.yaml"
        yaml.parent.mkdir(parents=True)
        (tmp_path / name / "train.py").touch()
        yaml.write_text("".join(f"{k}: {x}\n" for k, x in options.items()))
        options.pop(key, None)
    (trial, *_) = study(overrides=f"recipe: {tmp_path}/whole").trials
    assert trial.options[key] == 5
    said = f"option '{key}'.*speechformer_hrf.yaml .in .*mine.* add it there"
    with pytest.raises(ValueError, match=said):
        study(overrides=f"recipe: {tmp_path}/mine")


def test_the_command_line_comes_before_a_grid(study, tmp_path, caplog):
    """Whole lists; of options those that it names. It is said, and saved."""
    grids = (
        "grids:\n  - {}\n  - {modules: [FFN2], seeds: [7], overrides: "
        "{hrf_init: scaled, number_of_epochs: 9}}\n"
    )
    assert {trial.seed for trial in study(grids).trials} == {1, 2, 7}
    assert not caplog.messages
    said = "seeds: [3]\noverrides: {number_of_epochs: 5}\n"
    found = study(grids, f"{said}output_folder: {tmp_path}/study")
    trials = found.trials
    assert {trial.seed for trial in trials} == {3}
    assert {trial.options["number_of_epochs"] for trial in trials} == {5}
    assert [t.options.get("hrf_init") for t in trials] == [None, None, "scaled"]
    assert "--seeds" in caplog.text and "grid 2" in caplog.text
    found.save()
    again = load_study(found.folder / "study.yaml").trials
    assert [trial.id for trial in again] == [trial.id for trial in trials]


def test_a_folder_keeps_its_study(study, tmp_path):
    place = f"output_folder: {tmp_path}/study"
    study(overrides=place).save()
    study(overrides=f"{place}\nseeds: [5]").save()  # more of the same
    with pytest.raises(ValueError, match="metric .* is 'UA', not 'WF1'"):
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
    first = study(
        overrides=f"output_folder: {tmp_path}/private/study\n"
        f"labels: {tmp_path}/private/my.csv\nrecipe: OwnData"
    )
    first.save()
    saved = first.folder / "study.yaml"
    assert "private" not in saved.read_text()
    assert "/data/" not in saved.read_text()
    again = load_study(saved)
    assert [t.id for t in again.trials] == [t.id for t in first.trials]


def test_a_table_and_a_folder_both_count(study, tmp_path):
    """As for the recipe: paths in the table count from the folder."""

    def given(overrides):
        found = study(overrides=f"recipe: OwnData\n{overrides}")
        options = recipe_options(found.trials[0], found, 1)
        return found.table, options["data_folder"], options.get("labels")

    table, folder = f"{tmp_path}/my.csv", f"{tmp_path}/audio"
    assert given(f"data_folder: null\nlabels: {table}") == (table,) * 3
    assert given(f"data_folder: {folder}") == (folder, folder, None)
    both = f"labels: {table}\ndata_folder: {folder}"
    assert given(both) == (table, folder, table)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ("labels: my.csv", "my.csv, but the recipe RAVDESS takes no table"),
        (
            "overrides: {labels: a}",
            "'labels', which is the study's: leave it out",
        ),
    ],
)
def test_no_table_is_passed_over(study, overrides, message):
    with pytest.raises(ValueError, match=message) as caught:
        study(overrides=overrides)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "recipe",
    ["RAVDESS", "nEMO", "OwnData", "IEMOCAP", "M3ED", "DAIC-WOZ"],
)
def test_commands_say_what_trials_say(study, recipe):
    """Each command, read by SpeechBrain's parser, gives the trial's options."""
    trials = study(
        "activations: [relu2]\narms: {x: {hrf_modules: [CLS, 'FFN1 & FFN2'], "
        "hrf_init: scaled, hrf_inner_bias: False}}",
        f"recipe: {recipe}\nseeds: [2]",
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
    for tag in (
        *("!apply:os.system", "!applyref:os.system", "!include:x.yaml"),
        *("!new:object", "!ref:os.system", "!name:os.system", "!module:os"),
    ):
        line = f"paper: {tag} ['touch {touched}']"
        for where, given in ("demo.yaml", (line, "")), ("line", ("", line)):
            said = f"{where}, line [0-9]*: .* the tag '{tag}'. A study is text"
            with pytest.raises(ValueError, match=said):
                study(*given)
    assert not touched.exists()
    with pytest.raises(ValueError, match="nested too deeply"):
        study("overrides: " + "[" * 500 + "]" * 500)


@pytest.mark.parametrize("key", ["paper", "layers", "sedes"])
def test_a_long_value_is_not_quoted_whole(study, key):
    for value in (f"[{'y' * 99_999}]", f"!new:{'y' * 99_999} 1"):
        with pytest.raises(ValueError, match="yyy|no key") as caught:
            study(f"{key}: {value}")
        assert len(str(caught.value)) < 1000


def test_nothing_of_a_recipe_is_executed(study, tmp_path):
    """References are filled in; what calls or opens something is left out."""
    touched = tmp_path / "touched"
    folder = tmp_path / "mine"
    (folder / "hparams").mkdir(parents=True)
    (folder / "train.py").touch()
    (tmp_path / "x.yaml").write_text(
        f"y: !applyref:os.system [touch {touched}]"
    )
    (folder / "hparams" / "speechformer_hrf.yaml").write_text(
        "hrf_modules: []\nhrf_ratio: 8\nhrf_layers: 1\nprotocol: paper\n"
        "number_of_epochs: 7\nlr: !ref <hrf_ratio> * 2\n"
        f"a: !applyref:os.system ['touch {touched}']\n"
        f"b: [!apply:os.system ['touch {touched}']]\n"
        f"c: {{d: !include:{tmp_path}/x.yaml }}\n"
        f"e: !new:os.system ['touch {touched}']\n"
    )
    trials = study(overrides=f"recipe: {folder}\noverrides: {{a: 5}}").trials
    assert (trials[0].options["lr"], trials[0].options["number_of_epochs"]) == (
        16,
        7,
    )
    assert trials[0].options["a"] == 5
    assert not touched.exists()
    with open(folder / "hparams" / "speechformer_hrf.yaml", "a") as file:
        file.write("f: " + 500 * "[" + 500 * "]")
    read_hparams.cache_clear()
    with pytest.raises(ValueError, match="_hrf.yaml .*nested too deeply"):
        study(overrides=f"recipe: {folder}")
