"""YAML is text, or refused in a sentence that names the file."""

import os
import signal

import pytest
from ruamel.yaml import YAML

from speechbrain_hrf.yaml_text import explain_yaml, read_yaml_text

LAUGHS = "a0: &a0 [l, l, l, l, l, l, l, l, l, l]\n" + "".join(
    f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 10)}]\n" for k in range(1, 10)
)


def test_a_byte_order_mark_and_aliases_are_read(tmp_path):
    path = tmp_path / "a.yaml"
    text = "a: &x [1, 2]\r\nb: [*x, *x]  # é\r\n"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert read_yaml_text(path) == text


@pytest.mark.parametrize(
    "content, reason",
    [
        (b"a: [1", r"is not valid YAML \(line 1: expected"),
        (b"a: \x00", r"is not valid YAML \(special characters are not allow"),
        (b"a: *b", r"is not valid YAML \(line 1: found undefined alias"),
        (b"\xff\xfea\0", "it is UTF-16: save it as UTF-8"),
        (b"a: \xe9", "byte 3: this is no UTF-8"),
        (b"[" * 10**4, r"is not valid YAML \(it is nested too deeply\)"),
        (LAUGHS.encode(), "has more than 1,000,000 values, by aliases"),
        (b"a: &a [*a]", "has more than 1,000,000 values, by aliases"),
        (b"a: *" + b"b" * 10**5, "found undefined alias 'bbb.*correct or rest"),
    ],
)
def test_what_is_none_is_refused_by_name(tmp_path, content, reason):
    path = tmp_path / "a.yaml"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=reason) as caught:
        read_yaml_text(path)
    said = str(caught.value)
    assert said.startswith(str(path)) and "\n" not in said
    assert len(said) < len(str(path)) + 300


def test_a_named_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.yaml")
    signal.alarm(20)
    try:
        with pytest.raises(ValueError, match="a.yaml: it is a named pipe"):
            read_yaml_text(tmp_path / "a.yaml")
    finally:
        signal.alarm(0)


def test_what_names_the_file_already_stays_as_it_is():
    with pytest.raises(ValueError, match=r"^a\.yaml, key b: odd$"):
        with explain_yaml("a.yaml"):
            raise ValueError("a.yaml, key b: odd")
    with pytest.raises(ValueError, match=r"a\.yaml .*line 2: found duplicate"):
        with explain_yaml("a.yaml"):
            YAML(typ="safe").load("a: 1\na: 2")
