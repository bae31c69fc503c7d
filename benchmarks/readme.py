"""Puts the tables of the last measurements into the pages that show them.

    python benchmarks/readme.py

A table goes between ``<!-- benchmark: NAME -->`` and ``<!-- end -->`` and comes
from ``benchmarks/results/NAME.json``, as that script has left it.

Authors
 * The speechbrain_hrf authors 2026
"""

import json
import pathlib
import re

from report import RESULTS, table

_HERE = pathlib.Path(__file__).resolve().parent
_DOCS = _HERE.parent / "docs"
PAGES = [
    *(_DOCS / f"{name}.md" for name in ("costs", "on_the_device")),
    _DOCS / "microcontroller.md",
    _HERE / "README.md",
]
_BLOCK = re.compile(r"(<!-- benchmark: (\w+) -->\n)(.*?)(<!-- end -->)", re.S)


def filled(text):
    """A page's text with the tables of the results.

    Arguments
    ---------
    text : str

    Returns
    -------
    str
    """

    def fill(match):
        path = RESULTS / f"{match[2]}.json"
        result = json.loads(path.read_text(encoding="utf-8"))
        about = result["machine"]
        where = (
            f"{about['device']}, {about['processor']}, {about['cores']} cores"
            f", torch {about['torch']}"
        )
        body = table(result["head"], result["rows"])
        return f"{match[1]}\n{body}\n\n{where}\n\n{match[4]}"

    return _BLOCK.sub(fill, text)


if __name__ == "__main__":
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        path.write_text(filled(text), encoding="utf-8")
