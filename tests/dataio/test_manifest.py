"""Manifests are written whole, and reused only when nothing changed.

Authors
 * The speechbrain_hrf authors 2026
"""

import json
import os
import signal

import pytest

from speechbrain_hrf import files
from speechbrain_hrf.dataio import manifest
from speechbrain_hrf.dataio.manifest import (
    count_table,
    fingerprint,
    stale_reason,
    write_manifests,
)

ENTRY = {"wav": "{data_root}/a.wav", "duration": 1.0, "emo": "sad"}
OLD = {"train": {"a": ENTRY}, "valid": {"b": ENTRY}, "test": {"c": ENTRY}}
NEW = {"train": {"a": ENTRY, "b": ENTRY}, "test": {"c": ENTRY}}


@pytest.fixture
def data(tmp_path):
    """A data folder with two audio files and a label file."""
    folder = tmp_path / "data"
    (folder / "deep").mkdir(parents=True)
    for name in "a.wav", "deep/b.wav", "labels.txt":
        (folder / name).write_text(name)
    return folder


def made_from(data, **options):
    return fingerprint(
        {"protocol": "paper", **options},
        data,
        files=[data / "a.wav", data / "deep" / "b.wav"],
        label_files=[data / "labels.txt"],
    )


def is_current(folder, names, made_from):
    return stale_reason(folder, names, made_from) is None


def test_written_and_found_current(tmp_path, data):
    folder = tmp_path / "manifests"
    assert stale_reason(folder, NEW, made_from(data)) == "there are none yet"
    write_manifests(folder, NEW, made_from(data))
    assert is_current(folder, NEW, made_from(data))
    assert json.loads((folder / "train.json").read_text()) == NEW["train"]
    names = {path.name for path in folder.iterdir()}
    assert names == {"train.json", "test.json", "fingerprint.json"}


def test_bytes_do_not_depend_on_the_order(tmp_path):
    one = {"a": ENTRY, "b": dict(reversed(ENTRY.items()))}
    other = {"b": ENTRY, "a": ENTRY}
    write_manifests(tmp_path / "1", {"train": one}, {"options": {}})
    write_manifests(tmp_path / "2", {"train": other}, {"options": {}})
    for name in "train.json", "fingerprint.json":
        first, second = (tmp_path / part / name for part in "12")
        assert first.read_bytes() == second.read_bytes()


def test_options_are_named_when_they_changed(tmp_path, data):
    write_manifests(tmp_path, OLD, made_from(data, fold=1))
    reason = stale_reason(tmp_path, OLD, made_from(data, fold=2))
    assert reason == "the options changed (fold: 1 -> 2)"
    reason = stale_reason(tmp_path, OLD, made_from(data))
    assert reason == "the options changed (fold: 1 -> None)"


@pytest.mark.parametrize("options", [{"folds": (1, 2)}, {"share": 0.1}])
def test_options_survive_json(tmp_path, data, options):
    write_manifests(tmp_path, OLD, made_from(data, **options))
    assert is_current(tmp_path, OLD, made_from(data, **options))


def change_size(data):
    (data / "a.wav").write_text("longer than before")


def change_time(data):
    os.utime(data / "deep" / "b.wav", (1, 1))


def remove(data):
    (data / "a.wav").unlink()


def change_label(data):
    # Neither size nor time shows it.
    stat = (data / "labels.txt").stat()
    (data / "labels.txt").write_text("LABELS.TXT")
    os.utime(data / "labels.txt", ns=(stat.st_atime_ns, stat.st_mtime_ns))


@pytest.mark.parametrize(
    "change", [change_size, change_time, remove, change_label]
)
def test_changed_data_is_seen(tmp_path, data, change):
    write_manifests(tmp_path / "m", OLD, made_from(data))
    change(data)
    reason = stale_reason(tmp_path / "m", OLD, made_from(data))
    assert reason == "the data changed"


def test_the_fingerprint_ignores_the_order_and_the_place(tmp_path, data):
    before = made_from(data)
    files = [data / "deep" / "b.wav", data / "a.wav"]
    labels = [data / "labels.txt"]
    assert fingerprint({"protocol": "paper"}, data, files, labels) == before
    moved = data.rename(tmp_path / "elsewhere")
    assert made_from(moved) == before


@pytest.mark.parametrize("name", ["train", "test"])
def test_a_manifest_that_was_touched_is_not_current(
    tmp_path, data, name, monkeypatch
):
    write_manifests(tmp_path, OLD, made_from(data))
    write_manifests(tmp_path, NEW, made_from(data))
    assert not (tmp_path / "valid.json").exists()  # of earlier options
    assert "valid.json" in stale_reason(tmp_path, OLD, made_from(data))
    with monkeypatch.context() as context:
        context.setattr(manifest, "FORMAT", manifest.FORMAT + 1)
        assert "version" in stale_reason(tmp_path, NEW, made_from(data))
    (tmp_path / f"{name}.json").write_text("{}")
    reason = stale_reason(tmp_path, NEW, made_from(data))
    assert reason == f"{name}.json is missing or was changed"
    (tmp_path / f"{name}.json").unlink()
    assert not is_current(tmp_path, NEW, made_from(data))


