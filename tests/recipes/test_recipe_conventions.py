"""Recipes keep SpeechBrain's conventions, and each broken one is noticed.

Authors
 * The speechbrain_hrf authors 2026
"""

import ast
import shutil
from pathlib import Path

import pytest
from recipe_conventions import recipe_violations
from recipe_csv import failed_checks
from recipe_script import keys_used_in_script
from yamllint import config, linter

REPOSITORY = Path(__file__).resolve().parents[2]
RECIPES = sorted(
    path.parent.name for path in REPOSITORY.glob("recipes/*/train.py")
)

SCRIPT = "recipes/RAVDESS/train.py"
PREPARER = "recipes/RAVDESS/ravdess_prepare.py"
YAML = "recipes/RAVDESS/hparams/speechformer_hrf.yaml"
README = "recipes/RAVDESS/README.md"
REQUIREMENTS = "recipes/RAVDESS/extra_requirements.txt"
TABLE = "tests/recipes/RAVDESS.csv"
SKIP = 'hparams["skip_prep"]'
DATASETS = "    datasets = dataio_prep(hparams)\n"
# file, what stands there, what is put in its place, what must be reported: where
# a rule could easily pass over it
BROKEN = [
    (TABLE, "Script_file", "Script", "the columns are not"),
    (TABLE, "RAVDESS/train.py", "RAVDESS/tain.py", "does not exist"),
    (TABLE, "speechformer_hrf.yaml", "other.yaml", "rows are for"),
    (TABLE, "results/ravdess", "results/others", "does not occur in"),
    (TABLE, "--data_folder", "--data_floder", "has no 'data_floder'"),
    (TABLE, "file_exists=[", "file_exist=[", "test_debug_checks"),
    (README, "| Val. Acc. ", "", "no results table"),
    (README, "About RAVDESS", "About", "no section 'About RAVDESS'"),
    (README, "```bibtex", "```", "no bibtex block"),
    (README, "hparams/speechformer", "hparams/huge", "no run command"),
    (REQUIREMENTS, "speech", "tqdm>=4\nspeech", "not sorted"),
    (REQUIREMENTS, ">=0.1.0", "", "package>=x"),
    (PREPARER, "\nimport ", "\nfrom recipes.X import ", "outside its folder"),
    (YAML, 8 * "#", "", "no header"),
    (YAML, "seed: 1234\n", "a: 1\nseed: 1\n", "not the first two keys"),
    (YAML, "utils.seed_everything", "utils.seed", "not seed_everything"),
    (YAML, "True", "true", "'true': True or False"),
    (YAML, "<output_folder>/save", "save", "save_folder does not lie in"),
    (YAML, "skip_prep", "idle: 4\nskip_prep", "key 'idle'"),
    # upstream counts a reference only below the key itself
    (YAML, "skip_prep", "a: !ref <late>\nlate: 1\nskip_prep", "key 'late'"),
    # another key's name inside a longer one is no use of it
    (YAML, "skip_prep", "skip", "key 'skip'"),
    (YAML, "    mean_var_norm: !ref", "    a: !ref", "lacks it"),
    (SCRIPT, "(sb.Brain)", "", "0 subclasses of Brain"),
    (SCRIPT, "on_stage_start", "on_start", "the Brain lacks or reorders"),
    (SCRIPT, "dataio_prep(hparams):", "dataio_prep(a):", "take hparams alone"),
    (SCRIPT, "    sb.utils.distributed.ddp_init_group(run_opts)\n", "", "ddp"),
    (SCRIPT, '        max_key="UA" if chooses else None,\n', "", "which key"),
    (SCRIPT, DATASETS, f"    brain.evaluate()\n{DATASETS}", "in this order"),
    # a key that only the package reads, or only a comment names
    (SCRIPT, SKIP, "read(hparams)", "key 'skip_prep'"),
    (SCRIPT, f"not {SKIP}:", f"True:  # {SKIP}", "key 'skip_prep'"),
]


@pytest.fixture()
def copy(tmp_path):
    """A repository with one recipe, a good one by the last test here."""
    shutil.copytree(
        REPOSITORY / "recipes/RAVDESS",
        tmp_path / "recipes/RAVDESS",
        ignore=shutil.ignore_patterns("results", "__pycache__"),
    )
    (tmp_path / TABLE).parent.mkdir(parents=True)
    shutil.copy(REPOSITORY / TABLE, tmp_path / TABLE)
    return tmp_path


@pytest.mark.parametrize("name, old, new, reported", BROKEN)
def test_a_broken_rule_is_reported(copy, name, old, new, reported):
    """One change to a good recipe, one rule broken."""
    text = (copy / name).read_text(encoding="utf-8")
    assert old in text
    (copy / name).write_text(text.replace(old, new), encoding="utf-8")
    found = recipe_violations(copy, "RAVDESS")
    assert any(reported in violation for violation in found), found


@pytest.mark.parametrize("name", [README, REQUIREMENTS, TABLE, PREPARER, YAML])
def test_a_missing_file_is_reported(copy, name):
    """Every file of a recipe is asked for."""
    (copy / name).unlink()
    assert recipe_violations(copy, "RAVDESS")


def test_a_further_yaml_needs_its_own_row(copy):
    """One row per YAML file."""
    shutil.copy(copy / YAML, copy / "recipes/RAVDESS/hparams/second_hrf.yaml")
    found = recipe_violations(copy, "RAVDESS")
    assert any("rows are for" in violation for violation in found)


def test_a_link_to_another_recipes_file_is_reported(copy):
    """A recipe folder can be copied away and still runs."""
    (copy / PREPARER).rename(copy / "shared_prepare.py")
    (copy / PREPARER).symlink_to(copy / "shared_prepare.py")
    found = recipe_violations(copy, "RAVDESS")
    assert any("is a link" in violation for violation in found)


@pytest.mark.parametrize("name", RECIPES)
def test_data_are_compared_whether_they_were_prepared_or_not(name):
    """What train.py calls under no condition."""
    script = (REPOSITORY / "recipes" / name / "train.py").read_text("utf-8")
    main = ast.parse(script).body[-1].body
    calls = [ast.unparse(node) for node in main if isinstance(node, ast.Expr)]
    assert any("run_on_main(refuse_other_data" in call for call in calls)


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
