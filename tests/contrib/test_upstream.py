"""Four branches are made in a checkout; what is there is merged.

Authors
 * The speechbrain_hrf authors 2026
"""

import ast
import csv
import doctest
import importlib
import json
import re
import subprocess

import gates
import pytest
import soundfile
from checkout import Checkout, branch_of
from contrib_checkout import CONTRIB, ROOT, git
from recipe_csv import csv_violations
from recipe_yaml import yaml_key_violations, yaml_layout_violations

NAMES = ("hrf", "ravdess", "iemocap", "checkpoints")


def changed(folder, name):
    """Files that a branch adds or changes."""
    span = f"pr/{name}~..pr/{name}"
    return git(folder, "diff", "--name-only", span).split()


def read(folder, name, path):
    """A file of a branch."""
    return git(folder, "show", f"pr/{name}:{path}")


@pytest.mark.parametrize(
    "module", ["rewriting", "change_sets", "checkout", "gates", "upstream"]
)
def test_examples(module):
    """The examples in its docstrings hold."""
    found = doctest.testmod(
        importlib.import_module(module), optionflags=doctest.ELLIPSIS
    )
    assert found.attempted and not found.failed


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        ("rm -rf .git", "no git checkout of SpeechBrain"),
        ("rm speechbrain/version.txt", "no git checkout of SpeechBrain"),
        ("echo 1.2.0 > speechbrain/version.txt", "is SpeechBrain 1.2.0"),
        ("echo >> README.md", "uncommitted changes (M README.md)"),
        ("touch new.py", "uncommitted changes (?? new.py)"),
        ("git branch pr/hrf", "has a branch pr/hrf of something else"),
        (
            "mkdir -p speechbrain/nnet/hrf && cd speechbrain/nnet/hrf && "
            "touch merge.py && git add . && git -c user.name=N -c "
            "user.email=n commit -qm x",
            "speechbrain/nnet/hrf/merge.py is there already",
        ),
    ],
)
def test_refusals(skeleton, capsys, spoil, says):
    """One sentence, and nothing is written."""
    import upstream

    subprocess.run(spoil, shell=True, cwd=skeleton, check=True)
    before = sorted(skeleton.rglob("*.py"))
    assert upstream.main([str(skeleton), "--only", "hrf"]) == 2
    assert says in capsys.readouterr().err
    assert sorted(skeleton.rglob("*.py")) == before


def test_twice_gives_the_same(assembled):
    """The same commits; and the working tree is as it was."""
    import upstream

    before = git(assembled, "show-ref")
    assert before.count("pr/") == len(NAMES)
    assert upstream.main([str(assembled)]) == 0
    assert git(assembled, "show-ref") == before
    assert git(assembled, "status", "--porcelain") == ""
    assert git(assembled, "worktree", "list").count("\n") == 1


def test_what_lies_on_what(assembled):
    """HRF and the checkpoints on main, the recipes on HRF."""
    parents = {
        name: git(assembled, "rev-parse", f"pr/{name}~").strip()
        for name in NAMES
    }
    main, hrf = (
        git(assembled, "rev-parse", x).strip() for x in ("main", "pr/hrf")
    )
    assert parents == {
        "hrf": main,
        "checkpoints": main,
        "ravdess": hrf,
        "iemocap": hrf,
    }


