"""The documentation site: it builds, its errors are real, the tutorial runs.

Authors
 * The speechbrain_hrf authors 2026
"""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from chromium import launcher

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


def strings(folder):
    """All strings of a folder's Python files, joined as they are printed."""
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield " ".join(node.value.split())


def test_troubles_are_quoted_as_they_are_said():
    """Every part of each message, between the names and numbers of a case."""
    said = "\n".join(
        text
        for name in ("speechbrain_hrf", "recipes")
        for text in strings(ROOT / name)
    )
    text = (DOCS / "troubleshooting.md").read_text(encoding="utf-8")
    quoted = re.findall(r"^#### `(.+)`$", text, re.MULTILINE)
    assert len(quoted) > 15
    parts = [part.strip(" ()") for each in quoted for part in each.split("...")]
    missing = [part for part in parts if len(part) > 4 and part not in said]
    assert not missing


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Built strictly: a broken link, or a page that is not in it, fails."""
    pytest.importorskip("mkdocs")
    pytest.importorskip("mkdocstrings")
    pytest.importorskip("mkdocs_jupyter")
    folder = tmp_path_factory.mktemp("site")
    process = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", folder],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr[-3000:]
    return folder


@pytest.mark.slow
def test_the_site_builds(site):
    """With its docstrings, and nothing of other places."""
    page = (site / "api" / "index.html").read_text(encoding="utf-8")
    # A table of arguments, with types: the docstrings were understood.
    assert "Parameters:" in page and "<code>ratio</code>" in page
    # Nothing is fetched from elsewhere when a page is read.
    foreign = (
        r"<(?:script|link|img)[^>]+(?:src|href)=\"https?://(?!github\.com)"
    )
    for path in site.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(foreign, text), path


# Of each page: its width, and that of its widest table beside that of the text.
WIDTHS = """() => [
    document.documentElement.scrollWidth,
    Math.max(0, ...[...document.querySelectorAll(".md-content table")].map(
        table => table.scrollWidth)),
    document.querySelector(".md-content__inner").clientWidth,
]"""


@pytest.mark.slow
def test_pages_fit_their_screens(site):
    """On a phone, tables scroll by themselves; on a desk they need not."""
    pages = sorted(site.glob("*/index.html"))
    assert len(pages) > 12
    with launcher() as launch:
        browser = launch()
        for width in (1280, 390):
            page = browser.new_page(viewport={"width": width, "height": 900})
            for path in [site / "index.html", *pages]:
                page.goto(path.as_uri())
                whole, table, text = page.evaluate(WIDTHS)
                assert whole == width, path
                assert table <= text or width == 390, path
        browser.close()


@pytest.mark.slow
def test_the_tutorial_runs():
    """Each cell, as a reader runs them, on the stand-in corpus."""
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    notebook = nbformat.read(DOCS / "tutorial.ipynb", as_version=4)
    os.environ["EPOCHS"] = "2"
    try:
        nbclient.NotebookClient(
            notebook,
            timeout=600,
            coalesce_streams=True,  # what a cell prints comes in pieces
            resources={"metadata": {"path": str(DOCS)}},
        ).execute()
    finally:
        del os.environ["EPOCHS"]
    (heard,) = (
        output["text"]
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if "spoken as:" in output.get("text", "")
    )
    answers = dict(line.split(":") for line in heard.strip().splitlines())
    assert answers["SpeechBrain"].strip() == answers["the runner"].strip()
