"""Recipes keep SpeechBrain's conventions, and each broken one is noticed.

Authors
 * The speechbrain_hrf authors 2026
"""

import ast
from pathlib import Path

import pytest
from recipe_conventions import recipe_violations
from recipe_csv import failed_checks
from recipe_script import keys_used_in_script
from toy_recipe import GOOD, README, REQUIREMENTS, SCRIPT, TABLE, YAML
from yamllint import config, linter

REPOSITORY = Path(__file__).resolve().parents[2]
RECIPES = sorted(
    path.parent.name for path in REPOSITORY.glob("recipes/*/train.py")
)

# file, what stands there, what is put in its place, what must be reported: where
# a rule could easily pass over it
BROKEN = [
    (TABLE, "Script_file", "Script", "the columns are not"),
    (TABLE, "recipes/TOY/train.py", "recipes/TOY/tain.py", "does not exist"),
    (TABLE, "tiny_hrf.yaml", "other.yaml", "rows are for"),
    (TABLE, "models.example", "elsewhere.example", "does not occur in"),
    (TABLE, "--data_folder", "--data_floder", "has no 'data_floder'"),
    (TABLE, "file_exists=[", "file_exist=[", "test_debug_checks"),
    (README, "| Val. Acc. ", "", "no results table"),
    (README, "## About TOY", "## About", "no section 'About TOY'"),
    (README, "```bibtex\n@misc", "misc", "no bibtex block"),
    (README, "hparams/tiny", "hparams/huge", "no run command"),
    (REQUIREMENTS, "tqdm>=4.64", "a>=1", "not sorted"),
    (REQUIREMENTS, "tqdm>=4.64", "tqdm", "package>=x"),
    (
        "recipes/TOY/toy_prepare.py",
        '"""Prepares TOY."""',
        "from recipes.OTHER.prepare import prepare",
        "imports from outside its folder",
    ),
    (YAML, "# ########################################", "", "no header"),
    (YAML, "seed: 1\n", "lr: 1\nseed: 1\n", "not the first two keys"),
    (YAML, "utils.seed_everything", "utils.seed", "not seed_everything"),
    (YAML, "True", "true", "'true': True or False"),
    (YAML, "<output_folder>/save", "save", "save_folder does not lie in"),
    (YAML, "batch_size: 4", "batch_size: 4\nidle: 4", "key 'idle'"),
    # upstream counts a reference only below the key itself
    (YAML, "data_folder: s", "early: !ref <late>\nlate: s", "key 'late'"),
    # another key's name inside a longer one is no use of it
    (YAML, "number_of_epochs", "number_of", "key 'number_of'"),
    (YAML, "  classifier: !ref <classifier>\n\nc", "  a: 1\n\nc", "lacks it"),
    (SCRIPT, "(sb.Brain)", "", "0 subclasses of Brain"),
    (SCRIPT, "on_stage_start", "on_start", "the Brain lacks or reorders"),
    (SCRIPT, "dataio_prep(hparams):", "dataio_prep(a):", "take hparams alone"),
    (SCRIPT, "    sb.utils.distributed.ddp_init_group(run_opts)\n", "", "ddp"),
    (SCRIPT, ', min_key="loss"', "", "by which key"),
    (
        SCRIPT,
        "    datasets = dataio_prep(hparams)\n",
        "    brain.evaluate()\n    datasets = dataio_prep(hparams)\n",
        "does not call in this order",
    ),
    # a key that only the package reads, or only a comment names
    (SCRIPT, 'hparams["batch_size"]', "read(hparams)", "key 'batch_size'"),
    (
        SCRIPT,
        'return hparams["batch_size"]',
        'pass  # hparams["batch_size"]',
        "key 'batch_size'",
    ),
]


@pytest.fixture()
def toy(tmp_path):
    """A repository with one good recipe."""
    for name, text in GOOD.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_the_good_recipe_breaks_no_rule(toy):
    """Without this, the cases below would prove nothing."""
    assert recipe_violations(toy, "TOY") == []


@pytest.mark.parametrize("name, old, new, reported", BROKEN)
def test_a_broken_rule_is_reported(toy, name, old, new, reported):
    """One change to the good recipe, one rule broken."""
    assert old in GOOD[name]
    (toy / name).write_text(GOOD[name].replace(old, new), encoding="utf-8")
    found = recipe_violations(toy, "TOY")
    assert any(reported in violation for violation in found), found


