"""Text files of a corpus are read, or refused by name and at once.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import signal

import pytest

from speechbrain_hrf.dataio.text_file import quote, read_text, shorten

TEXT = "[6.29 - 8.24]\tSes01F_impro01_F000\tneu\r\n合成"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_byte_order_mark_is_passed_over(tmp_path, encoding):
    path = tmp_path / "a.txt"
    path.write_bytes(TEXT.encode(encoding))
    assert read_text(path) == TEXT


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("errors", ["strict", "replace"])
def test_utf_16_is_refused(tmp_path, encoding, errors):
    path = tmp_path / "a.txt"
    path.write_bytes(TEXT.encode(encoding))
    with pytest.raises(ValueError) as caught:
        read_text(path, errors)
    assert str(caught.value) == f"{path}: it is UTF-16: save it as UTF-8"


def test_other_bytes_are_refused_or_replaced(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"na\xefve")
    with pytest.raises(ValueError, match="byte 2: this is no UTF-8") as caught:
        read_text(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert read_text(path, errors="replace") == "na\ufffdve"


def _folder(path):
    path.mkdir()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
@pytest.mark.parametrize(
    "make, reason",
    [
        (os.mkfifo, "it is a named pipe, no file: put"),
        (_folder, "it is a folder"),
        (lambda path: None, r"cannot be read \(No such file"),
        (lambda path: path.symlink_to("/dev/zero"), "it is a device"),
    ],
)
def test_only_regular_files_are_opened(tmp_path, make, reason):
    path = tmp_path / "a.txt"
    make(path)
    signal.alarm(20)  # a pipe that is opened is waited for
    try:
        with pytest.raises(ValueError, match=reason) as caught:
            read_text(path)
    finally:
        signal.alarm(0)
    assert str(caught.value).startswith(f"{path}: ")


def test_messages_are_short_whatever_was_read():
    assert quote("neu") == "'neu'" and shorten("neu") == "neu"
    assert len(quote("x" * 10**7)) == 80
    assert len(shorten("x" * 10**7)) == 83
    nested = []
    for _ in range(10**5):
        nested = [nested]
    assert quote(nested) == "[[[[[[[...]]]]]]]"
