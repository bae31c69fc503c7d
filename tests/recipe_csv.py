"""tests/recipes/<DATASET>.csv: reading it, checking it, and its debug checks.

Upstream keeps one row per YAML file there: which files belong to it, with which
options a short run is started, and what that run must leave behind.

Authors
 * The speechbrain_hrf authors 2026
"""

import csv
import operator
import re

from recipe_yaml import unknown_overrides

CSV_COLUMNS = (
    "Task,Dataset,Script_file,Hparam_file,Data_prep_file,Readme_file,"
    "Result_url,HF_repo,test_debug_flags,test_debug_checks,performance"
).split(",")
COMPARISONS = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}
CHECKS = re.compile(
    r"file_exists=\[(?P<files>[^\[\]]+)\]"
    r"(?: performance_check=\[(?P<log>[^,\]]+), (?P<name>[^,\]]+), "
    r"(?P<compare><=|>=|==|<|>)(?P<bound>-?\d+(?:\.\d+)?), "
    r"(?P<epoch>[Ee]poch: -?\d+)\])?"
)


def csv_violations(path, root):
    """Whether tests/recipes/<DATASET>.csv describes that recipe's YAMLs."""
    rows = read_rows(path)
    if not rows or list(rows[0]) != CSV_COLUMNS:
        return ["the columns are not " + ",".join(CSV_COLUMNS)]
    found = []
    listed = sorted(row["Hparam_file"] for row in rows)
    existing = sorted(
        file.relative_to(root).as_posix()
        for file in (root / "recipes" / path.stem).rglob("*.yaml")
        if "results" not in file.parts
    )
    if listed != existing:
        found.append(f"rows are for {listed}, YAML files are {existing}")
    for number, row in enumerate(rows, start=2):
        found += [f"row {number}: {v}" for v in _row_violations(row, root)]
        if row["Dataset"] != path.stem:
            found.append(f"row {number}: Dataset is not {path.stem}")
    return found


def read_rows(path):
    """Rows of a recipe CSV as dicts of stripped strings."""
    with open(path, newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream, skipinitialspace=True))
    return [{k: (v or "").strip() for k, v in row.items()} for row in rows]


def _row_violations(row, root):
    """Violations of one CSV row."""
    found = [] if row["Task"] else ["Task is empty"]
    for column in ("Script_file", "Hparam_file", "Data_prep_file"):
        for name in row[column].split() or [""]:
            if not (root / name).is_file():
                found.append(f"{column}: '{name}' does not exist")
    readme = root / row["Readme_file"]
    if not readme.is_file():
        return found + [f"Readme_file: '{row['Readme_file']}' does not exist"]
    for url in (row["Result_url"] + " " + row["HF_repo"]).split():
        if url not in readme.read_text(encoding="utf-8"):
            found.append(f"{url} does not occur in {row['Readme_file']}")
    if not row["test_debug_flags"]:
        found.append("test_debug_flags is empty")
    if not CHECKS.fullmatch(row["test_debug_checks"]):
        found.append(f"test_debug_checks: {row['test_debug_checks']!r}")
    hparams = root / row["Hparam_file"]
    if hparams.is_file():
        text = hparams.read_text(encoding="utf-8")
        for name in unknown_overrides(row["test_debug_flags"], text):
            found.append(f"test_debug_flags: the YAML has no '{name}'")
    return found


def failed_checks(checks, folder):
    """What of test_debug_checks does not hold in an output folder."""
    parts = CHECKS.fullmatch(checks)
    if parts is None:
        return [f"not understood: {checks}"]
    found = [
        f"{name} is missing"
        for name in parts["files"].split(",")
        if not (folder / name.strip()).exists()
    ]
    if parts["log"] is None or not (folder / parts["log"]).is_file():
        return found
    lines = (folder / parts["log"]).read_text().splitlines()
    if parts["epoch"].endswith(" -1"):
        lines = [line for line in lines if line.strip()][-1:]
    else:
        lines = [line for line in lines if parts["epoch"] in line][:1]
    value = re.search(
        re.escape(parts["name"]) + r"\s*: *([-+]?\d*\.\d+(?:[eE][-+]?\d+)?)",
        lines[0] if lines else "",
    )
    if value is None:
        return found + [f"no '{parts['name']}' at '{parts['epoch']}'"]
    if not COMPARISONS[parts["compare"]](
        float(value[1]), float(parts["bound"])
    ):
        bound = parts["compare"] + parts["bound"]
        found.append(f"{parts['name']} is {value[1]}, not {bound}")
    return found
