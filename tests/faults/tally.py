"""The table of docs/faults.md.

Authors
 * The speechbrain_hrf authors 2026
"""

from tabulate import tabulate

START, END = "<!-- table -->", "<!-- end -->"
COMMAND = "pytest -m slow tests/faults/"
# What the tests count, what it is called, and the tests that try it.
PARTS = {
    "killed": (
        "trainings killed at a moment drawn at random",
        "test_killed_training.py",
    ),
    "commands": (
        "exports, ensembles and trials killed so",
        "test_killed_commands.py",
    ),
    "disk": ("disk full", "test_troubles.py -k disk"),
    "memory": (
        "shared memory (/dev/shm) full",
        "test_troubles.py -k memory",
    ),
    "clock": ("clock set back", "test_troubles.py -k clock"),
    "owners": ("two runs in one output folder", "test_troubles.py -k owners"),
    "gone": ("output folder deleted while running", "test_troubles.py -k gone"),
    "malformed": ("damaged files, each in its reader", "test_readers.py"),
    "fuzzed": (
        "inputs found by coverage-guided fuzzing",
        "test_fuzz.py",
    ),
}


def table(found):
    """Parts -> {"tried", "lost"} as a table of Markdown."""
    rows = [
        [what, f"`{COMMAND}{tests}`", found[part]["tried"], found[part]["lost"]]
        for part, (what, tests) in PARTS.items()
        if part in found
    ]
    head = ["what", "command", "tried", "lost or wrong in silence"]
    return tabulate(rows, head, "github", intfmt=",")


def read(text):
    """The inverse of ``table``, of a page that holds it."""
    numbers = {}
    _, _, rest = text.partition(START)
    for line in rest.partition(END)[0].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and cells[3].isdigit():
            tried = int(cells[2].replace(",", ""))
            numbers[cells[0]] = {"tried": tried, "lost": int(cells[3])}
    names = {what: part for part, (what, _) in PARTS.items()}
    return {names[what]: numbers[what] for what in numbers if what in names}


def write(path, found):
    """Puts what was found between the marks of a page; other rows stay."""
    text = path.read_text(encoding="utf-8")
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    rows = table({**read(text), **found})
    page = f"{before}{START}\n{rows}\n{END}{after}"
    path.write_text(page, encoding="utf-8")
