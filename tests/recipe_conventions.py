"""SpeechBrain's conventions for a recipe, as functions that list violations.

Upstream's consistency tests fix most of them: one CSV row per YAML file, every
YAML key in use, README links and sections, checks that a debug run must pass.
The others are what its reviewers ask for: the order of train.py, the YAML
header, a folder that is complete in itself. Each function reads text or
folders, changes nothing, and returns a list of sentences, empty if all is well.

Authors
 * The speechbrain_hrf authors 2026
"""

import re
from pathlib import Path

from recipe_csv import csv_violations
from recipe_script import script_violations
from recipe_yaml import yaml_key_violations, yaml_layout_violations

RESULTS_HEADER = (
    "| Release | hyperparams file | Val. Acc. | Test Acc. "
    "| HuggingFace link | Model link | GPUs |"
)


def folder_violations(folder):
    """Whether a recipe folder is complete in itself."""
    found = []
    dataset = re.sub(r"\W|_", "", folder.name.lower())
    preparers = [
        path.name
        for path in folder.glob("*_prepare.py")
        if re.sub(r"\W|_", "", path.stem[: -len("_prepare")]) == dataset
    ]
    if len(preparers) != 1:
        found.append(f"{len(preparers)} files <dataset>_prepare.py, not one")
    for name in ("train.py", "README.md", "extra_requirements.txt"):
        if not (folder / name).is_file():
            found.append(f"{name} is missing")
    if not list(folder.glob("hparams/*.yaml")):
        found.append("hparams holds no .yaml")
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            found.append(f"{path.name} is a link, not a file")
        elif path.suffix == ".py" and re.search(
            r"^\s*(?:from|import) (?:recipes\b|\.)", path.read_text(), re.M
        ):
            found.append(f"{path.name} imports from outside its folder")
    requirements = folder / "extra_requirements.txt"
    if requirements.is_file():
        lines = requirements.read_text().splitlines()
        if lines != sorted(lines, key=str.lower):
            found.append("extra_requirements.txt is not sorted")
        for line in lines:
            if not re.fullmatch(r"[\w.\[\],-]+>=\d[\w.]*(,<\d[\w.]*)?", line):
                found.append(f"extra_requirements.txt: '{line}': package>=x")
    return found


def readme_violations(text, dataset, yaml_names):
    """Run commands, results table and sections of a recipe's README."""
    found = []
    if RESULTS_HEADER not in text:
        found.append(f"no results table with the header {RESULTS_HEADER}")
    headings = re.findall(r"^#+ +(.+?) *$", text, re.MULTILINE)
    plain = [heading.replace("*", "").strip().lower() for heading in headings]
    for part in (
        f"About {dataset}",
        "Citing SpeechBrain",
        "Training time",
        "Data preparation",
    ):
        if not any(part.lower() in heading for heading in plain):
            found.append(f"no section '{part}'")
    if not re.search(r"citing speechbrain.*```bibtex\n@", text, re.I | re.S):
        found.append("Citing SpeechBrain holds no bibtex block")
    for name in yaml_names:
        if f"train.py hparams/{name}" not in text:
            found.append(f"no run command for hparams/{name}")
    return found


def recipe_violations(root, dataset):
    """All of the above for recipes/<dataset> below a repository's root."""
    folder = Path(root) / "recipes" / dataset
    found = [f"{dataset}: {v}" for v in folder_violations(folder)]
    script = (folder / "train.py").read_text(encoding="utf-8")
    found += [f"{dataset}/train.py: {v}" for v in script_violations(script)]
    hparams = sorted(folder.glob("hparams/*.yaml"))
    for path in hparams:
        text = path.read_text(encoding="utf-8")
        violations = yaml_layout_violations(text)
        violations += yaml_key_violations(text, script)
        found += [f"{dataset}/{path.name}: {v}" for v in violations]
    readme = folder / "README.md"
    if readme.is_file():
        text = readme.read_text(encoding="utf-8")
        names = [path.name for path in hparams]
        violations = readme_violations(text, dataset, names)
        found += [f"{dataset}/README.md: {v}" for v in violations]
    table = Path(root) / "tests" / "recipes" / f"{dataset}.csv"
    if not table.is_file():
        return found + [f"{table.name} is missing"]
    return found + [f"{table.name}: {v}" for v in csv_violations(table, root)]
