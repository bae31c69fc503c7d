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


@pytest.mark.slow
def test_the_site_builds(tmp_path):
    """Strictly: a broken link or anchor, or a page that is not in it, fails."""
    pytest.importorskip("mkdocs")
    pytest.importorskip("mkdocstrings")
    pytest.importorskip("mkdocs_jupyter")
    process = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr[-3000:]
    page = (tmp_path / "api" / "index.html").read_text(encoding="utf-8")
    # A table of arguments, with types: the docstrings were understood.
    assert "Parameters:" in page and "<code>ratio</code>" in page
    # Nothing is fetched from elsewhere when a page is read.
    foreign = (
        r"<(?:script|link|img)[^>]+(?:src|href)=\"https?://(?!github\.com)"
    )
    for path in tmp_path.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(foreign, text), path


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
