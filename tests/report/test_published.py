"""The results that are published here are those of their lines.

Authors
 * The speechbrain_hrf authors 2026
"""

import pathlib
import re

import pytest

from speechbrain_hrf.report import readme_text
from speechbrain_hrf.sweep.lines import read_lines
from speechbrain_hrf.sweep.study import load_study

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
FOLDER = REPOSITORY / "results" / "ravdess"
BLOCK = re.compile(r"<!-- report: ravdess -->\n+(.*?)\n+<!-- end -->", re.S)


@pytest.fixture(scope="module")
def lines():
    return read_lines(FOLDER)


def test_readme_shows_what_the_lines_say():
    """``python -m speechbrain_hrf.report results/ravdess --readme``"""
    [block] = BLOCK.findall((REPOSITORY / "README.md").read_text("utf-8"))
    assert block == readme_text(FOLDER).strip()


def test_lines_are_of_real_speech_and_committed_code(lines):
    assert {line["dataset"] for line in lines} == {"RAVDESS"}
    assert not any(line["synthetic"] for line in lines)
    assert all(re.fullmatch("[0-9a-f]{40}", line["commit"]) for line in lines)
    assert not any(line["dirty"] for line in lines)


def test_lines_belong_to_the_study(lines):
    """And to each fold's own split, the same for all arms."""
    planned = {trial.id for trial in load_study(FOLDER / "study.yaml").trials}
    assert {line["id"] for line in lines} <= planned
    shipped = load_study(
        REPOSITORY / "studies" / "ravdess.yaml", "data_folder: /data"
    )
    assert planned <= {trial.id for trial in shipped.trials}
    for fold in {line["fold"] for line in lines}:
        splits = [line["split"] for line in lines if line["fold"] == fold]
        assert all(split == splits[0] for split in splits)


def test_nothing_published_names_a_machine():
    for path in FOLDER.glob("*.*"):
        if path.suffix != ".png":
            text = path.read_text("utf-8")
            text = re.sub(r"data:[a-z/+]+;base64,[\w+/=]+", "", text)
            assert not re.search(r"(?<![\w.])/(home|root|tmp|work)/", text), (
                path
            )
