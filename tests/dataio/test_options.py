"""Options of the wrong kind are refused, whatever Python would make of them.

Authors
 * The speechbrain_hrf authors 2026
"""

import pytest

from speechbrain_hrf.dataio.options import (
    check_choice,
    check_number,
    check_share,
)


@pytest.mark.parametrize("value", [0, 1, 0.5, 1.0])
def test_shares(value):
    check_share(value)


@pytest.mark.parametrize(
    "value", [-0.1, 1.1, float("nan"), "0.1", None, True, False, [0.1]]
)
def test_no_shares(value):
    with pytest.raises(ValueError, match="max_unusable is a share, a number"):
        check_share(value)


@pytest.mark.parametrize("value", [0, 6, 1.0, True, "1", None, [1]])
def test_no_numbers(value):
    check_number("fold", 1, 5)
    check_number("fold", 5, 5)
    with pytest.raises(ValueError, match="fold is a whole number, 1 to 5, not"):
        check_number("fold", value, 5)


@pytest.mark.parametrize("value", ["c", None, ["a"], "", 0])
def test_no_choices(value):
    check_choice("protocol", "a", {"a": 1, "b": 2})
    with pytest.raises(ValueError, match="protocol is one of a, b, not"):
        check_choice("protocol", value, {"a": 1, "b": 2})
