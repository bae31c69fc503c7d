"""The table of docs/faults.md: rows that were not run again stay."""

import pathlib
import shlex

import tally

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "faults.md"


def test_rows_are_replaced_or_stay(tmp_path):
    page = tmp_path / "faults.md"
    page.write_text(f"above\n{tally.START}\n{tally.END}\nbelow\n")
    tally.write(page, {"disk": {"tried": 1234, "lost": 1}})
    tally.write(page, {"gone": {"tried": 4, "lost": 0}})
    tally.write(page, {"disk": {"tried": 9, "lost": 0}})
    text = page.read_text()
    assert tally.read(text) == {
        "disk": {"tried": 9, "lost": 0},
        "gone": {"tried": 4, "lost": 0},
    }
    assert text.startswith("above\n") and text.endswith("\nbelow\n")


def test_each_row_of_the_page_names_tests_that_there_are():
    text = PAGE.read_text(encoding="utf-8")
    assert set(tally.read(text)) == set(tally.PARTS)
    for _, tests in tally.PARTS.values():
        file, *options = shlex.split(tests)
        content = PAGE.parents[1].joinpath("tests/faults", file).read_text()
        assert f"`{tally.COMMAND}{tests}`" in text
        assert all(x in content for x in options if x != "-k")
