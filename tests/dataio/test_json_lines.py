"""Lines of JSON: whole ones only, whoever writes and is killed."""

import multiprocessing

import pytest

from speechbrain_hrf.dataio.json_lines import append_line, read_lines


def _append_many(path, writer):
    for k in range(50):
        append_line(path, {"writer": writer, "k": k, "pad": "x" * 5000})


def test_lines_of_many_processes_stay_whole(tmp_path):
    path = tmp_path / "x.jsonl"
    context = multiprocessing.get_context("spawn")
    writers = [
        context.Process(target=_append_many, args=(path, name))
        for name in range(2)
    ]
    for process in writers:
        process.start()
    for process in writers:
        process.join()
    lines = read_lines(path)
    assert len(lines) == 100
    for writer in range(2):
        assert [x["k"] for x in lines if x["writer"] == writer] == list(
            range(50)
        )


def test_a_torn_last_line_is_named_and_cut_by_the_next(tmp_path, caplog):
    path = tmp_path / "x.jsonl"
    path.write_text('{"a": 1}\n{"a": 2')
    assert read_lines(path) == [{"a": 1}]
    append_line(path, {"a": 3})
    assert read_lines(path) == [{"a": 1}, {"a": 3}]
    assert path.read_text() == '{"a": 1}\n{"a": 3}\n'


def test_the_warning_names_file_and_line(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(
        "speechbrain_hrf.dataio.json_lines.logger.warning",
        lambda text, *values: seen.append(text % values),
    )
    path = tmp_path / "x.jsonl"
    path.write_text('{"a": 1}\n{"a": 2}\n')
    read_lines(path)
    assert seen == []
    path.write_text('{"a": 1}\n{"a"')
    read_lines(path)
    assert "x.jsonl ends within line 2" in seen[0]


def test_damage_within_is_an_error_that_names_the_line(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text('{"a": 1}\n{"a"\n{"a": 3}\n')
    with pytest.raises(ValueError, match=r"x\.jsonl, line 2: not JSON"):
        read_lines(path)


def test_what_does_not_fit_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "x.jsonl"
    append_line(path, {"a": 1})
    with pytest.raises(TypeError):
        append_line(path, {"a": object()})
    with pytest.raises(ValueError, match="not JSON compliant"):
        append_line(path, {"a": float("inf")})
    assert read_lines(path) == [{"a": 1}]