BROKEN = [
    *("", "[]", "{}", '{"made_from": 1}', "{", '{"made_from":' * 10**5),
    '{"made_from": {"options": {}}, "manifests": null}',
    '{"made_from": {"options": {}}, "manifests": "train"}',
]


@pytest.mark.parametrize("content", BROKEN)
def test_a_broken_fingerprint_is_not_current(tmp_path, data, content):
    write_manifests(tmp_path, NEW, made_from(data))
    (tmp_path / "fingerprint.json").write_text(content)
    assert "fingerprint.json" in stale_reason(tmp_path, NEW, made_from(data))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_named_pipes_are_not_waited_for(tmp_path, data):
    write_manifests(tmp_path, NEW, made_from(data))
    (data / "labels.txt").unlink()
    os.mkfifo(data / "labels.txt")
    signal.alarm(20)
    try:
        assert stale_reason(tmp_path, NEW, made_from(data)) == (
            "the data changed"
        )
        write_manifests(tmp_path, NEW, made_from(data))
        for name in "test.json", "fingerprint.json":
            (tmp_path / name).unlink()
            os.mkfifo(tmp_path / name)
            assert name in stale_reason(tmp_path, NEW, made_from(data))
    finally:
        signal.alarm(0)
    write_manifests(tmp_path, NEW, made_from(data))
    assert is_current(tmp_path, NEW, made_from(data))


@pytest.mark.skipif(os.name == "nt", reason="names are UTF-16 there")
def test_names_may_hold_bytes_that_are_no_utf_8(tmp_path, data):
    name = os.fsdecode(b"caf\xe9.wav")
    (data / name).write_text("")
    labels = [data / name]
    made = fingerprint({}, data, [data / name, data / "no\0name"], labels)
    written = {"train": {name: {**ENTRY, "wav": f"{{data_root}}/{name}"}}}
    write_manifests(tmp_path, written, made)
    assert is_current(tmp_path, written, made)
    read = json.loads((tmp_path / "train.json").read_text(encoding="utf-8"))
    assert read == written["train"]
    (data / name).write_text("longer")
    assert fingerprint({}, data, [data / name]) != made


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a forked process")
def test_killed_at_any_moment(tmp_path, data):
    """Dies before each change to the disk in turn, and looks what is left."""
    old, new = made_from(data, fold=1), made_from(data, fold=2)
    moments = 0
    while True:
        folder = tmp_path / str(moments)
        write_manifests(folder, OLD, old)
        finished = dies_before_change(moments, folder, new)

        assert is_current(folder, NEW, new) == finished
        # Only when killed before the first change are the old ones whole.
        assert is_current(folder, OLD, old) == (moments == 0)
        if not finished and moments > 0:
            reason = stale_reason(folder, NEW, new)
            assert reason == "the last preparation did not finish"
        write_manifests(folder, NEW, new)  # and it recovers
        assert is_current(folder, NEW, new)
        assert not list(folder.glob(".*"))
        if finished:
            break
        moments += 1
    # Fingerprint and valid.json removed, three files opened and put in place.
    assert moments == 8


def dies_before_change(moments, folder, new):
    """Whether a process that may change the disk so often got to the end."""
    child = os.fork()
    if child == 0:
        countdown = iter(range(moments))

        def dying(call):
            def changed(*args):
                if next(countdown, None) is None:
                    os._exit(1)
                return call(*args)

            return changed

        try:
            os.replace, os.remove = dying(os.replace), dying(os.remove)
            files.open = dying(open)
            write_manifests(folder, NEW, new)
            os._exit(0)
        finally:  # an error must not bring a second pytest to life
            os._exit(2)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == 0


def test_an_unwritable_folder_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    for folder in tmp_path / "file", tmp_path / "file" / "below":
        with pytest.raises(OSError, match="give a folder") as caught:
            write_manifests(folder, NEW, {"options": {}})
        assert str(folder) in str(caught.value)


def test_counts_are_aligned():
    manifests = {
        "train": {str(index): {"emo": "neu"} for index in range(1324)},
        "test": {},
    }
    lines = count_table(manifests, ["neu", "hap"]).splitlines()
    assert [line.split() for line in lines] == [
        ["neu", "hap", "total"],
        ["train", "1324", "0", "1324"],
        ["test", "0", "0", "0"],
    ]
    assert len({len(line) for line in lines}) == 1