def test_existing_files_are_merged(assembled):
    """Every line that was there is there, in its order, but those edited."""
    gone = {}
    for name in NAMES:
        span = f"pr/{name}~..pr/{name}"
        lines = git(assembled, "diff", "--numstat", span).splitlines()
        for line in lines:
            _, removed, path = line.split("\t")
            if int(removed):
                gone[path] = int(removed)
    assert gone == {
        "README.md": 1,  # a table's row gets one more link
        "speechbrain/utils/checkpoints.py": 1,
        "tests/recipes/IEMOCAP.csv": 1,  # its last line had no end
    }
    row = git(assembled, "show", "main:README.md").strip()
    with_link = row.replace("[ZED]", "[RAVDESS](recipes/RAVDESS), [ZED]")
    assert read(assembled, "ravdess", "README.md").strip() == with_link
    old = git(assembled, "show", "main:tests/recipes/IEMOCAP.csv")
    new = read(assembled, "iemocap", "tests/recipes/IEMOCAP.csv")
    assert new.startswith(old + "\n")
    headings = re.findall(
        "^# .*",
        read(assembled, "iemocap", "recipes/IEMOCAP/README.md"),
        re.MULTILINE,
    )
    assert headings == [
        "# Emotion recognition experiments with IEMOCAP",
        "# Training tiny models with HRF",
        "# Results",
        "# Training Time",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_ruff_yamllint_and_codespell(assembled, name):
    """By SpeechBrain's settings; ruff.toml restates them."""
    commands = gates.commands(changed(assembled, name))
    wanted = {"ruff check", "ruff format", "yamllint", "codespell"}
    with Checkout(str(assembled)).work_tree(branch_of(name)) as root:
        for gate in wanted & commands.keys():
            found = gates._run(commands[gate], root)
            assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize("name", NAMES)
def test_docstrings_and_python_38(assembled, name):
    """Every class and public function has one whose first line is read.

    SpeechBrain's script goes by lines: one with three dots is passed over.
    """
    for path in changed(assembled, name):
        if not path.endswith(".py"):
            continue
        text = read(assembled, name, path)
        if text.startswith("../"):  # a link
            continue
        tree = ast.parse(text, feature_version=(3, 8))
        assert "speechbrain_hrf" not in re.sub(
            r"The speechbrain_hrf authors|speechbrain_hrf\]?\(?https", "", text
        )
        if not path.startswith("speechbrain/"):
            continue
        assert ast.get_docstring(tree), path
        for node in ast.walk(tree):
            is_function = isinstance(node, ast.FunctionDef)
            if isinstance(node, ast.ClassDef) or (
                is_function and node.name[0] != "_" and node.returns is None
            ):
                docstring = ast.get_docstring(node) or "..."
                assert "..." not in docstring.splitlines()[0], (path, node.name)


@pytest.mark.parametrize("name", ["ravdess", "iemocap"])
def test_recipes_are_consistent(assembled, tmp_path, name):
    """Files, rows, links, and every key of a YAML is in use."""
    root = tmp_path / "x"
    git(assembled, "worktree", "add", "--detach", str(root), f"pr/{name}")
    dataset = name.upper()
    table = root / f"tests/recipes/{dataset}.csv"
    rows = list(csv.DictReader(table.open(newline="", encoding="utf-8")))
    ours = [row for row in rows if "_hrf.yaml" in row["Hparam_file"]]
    assert len(ours) == 3
    assert csv_violations(table, root) == []
    for row in ours:
        text = (root / row["Hparam_file"]).read_text(encoding="utf-8")
        script = (root / row["Script_file"]).read_text(encoding="utf-8")
        assert yaml_key_violations(text, script) == []
        assert yaml_layout_violations(text) == []
        assert "speechbrain_hrf." not in text
        # Figures are there for RAVDESS alone.
        for column in ("performance", "Result_url"):
            assert bool(row[column]) == (dataset == "RAVDESS")


@pytest.mark.parametrize("valid", [False, True])
@pytest.mark.parametrize("fold", [1, 6])
def test_ravdess_has_our_splits(tmp_path, fold, valid):
    """The preparation that goes upstream and ours agree on every file."""
    corpus = str(tmp_path / "RAVDESS")
    for actor in range(1, 25):
        folder = tmp_path / f"RAVDESS/Actor_{actor:02d}"
        folder.mkdir(parents=True)
        for emotion in (1, 8):
            # Speech, and a song, which is left out.
            for channel in (1, 2):
                name = f"03-{channel:02d}-{emotion:02d}-01-01-01-{actor:02d}"
                soundfile.write(folder / f"{name}.wav", [0.1, 0.2] * 400, 48000)
    names = ("train", "valid", "test") if valid else ("train", "test")
    paths = {name: str(tmp_path / f"{name}.json") for name in names}
    theirs = _import(
        CONTRIB / "upstream/recipes/RAVDESS/ravdess_prepare.py", "theirs"
    )
    theirs.prepare_ravdess(
        corpus, paths["train"], paths.get("valid"), paths["test"], fold
    )
    ours = _import(ROOT / "recipes/RAVDESS/ravdess_prepare.py", "ours")
    protocol = "held_out" if valid else "paper"
    ours.prepare_ravdess(corpus, str(tmp_path / "ours"), fold, protocol)
    assert theirs.EMOTIONS == ours.EMOTIONS
    for name in names:
        found, expected = (
            {
                key: (entry["wav"], entry["emo"], entry["duration"])
                for key, entry in json.load(open(path)).items()
            }
            for path in (paths[name], tmp_path / f"ours/{name}.json")
        )
        assert found and found == expected
        assert list(found) == list(expected)  # batches depend on it


def test_a_folder_without_the_corpus_is_named(tmp_path):
    """And so is a fold that is none."""
    prepare = _import(
        CONTRIB / "upstream/recipes/RAVDESS/ravdess_prepare.py", "theirs"
    ).prepare_ravdess
    with pytest.raises(FileNotFoundError, match="Audio_Speech_Actors_01-24"):
        prepare(str(tmp_path), "train.json", None, "test.json")
    with pytest.raises(ValueError, match="fold is 1 to 6, not 7"):
        prepare(str(tmp_path), "train.json", None, "test.json", fold=7)


def test_rewriting():
    """Types that Python 3.8 cannot compute are quoted; the rest stays."""
    from rewriting import rewrite_module

    text = '''"""Doc."""
from speechbrain_hrf.nnet.merge import merge_hrf
Layer = tuple[int, int | None]  # why
if isinstance(x, list | tuple):
    y = zip(a, b, strict=True)
'''
    assert rewrite_module(text) == (
        '''"""Doc."""
from __future__ import annotations

from speechbrain.nnet.hrf.merge import merge_hrf
Layer = "tuple[int, int | None]"  # why
if isinstance(x, (list, tuple)):
    y = zip(a, b)
'''
    )
    with pytest.raises(ValueError, match="is not in what goes upstream"):
        rewrite_module('"""Doc."""\nimport speechbrain_hrf.files\n')
    with pytest.raises(ValueError, match="to be cut once, and is 0 times"):
        rewrite_module('"""Doc."""\n', cuts=("nothing",))


def _import(path, name):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
