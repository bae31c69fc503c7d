"""What only looks like a file is named, and nobody opens it."""

import os
import socket

import pytest

from speechbrain_hrf.dataio.sound.audio_files import check_file, check_kind
from speechbrain_hrf.dataio.text_file import read_text
from speechbrain_hrf.files import read_lines
from speechbrain_hrf.regular_file import why_no_file
from speechbrain_hrf.runtime.audio import open_file
from speechbrain_hrf.yaml_text import read_yaml_text


def bind(path):
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(path.name)  # a path may have no more than 100 characters


KINDS = {
    "a folder": lambda path: path.mkdir(),
    "a named pipe": os.mkfifo,
    "a socket": bind,
    "a device": lambda path: path.symlink_to("/dev/zero"),
}
READERS = [
    *(check_file, check_kind, read_text, read_lines, read_yaml_text),
    lambda path: open_file(path).__enter__(),
]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
@pytest.mark.parametrize("what", KINDS)
def test_no_reader_opens_it(tmp_path, monkeypatch, what):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "x"
    KINDS[what](path)
    assert why_no_file(path) == f"it is {what}, no file"
    monkeypatch.setattr("builtins.open", None)
    monkeypatch.setattr("pathlib.Path.open", None)
    for read in READERS:
        with pytest.raises(ValueError, match=f"x: it is {what}, no file"):
            read(path)


def test_files_and_links_to_them_are_files(tmp_path):
    (tmp_path / "a").write_text("")
    (tmp_path / "b").symlink_to("a")
    (tmp_path / "c").symlink_to("c")
    for name in ("a", "b", "c", "nowhere"):
        assert why_no_file(tmp_path / name) is None