@pytest.mark.parametrize(
    "name", [README, REQUIREMENTS, TABLE, "recipes/TOY/toy_prepare.py", YAML]
)
def test_a_missing_file_is_reported(toy, name):
    """Every file of a recipe is asked for."""
    (toy / name).unlink()
    assert recipe_violations(toy, "TOY")


def test_a_second_yaml_needs_its_own_row(toy):
    """One row per YAML file."""
    second = toy / "recipes/TOY/hparams/second_hrf.yaml"
    second.write_text(GOOD[YAML], encoding="utf-8")
    found = recipe_violations(toy, "TOY")
    assert any("rows are for" in violation for violation in found)


def test_a_link_to_another_recipes_file_is_reported(toy):
    """A recipe folder can be copied away and still runs."""
    preparer = toy / "recipes/TOY/toy_prepare.py"
    preparer.rename(toy / "shared_prepare.py")
    preparer.symlink_to(toy / "shared_prepare.py")
    found = recipe_violations(toy, "TOY")
    assert any("is a link" in violation for violation in found)


def test_the_ways_of_naming_a_key():
    """What counts as naming a key in train.py, and what does not."""
    script = """
hparams["a"]; self.hparams.b; hparams.get("c", 0)
getattr(self.hparams, "d"); hasattr(hparams, "e")
other["x"]; hparams[y]; self.z; "hparams.w"
"""
    assert keys_used_in_script(script) == set("abcde")


@pytest.mark.parametrize(
    "checks, fails",
    [
        ("file_exists=[train_log.txt]", []),
        ("file_exists=[train_log.txt,a.txt]", ["a.txt is missing"]),
        ("train loss, <1, epoch: 1", None),
        ("train loss, <1, epoch: 2", []),
        ("train loss, <0.5, epoch: 2", None),
        ("train loss, <=0.5, epoch: 2", []),
        ("valid acc, >0.9, epoch: -1", []),
        ("valid acc, ==0.9, epoch: -1", None),
        ("valid acc, >0.9, epoch: 7", None),
        ("test acc, >0.9, epoch: 2", None),
    ],
)
def test_debug_checks_are_evaluated_as_upstream_does(tmp_path, checks, fails):
    """file_exists and performance_check, fulfilled and not."""
    (tmp_path / "train_log.txt").write_text(
        "epoch: 1, lr: 1.00e-03 - train loss: 1.50 - valid acc: 5.00e-01\n"
        "epoch: 2, lr: 1.00e-03 - train loss: 5.00e-01 - valid acc: 9.50e-01\n"
    )
    if not checks.startswith("file"):
        checks = (
            "file_exists=[train_log.txt] "
            f"performance_check=[train_log.txt, {checks}]"
        )
    found = failed_checks(checks, tmp_path)
    assert len(found) == 1 if fails is None else found == fails


@pytest.mark.parametrize(
    "text, problems",
    [("a: True\n", 0), ("a: yes\n", 1), ("a: 1\na: 2\n", 1), ("a:  1\n", 1)],
)
def test_yamllint_settings(text, problems):
    """The repository's settings catch what they are there for."""
    settings = config.YamlLintConfig(file=REPOSITORY / ".yamllint.yaml")
    assert len(list(linter.run(text, settings))) == problems


def test_the_repository_has_recipes():
    """An empty list would let the next test pass for nothing."""
    assert {"IEMOCAP", "RAVDESS", "nEMO"} <= set(RECIPES)


@pytest.mark.parametrize("dataset", RECIPES)
def test_recipes_keep_the_conventions(dataset):
    """The recipes of this repository break none of the rules."""
    assert recipe_violations(REPOSITORY, dataset) == []


@pytest.mark.parametrize("dataset", RECIPES)
def test_train_py_can_be_followed_without_the_package(dataset):
    """At most ten names come from it."""
    script = (REPOSITORY / "recipes" / dataset / "train.py").read_text("utf-8")
    names = [
        alias.name
        for node in ast.walk(ast.parse(script))
        if isinstance(node, ast.ImportFrom)
        and (node.module or "").startswith("speechbrain_hrf")
        for alias in node.names
    ]
    assert 0 < len(names) <= 10
