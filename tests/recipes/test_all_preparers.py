"""What every preparer promises, tried on each recipe's stand-in corpus.

Nothing depends on the seed or on the order in which folders are read, changed
options and data are noticed, what cannot be used is refused or left out by
name, and a preparation that is killed at any moment is done again as if it had
never begun.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import random
import shutil
import signal

import pytest
from preparers import load_manifests, load_preparer

from speechbrain_hrf.dataio.synthetic import make_corpus

# Corpus: (options changed, what is said of them, a file of labels, entries of
# the stand-in by split)
CASES = {
    "IEMOCAP": (
        {"protocol": "held_out"},
        "protocol: 'paper' -> 'held_out', valid_session: None -> 4",
        "Session1/dialog/EmoEvaluation/Ses*.txt",
        {"train": 192, "test": 48},
    ),
    "M3ED": (
        {"max_unusable": 0.5},
        "max_unusable: 0.005 -> 0.5",
        "annotation.json",
        {"train": 143, "valid": 48, "test": 48},
    ),
    "DAIC-WOZ": (
        {"drop_sync_rows": True},
        "drop_sync_rows: False -> True",
        "905_P/905_TRANSCRIPT.csv",
        None,
    ),
    "RAVDESS": (
        {"fold": 2},
        "fold: 1 -> 2",
        None,
        {"train": 200, "test": 40},
    ),
    "nEMO": (
        {"fold": 2},
        "fold: 1 -> 2",
        "data.tsv",
        None,
    ),
    "OwnData": (
        {"n_folds": "speaker"},
        "n_folds: 5 -> 'speaker'",
        "labels.csv",
        {"train": 96, "test": 32},
    ),
}
KILLED = 137
SHARE = "max_unusable is a share, a number from 0 to 1, not"
PROTOCOL = "protocol is one of paper, held_out, not"
REFUSED = [
    *((corpus, {"max_unusable": "0.1"}, SHARE) for corpus in CASES),
    *((x, {"protocol": "random"}, PROTOCOL) for x in CASES if x != "M3ED"),
    ("M3ED", {"protocol": "paper"}, "protocol is one of official, not"),
    ("IEMOCAP", {"valid_session": 5}, "a training session, 1 to 4, not 5"),
    ("DAIC-WOZ", {"held_out_part": 6}, "held_out_part is .* 1 to 5, not 6"),
    ("DAIC-WOZ", {"correct_offsets": [318]}, r"True or False, not \[318\]"),
    ("DAIC-WOZ", {"drop_sync_rows": "yes"}, "drop_sync_rows is True or False"),
    ("RAVDESS", {"fold": 7}, "fold is a whole number, 1 to 6, not 7"),
    ("nEMO", {"fold": 10}, "fold is a whole number, 1 to 9, not 10"),
]


def preparer(corpus):
    """The prepare function of a recipe."""
    module = load_preparer(corpus)
    return getattr(module, f"prepare_{corpus.lower().replace('-', '_')}")


@pytest.fixture(scope="module", params=CASES)
def case(request, corpora):
    """(corpus, its prepare function, its stand-in)."""
    data = make_corpus(request.param, corpora)
    return request.param, preparer(request.param), data


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_neither_seed_nor_order_matters(case, tmp_path, monkeypatch):
    """The same bytes when the system lists folders in another order."""
    _, prepare, data = case
    random.seed(1)
    prepare(data, tmp_path / "a")
    listdir, scandir = os.listdir, os.scandir

    class Shuffled(list):
        """A listing as scandir gives it."""

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def __next__(self):
            if not self:
                raise StopIteration
            return self.pop()

        def __iter__(self):
            return self

        def close(self):
            self.clear()

    def shuffled(entries):
        entries = sorted(entries, key=str)
        random.shuffle(entries)
        return Shuffled(entries)

    random.seed(2)
    monkeypatch.setattr(os, "listdir", lambda *a: list(shuffled(listdir(*a))))
    monkeypatch.setattr(os, "scandir", lambda *a: shuffled(scandir(*a)))
    prepare(data, tmp_path / "b")
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def a_recording(manifests):
    """Where a file that trains lies below the corpus."""
    entry = next(iter(manifests["train"].values()))
    return entry["wav"].removeprefix("{data_root}/")


def test_what_changed_is_noticed(case, tmp_path, caplog):
    """Options, labels, audio: manifests of others are never reused."""
    corpus, prepare, data = case
    changed, reason, labels, counts = CASES[corpus]
    copy, folder = tmp_path / "data", tmp_path / "manifests"
    shutil.copytree(data, copy)

    def said(**options):
        caplog.clear()
        prepare(copy, folder, **options)
        return caplog.text

    assert "because there are none yet" in said()
    first = contents(folder)
    sizes = {name: len(x) for name, x in load_manifests(folder).items()}
    assert counts in (None, sizes)
    assert "the paper's" not in caplog.text  # a stand-in's counts are its own
    assert "are current" in said()
    assert f"because the options changed ({reason})" in said(**changed)
    assert contents(folder) != first
    said()
    assert contents(folder) == first
    if labels:
        path = sorted(copy.glob(labels))[0]
        path.write_bytes(path.read_bytes() + b"\n")
        assert "because the data changed" in said()
    os.utime(copy / a_recording(load_manifests(folder)), (1, 1))
    assert "because the data changed" in said()
    assert contents(folder).keys() == first.keys()
    assert "are current" in said()


def test_audio_that_cannot_be_used(case, tmp_path):
    """It is refused by name, or left out where that many are allowed."""
    corpus, prepare, data = case
    copy, folder = tmp_path / "data", tmp_path / "manifests"
    shutil.copytree(data, copy)
    prepare(copy, tmp_path / "before", max_unusable=0.5)
    manifests = load_manifests(tmp_path / "before")
    path, entries = copy / a_recording(manifests), manifests["train"]
    wav = next(iter(entries.values()))["wav"]
    path.write_bytes(b"RIFF")
    with pytest.raises(ValueError, match="more than max_unusable=0 ") as caught:
        prepare(copy, folder, max_unusable=0)
    assert str(path) in str(caught.value)
    assert not folder.exists()
    prepare(copy, folder, max_unusable=0.5)
    assert load_manifests(folder)["train"] == {
        name: entry for name, entry in entries.items() if entry["wav"] != wav
    }


def test_a_tilde_is_the_home_folder(case, tmp_path, monkeypatch):
    _, prepare, data = case
    monkeypatch.setenv("HOME", str(data.parent))
    monkeypatch.chdir(tmp_path)
    prepare(f"~/{data.name}", tmp_path / "1")
    prepare(data, tmp_path / "2")
    assert contents(tmp_path / "1") == contents(tmp_path / "2")


# Files that preparers read as text; Excel's UTF-16 is read of one's own data.
TEXTS = [
    *(
        (corpus, text)
        for corpus, (_, _, text, _) in CASES.items()
        if text and corpus != "OwnData"
    ),
    ("DAIC-WOZ", "dev_split_Depression_AVEC2017.csv"),
    ("M3ED", "splitInfo/movie_list_val.txt"),
]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
@pytest.mark.parametrize("corpus, text", TEXTS)
def test_texts_in_another_encoding_and_named_pipes(
    corpora, tmp_path, corpus, text
):
    """Each is named at once, and nothing is written."""
    copy = tmp_path / "data"
    shutil.copytree(make_corpus(corpus, corpora), copy)
    path = sorted(copy.glob(text))[0]
    content = path.read_text(encoding="utf-8")
    path.write_text(content, encoding="utf-16")
    with pytest.raises(ValueError, match=f"{path.name}: it is UTF-16"):
        preparer(corpus)(copy, tmp_path / "m")
    path.write_text(content, encoding="utf-8-sig")
    preparer(corpus)(copy, tmp_path / "marked")
    path.unlink()
    os.mkfifo(path)
    signal.alarm(60)  # a pipe that is opened is waited for
    try:
        with pytest.raises((ValueError, OSError), match=path.name):
            preparer(corpus)(copy, tmp_path / "m")
    finally:
        signal.alarm(0)
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("corpus, options, message", REFUSED)
def test_options_out_of_range(tmp_path, corpus, options, message):
    """Before any work: that there is no corpus is not noticed."""
    with pytest.raises(ValueError, match=message):
        preparer(corpus)(tmp_path / "nowhere", tmp_path / "m", **options)


def test_killed_at_any_moment(case, tmp_path):
    """A child process is killed before each change that it makes on disk."""
    _, prepare, data = case
    prepare(data, tmp_path / "whole")
    expected = contents(tmp_path / "whole")
    for step in range(100):
        folder = tmp_path / str(step)
        if _run_and_kill(step, prepare, data, folder) != KILLED:
            break
        prepare(data, folder)  # as the next start of the recipe does
        found = contents(folder)
        assert {name: found[name] for name in expected} == expected
    assert 5 < step < 99, "the kills did not reach from start to end"
    assert contents(folder) == expected


def _run_and_kill(step, prepare, data, folder):
    """Forks; the child dies at its step-th change, without any clean-up."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    remaining = step

    def deadly(function):
        def wrapped(*args, **kwargs):
            nonlocal remaining
            remaining -= 1
            if remaining < 0:
                os._exit(KILLED)
            return function(*args, **kwargs)

        return wrapped

    try:
        for name in ("replace", "remove", "makedirs", "mkdir"):
            setattr(os, name, deadly(getattr(os, name)))
        prepare(data, folder)
    except BaseException:
        os._exit(1)
    os._exit(0)
