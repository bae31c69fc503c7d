"""JSON is read as it was meant, or refused in a sentence."""

import json

import pytest

from speechbrain_hrf.strict_json import parse_json


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
def test_json_is_what_python_makes_of_it(start):
    content = b' {"a": [1, 2.5, null, {"b": "\\u00e9"}], "c": NaN}\r\n'
    found = parse_json(start + content, "a.json", "Mend it.")
    assert json.dumps(found) == json.dumps(json.loads(content))


@pytest.mark.parametrize(
    "content, reason",
    [
        (b"", "Expecting value"),
        (b"\xef\xbb\xbf\xef\xbb\xbf{}", "Expecting value|BOM"),
        (b'{"a": 1, "a": 1}', "'a' stands there twice"),
        (b'[{"%s": 1, "%s": 1}]' % (b"a" * 10**6, b"a" * 10**6), "'aaa.*twice"),
        (b"[" * 10**5, "nested too deeply"),
        (b'["\xe9"]', "byte 2 is no UTF-8"),
        ("[1]".encode("utf-16"), "byte 0 is no UTF-8"),
        (b"[" + b"9" * 5000 + b"]", "limit .4300"),
    ],
)
def test_what_is_none_is_refused_by_name(content, reason):
    said = rf"^a\.json is not valid JSON \(.*({reason}).*\)\. Mend it\.$"
    with pytest.raises(ValueError, match=said) as caught:
        parse_json(content, "a.json", "Mend it.")
    assert type(caught.value) is ValueError
    assert len(str(caught.value)) < 300
