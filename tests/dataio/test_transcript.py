"""Times and speakers are read, words never come out; windows follow the rule.

Authors
 * The speechbrain_hrf authors 2026
"""

from decimal import Decimal

import numpy as np
import pytest

from speechbrain_hrf.dataio.sound.audio_files import UnusableAudio
from speechbrain_hrf.dataio.transcript import (
    cut_windows,
    read_transcript,
    remove_gap,
)

HEADER = "start_time\tstop_time\tspeaker\tvalue"
SECRET = "sentinelword"
ROWS = [
    f"1.5\t2.25\tEllie\t{SECRET} and {SECRET}",
    f"2.0\t3\tParticipant\t{SECRET}",
    "3.5\t4.000\tParticipant\t<laughter> <sniffle>",
    "4.5\t5.0\tParticipant\t<sync>",
    f"5.5\t6.0\tParticipant\t<laughter> {SECRET}",
]


def write(path, lines, end="\n"):
    path.write_bytes((end.join(lines) + end).encode())
    return path


@pytest.fixture
def path(tmp_path):
    return tmp_path / "300_TRANSCRIPT.csv"


def test_rows_are_read(path):
    rows = read_transcript(write(path, [HEADER, *ROWS]))
    assert SECRET in path.read_text() and SECRET not in repr(rows)
    assert [row.line for row in rows] == [2, 3, 4, 5, 6]
    times = [(row.start, row.stop) for row in rows[:3]]
    assert times == [
        (Decimal("1.5"), Decimal("2.25")),
        (Decimal("2.0"), Decimal("3")),
        (Decimal("3.5"), Decimal("4.000")),
    ]
    speakers = [row.speaker for row in rows]
    assert speakers == ["ellie"] + ["participant"] * 4
    assert [row.only_tags for row in rows] == [0, 0, 1, 1, 0]
    assert [row.sync for row in rows] == [0, 0, 0, 1, 0]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("tail", [[], ["", ""], ["   ", "\t\t\t", ""]])
def test_line_ends_and_blank_lines(path, end, tail):
    expected = read_transcript(write(path, [HEADER, *ROWS]))
    assert read_transcript(write(path, [HEADER, *ROWS, *tail], end)) == expected
    path.write_bytes(path.read_bytes().rstrip())  # no end of the last line
    assert read_transcript(path) == expected


def test_blank_lines_count_in_line_numbers(path):
    write(path, ["", HEADER, "", ROWS[0]])
    assert [row.line for row in read_transcript(path)] == [4]


def test_odd_bytes_quotes_and_missing_words(path):
    lines = [
        HEADER.upper(),
        '1\t2\tPARTICIPANT \t"an open quote',
        "3\t4\tparticipant\ttab\tin the words",
        "5\t6\tParticipant",
        "7\t8\tParticipant\t",
        "9\t10\tsomebody\twords",
    ]
    content = "\n".join(lines).encode().replace(b"open", b"\xff\x93\x85")
    path.write_bytes(b"\xef\xbb\xbf" + content)
    rows = read_transcript(path)
    assert [row.speaker for row in rows] == ["participant"] * 4 + [""]
    assert not any(row.only_tags or row.sync for row in rows)


MALFORMED = [
    f"{SECRET}",
    "1.5\t2.5",
    f"1.5\t{SECRET}\tParticipant\t{SECRET}",
    f"-1.5\t2.5\tParticipant\t{SECRET}",
    f"1,5\t2.5\tParticipant\t{SECRET}",
    f"nan\t2.5\tParticipant\t{SECRET}",
    f"1e3\t1e4\tParticipant\t{SECRET}",
    f"\t2.5\tParticipant\t{SECRET}",
    f"1.5 2.5 Participant {SECRET}",
]


@pytest.mark.parametrize("row", MALFORMED)
def test_malformed_rows_are_named_and_not_quoted(path, row):
    write(path, [HEADER, ROWS[0], "", row, ROWS[1]], "\r\n")
    with pytest.raises(ValueError) as caught:
        read_transcript(path)
    # An interview that is unusable may be left out; a wrong row may not.
    assert not isinstance(caught.value, UnusableAudio)
    message = str(caught.value)
    assert f"{path}, line 4:" in message and "Expected" in message
    assert SECRET not in message
    # Nor in what Python shows above it: an error that this one came from.
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [""],
        [ROWS[0]],
        [f"{SECRET}\t{HEADER}"],
        [HEADER.replace("\t", ",")],
        ["start_time\tstop_time\tvalue\tspeaker"],
    ],
)
def test_another_header_is_refused(path, lines):
    write(path, lines)
    with pytest.raises(UnusableAudio, match="line 1: |nothing in") as caught:
        read_transcript(path)
    assert caught.value.path == str(path)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("order", ["utf-16", "utf-16-be"])
def test_utf_16_is_named_and_not_quoted(path, order):
    mark = b"" if order == "utf-16" else b"\xfe\xff"
    path.write_bytes(mark + "\n".join([HEADER, *ROWS]).encode(order))
    with pytest.raises(UnusableAudio, match="UTF-16: save it as") as caught:
        read_transcript(path)
    assert SECRET not in str(caught.value)


def expand(ranges):
    """All samples of ranges, one by one."""
    return [sample for start, stop in ranges for sample in range(start, stop)]


@pytest.mark.parametrize("seed", range(20))
def test_windows_are_those_of_the_joined_samples(seed):
    rng = np.random.default_rng(seed)
    starts = rng.integers(0, 300, 12)
    ranges = [(int(a), int(a + rng.integers(1, 20))) for a in starts]
    joined = expand(ranges)
    length, hop = (10, 9) if seed % 2 else (7, 12)
    found = [expand(window) for window in cut_windows(ranges, length, hop)]
    count = (len(joined) - length) // hop + 1
    assert found == [joined[k * hop : k * hop + length] for k in range(count)]


@pytest.mark.parametrize("seed", range(20))
def test_a_gap_is_taken_out(seed):
    rng = np.random.default_rng(seed)
    ranges = [(int(a), int(a + 1 + rng.integers(9))) for a in range(0, 60, 5)]
    gap = sorted(rng.integers(0, 70, 2).tolist())
    kept = [x for x in expand(ranges) if not gap[0] <= x < gap[1]]
    assert expand(remove_gap(ranges, gap)) == kept
    assert all(start < stop for start, stop in remove_gap(ranges, gap))


@pytest.mark.parametrize(
    "words, sync",
    [
        *((x, True) for x in ("<sync>", "<synch>", "[sync]", "[Synch] ")),
        *((x, True) for x in ("<sync.", "<sync.>", "[syncing]", "< sync >")),
        *((x, False) for x in ("sync", "<laughter>", "<sync> yes")),
    ],
)
def test_sync_marks(path, words, sync):
    """A mark is typed in many ways; with words beside it, it is speech."""
    row = read_transcript(write(path, [HEADER, f"1\t2\tEllie\t{words}"]))[0]
    assert row.sync == sync
    assert row.only_tags == (row.sync or words == "<laughter>")
