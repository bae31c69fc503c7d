"""What lies beside a cache is compared with it, counted and left alone."""

import json
import logging

import pytest

from speechbrain_hrf.dataio.other_caches import (
    log_other_caches,
    size_of,
    why_no_other_fits,
)


@pytest.fixture
def lay(tmp_path):
    def lay(name, size=0, **options):
        (tmp_path / name).mkdir()
        index = json.dumps({"made_from": {"options": options, "data": "x"}})
        (tmp_path / name / "index.json").write_text(index)
        (tmp_path / name / "features.npy").write_bytes(bytes(size))
        return tmp_path / name

    return lay


@pytest.fixture
def log(caplog):
    logger = logging.getLogger("speechbrain_hrf.dataio.other_caches")
    logger.addHandler(caplog.handler)
    logger.setLevel(logging.INFO)
    yield caplog
    logger.removeHandler(caplog.handler)


def test_the_most_similar_one_is_named(lay, tmp_path):
    lay("train-a", frames=1, values=1)
    lay("train-b", frames=2, values=1)
    lay("test-a", frames=2, values=2)
    (tmp_path / "train-c").mkdir()
    (tmp_path / "train-c" / "index.json").write_text("{")
    place = tmp_path / "train-d"
    made_from = {"options": {"frames": 2, "values": 2}, "data": "x"}
    expected = "those in train-b have other values"
    assert why_no_other_fits(place, made_from) == expected
    made_from["data"] = "y"
    assert why_no_other_fits(place, made_from) == f"{expected}, audio files"


def test_those_of_the_split_are_counted(lay, log):
    place = lay("train-a", 5_000_000)
    lay("test-a", 1_000_000)
    lay("train-other-a", 1_000_000)  # of a split called train-other
    log_other_caches(place)
    assert log.text == ""
    assert size_of(lay("train-b", 2_000_000)) > 2_000_000
    lay("train-c", 1_000_000)
    log_other_caches(place)
    assert ": 2, 3 MB in all." in log.text and "may be deleted" in log.text
