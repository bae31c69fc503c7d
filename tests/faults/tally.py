"""The table of docs/faults.md.

Authors
 * The speechbrain_hrf authors 2026
"""

from tabulate import tabulate

START, END = "<!-- table -->", "<!-- end -->"
PARTS = {
    "killed": "killed at a moment drawn at random",
    "disk": "disk full",
    "memory": "shared memory (/dev/shm) full",
    "clock": "clock set back",
    "owners": "two runs in one output folder",
    "gone": "output folder deleted while running",
    "malformed": "malformed input",
    "fuzzed": "inputs found by coverage-guided fuzzing",
}


def table(found):
    """Parts -> {"tried", "lost"} as a table of Markdown."""
    rows = [
        [PARTS[part], f"{found[part]['tried']:,}", f"{found[part]['lost']:,}"]
        for part in PARTS
        if part in found
    ]
    head = ["what", "tried", "lost or wrong in silence"]
    return tabulate(rows, head, "github", colalign=("left", "right", "right"))


def write(path, text):
    """Puts a table between the marks of a page."""
    before, _, rest = path.read_text(encoding="utf-8").partition(START)
    _, _, after = rest.partition(END)
    page = f"{before}{START}\n{text}\n{END}{after}"
    path.write_text(page, encoding="utf-8")
