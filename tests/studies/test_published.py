"""The results that are published here are those of their lines.

Authors
 * The speechbrain_hrf authors 2026
"""

import pathlib
import re

import pytest

from speechbrain_hrf.studies.lines import read_lines
from speechbrain_hrf.studies.report import readme_text
from speechbrain_hrf.studies.study import load_study

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
# Beside them a user's own studies may lie.
FOLDERS = [
    folder
    for folder in (
        REPOSITORY / "results" / name for name in ("nemo", "ravdess")
    )
    if (folder / "trials.jsonl").is_file()
]
BLOCK = re.compile(r"<!-- report: (\w+) -->\n+(.*?)\n*<!-- end -->", re.S)
MOST_BYTES = 2 * 2**20  # of all results together, pictures included

pytestmark = pytest.mark.skipif(
    not FOLDERS, reason="results/ has no study: this is no checkout"
)


@pytest.mark.parametrize("page", ["README.md", "docs/results.md"])
def test_pages_show_what_the_lines_say(page):
    """``hrf report results/ravdess --readme``"""
    blocks = BLOCK.findall((REPOSITORY / page).read_text("utf-8"))
    assert blocks
    for name, block in blocks:
        assert block == readme_text(REPOSITORY / "results" / name).strip()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_lines_are_of_real_speech_committed_code_and_the_study(folder):
    lines = read_lines(folder)
    assert not any(line["synthetic"] for line in lines)
    assert not any(line["dirty"] for line in lines)
    assert all(re.fullmatch("[0-9a-f]{40}", line["commit"]) for line in lines)
    planned = {t.id for t in load_study(folder / "study.yaml").trials}
    assert {line["id"] for line in lines} <= planned
    shipped = load_study(
        REPOSITORY / "studies" / f"{folder.name}.yaml", "data_folder: /data"
    )
    assert planned == {trial.id for trial in shipped.trials}
    # Each fold's own test set, the same for all arms
    for fold in {line["fold"] for line in lines}:
        assert len({x["test_set"] for x in lines if x["fold"] == fold}) == 1


def test_what_is_published_is_small_and_names_no_machine():
    published = [
        path
        for folder in FOLDERS
        for path in folder.glob("[!.]*.*")
        if path.name != "ray.log"
    ]
    assert sum(path.stat().st_size for path in published) <= MOST_BYTES
    for path in published:
        if path.suffix != ".png":
            text = path.read_text("utf-8")
            text = re.sub(r"data:[a-z/+]+;base64,[\w+/=]+", "", text)
            found = re.search(r"(?<![\w.])/(home|root|tmp|work)/", text)
            assert not found, path
