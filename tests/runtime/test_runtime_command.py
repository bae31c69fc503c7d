"""python -m speechbrain_hrf.runtime

Authors
 * The speechbrain_hrf authors 2026
"""

import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import types

import numpy as np
import pytest
import soundfile

from speechbrain_hrf.runtime import Classifier, Result
from speechbrain_hrf.runtime.__main__ import main
from speechbrain_hrf.runtime.output import Output


@pytest.fixture(scope="module")
def sounds(tmp_path_factory):
    """Some recordings, one of them damaged, in folders."""
    top = tmp_path_factory.mktemp("sounds")
    (top / "deep" / "er").mkdir(parents=True)
    noise = 0.1 * np.random.default_rng(0).standard_normal(30000)
    soundfile.write(top / "a.wav", noise, 16000)
    soundfile.write(top / "deep" / "er" / "b.WAV", noise, 8000)
    soundfile.write(top / "deep" / "c.flac", noise[:4000], 16000)
    (top / "deep" / "broken.wav").write_bytes(b"RIFF, but nothing else")
    (top / "deep" / "notes.txt").write_text("no sound")
    return top


@pytest.fixture
def run(onnx_folder, capsys):
    """Runs the command here; gives its status, output and errors."""

    def run(*arguments):
        status = main([str(onnx_folder), *map(str, arguments)])
        return status, *capsys.readouterr()

    return run


def test_a_file_gives_one_result(run, sounds, onnx_folder):
    """That of the whole file."""
    status, output, errors = run(sounds / "a.wav")
    samples, rate = soundfile.read(sounds / "a.wav", dtype="float32")
    result = Classifier(onnx_folder)(samples, rate)
    assert (status, errors) == (0, "")
    assert (
        output
        == f"{sounds / 'a.wav'}: {result.label} {result.probability:.1%}\n"
    )


def test_a_damaged_file_among_many(run, sounds):
    """Is reported; the others go on; folders are searched."""
    status, output, errors = run(sounds / "nowhere.wav", sounds)
    names = [line.partition(": ")[0] for line in output.splitlines()]
    found = [os.path.relpath(name, sounds) for name in names]
    assert found == ["a.wav", "deep/c.flac", "deep/er/b.WAV"]
    assert status == 1
    first, second = errors.splitlines()
    assert first.endswith("nowhere.wav: No such file or directory")
    assert second.endswith("broken.wav: it is no WAV file")


def test_json_lines_and_csv(run, sounds):
    """The same fields, the same numbers."""
    paths = sounds / "a.wav", sounds / "deep" / "c.flac"
    _, output, _ = run(*paths, "--format", "jsonl")
    lines = [json.loads(line) for line in output.splitlines()]
    _, output, _ = run(*paths, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(output)))
    assert [line["file"] for line in lines] == list(map(str, paths))
    for line, row in zip(lines, rows, strict=True):
        scores = line.pop("log_probabilities")
        assert max(scores, key=scores.get) == line["label"]
        for label, score in scores.items():
            assert float(row.pop(f"log_probability:{label}")) == score
        assert line.pop("seconds") > 0 and float(row.pop("seconds")) > 0
        assert {key: str(value) for key, value in line.items()} == row
        assert set(row) == {"file", "label", "probability"}


@pytest.mark.parametrize("combine", ["mean", "majority", "none"])
def test_stream(run, sounds, onnx_folder, combine):
    """The results of Classifier.stream, one line each."""
    options = ["--stream", "--window", "1", "--hop", "0.5"]
    options += ["--combine", combine, "--format", "jsonl"]
    status, output, _ = run(sounds / "a.wav", *options)
    lines = [json.loads(line) for line in output.splitlines()]
    samples, rate = soundfile.read(sounds / "a.wav", dtype="float32")
    expected = list(
        Classifier(onnx_folder).stream(
            [samples], rate, 1, 0.5, None if combine == "none" else combine
        )
    )
    assert status == 0 and len(lines) == 4
    for line, window in zip(lines, expected, strict=True):
        assert line["log_probabilities"] == window.log_probabilities
        assert (line["start"], line["stop"]) == (window.start, window.stop)
        if combine == "none":
            assert "combined_label" not in line
        else:
            assert line["combined_label"] == window.combined.label
    _, output, _ = run(sounds / "a.wav", "--stream")
    assert "a.wav: 0.00-0.50 s: " in output and "%, so far " in output
    _, output, _ = run(sounds, "--stream", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(output)))
    assert len({row["file"] for row in rows}) == 3
    assert all(None not in row and None not in row.values() for row in rows)
    assert list(rows[0])[:3] == ["file", "start", "stop"]


@pytest.mark.parametrize("options", [[], ["--stream"]])
def test_standard_input(run, sounds, monkeypatch, options):
    """WAV, or bare samples of a given kind: what the file gives."""
    path = sounds / "deep" / "er" / "b.WAV"
    _, expected, _ = run(path, *options)
    samples, _ = soundfile.read(path, dtype="int16")
    wider = np.repeat(samples.astype("<i4") << 16, 2)
    bare = ["--rate", "8000"]
    for content, more in [
        (path.read_bytes(), []),
        (samples.astype("<i2").tobytes(), bare),
        (
            wider.tobytes(),
            [*bare, "--channels", "2", "--encoding", "s32le"],
        ),
    ]:
        stdin = types.SimpleNamespace(
            buffer=io.BufferedReader(io.BytesIO(content))
        )
        monkeypatch.setattr(sys, "stdin", stdin)
        status, output, errors = run("-", *more, *options)
        assert (status, errors) == (0, "")
        assert output.replace("-: ", f"{path}: ", 1) == expected.replace(
            f"\n{path}: ", "\n-: "
        )


def test_nothing_to_hear(run, sounds, monkeypatch, tmp_path):
    """Empty input, an empty folder, NaN: each is told."""
    for content, more, says in [
        (b"", [], "-: The waveform is empty"),
        (b"", ["--stream"], "-: The stream ended before its first sample"),
        # One that signals: numpy warns of it, unless it is told not to.
        (b"\1\0\xa0\x7f", ["--encoding", "f32le"], "-: The waveform holds NaN"),
    ]:
        stdin = types.SimpleNamespace(
            buffer=io.BufferedReader(io.BytesIO(content))
        )
        monkeypatch.setattr(sys, "stdin", stdin)
        status, output, errors = run("-", *more)
        assert (status, output) == (1, "")
        assert errors.startswith(f"Error: {says}")
    monkeypatch.setattr(sys, "stdin", None)  # as Python has it after <&-
    assert run("-") == (1, "", "Error: standard input: it is closed\n")
    status, _, errors = run(tmp_path)
    assert status == 1 and "no file in this folder ends in .wav" in errors


def test_a_cut_off_file_is_used_with_a_warning(run, sounds, tmp_path):
    """On standard error, where it does not disturb the results."""
    path = tmp_path / "cut.wav"
    path.write_bytes((sounds / "a.wav").read_bytes()[:20044])
    status, output, errors = run(path)
    assert status == 0 and len(output.splitlines()) == 1
    assert errors == (
        f"Warning: {path} is cut off: 10000 of 30000 samples are there, "
        "and used.\n"
    )


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_only_files_of_a_folder_are_opened(run, sounds, tmp_path):
    """A named pipe would let the command wait for ever; m4a is told of."""
    shutil.copy(sounds / "a.wav", tmp_path / "b.wav")
    os.mkfifo(tmp_path / "a.wav")
    (tmp_path / "c.wav").symlink_to("/dev/zero")
    (tmp_path / "d.m4a").write_bytes(bytes(4) + b"ftypM4A " + bytes(40))
    status, output, errors = run(tmp_path)
    assert status == 1 and len(output.splitlines()) == 1
    first, second, third = errors.splitlines()
    assert first.endswith("a.wav: it is a named pipe, no file")
    assert second.endswith("c.wav: it is a device, no file")
    assert "d.m4a: it is MPEG-4 (m4a, mp4), which cannot be read" in third


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
@pytest.mark.parametrize("name", ["a.wav", "deep/c.flac"])
def test_a_pipe_that_is_asked_for(run, sounds, tmp_path, name):
    """As shells make them of <(command): what the file gives."""
    _, expected, _ = run(sounds / name)
    os.mkfifo(tmp_path / "pipe")
    content = (sounds / name).read_bytes()
    writer = threading.Thread(
        target=(tmp_path / "pipe").write_bytes, args=(content,)
    )
    writer.start()
    status, output, errors = run(tmp_path / "pipe")
    writer.join()
    assert (status, errors) == (0, "")
    assert output.partition(": ")[2] == expected.partition(": ")[2]


def test_odd_names(run, sounds, tmp_path):
    """A line of text each, valid JSON and CSV, in ASCII too."""
    names = [
        "new\nline.wav",
        'comma, "quote".wav',
        "\u00fc\u65e5.wav",
        "\udcff.wav",
    ]
    paths = sorted(os.path.join(tmp_path, name) for name in names)
    for path in paths:
        try:
            os.link(sounds / "a.wav", path)
        except OSError as error:
            pytest.skip(f"this file system has no such names: {error}")
    _, output, _ = run(*paths, "--format", "jsonl")
    assert output.isascii()
    lines = [json.loads(line) for line in output.splitlines()]
    assert [line["file"] for line in lines] == paths
    _, output, _ = run(*paths[:-1], "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(output, newline="")))
    assert [row["file"] for row in rows] == paths[:-1]
    _, output, _ = run(*paths)
    assert len(output.splitlines()) == len(names)
    assert "new\\nline.wav: " in output and "\u00fc\u65e5.wav: " in output


def test_labels_of_a_stranger(capsys):
    """No line of their own, and no commands to the terminal."""
    label = "sad\n\x1b[2Jother.wav: happy"
    result = Result(label, 0, 1.0, {label: 0.0}, 0.01)
    Output("text").write("a.wav", result)
    said = capsys.readouterr().out
    assert said == "a.wav: sad\\n\\x1b[2Jother.wav: happy 100.0%\n"


def test_too_little_memory(run, sounds):
    """For a window of a year: the error says so, and the next file's turn
    comes.
    """
    options = ["--stream", "--window", "1e12"]
    status, output, errors = run(sounds / "a.wav", "nowhere.wav", *options)
    assert (status, output) == (1, "")
    first, second = errors.splitlines()
    assert "too little memory" in first and "shorter --window" in first
    assert "nowhere.wav" in second


@pytest.mark.parametrize(
    "arguments, says",
    [
        (["a.wav", "--hop", "1"], "--hop: only with --stream"),
        (["a.wav", "--combine", "mean"], "--combine: only with --stream"),
        (["a.wav", "--rate", "8000"], "--rate: only with - as input"),
        (["-", "-"], "- can be read once"),
        (["-", "--channels", "0"], "--channels: 0: give 1 or more"),
        (["-", "--rate", "0"], "--rate: 0: The sample rate is 0"),
        (["a.wav", "--threads", "0"], "--threads: 0: give 1 or more"),
        (["a.wav", "--stream", "--hop", "0"], "--hop: 0: give seconds"),
        (["a.wav", "--stream", "--hop", "nan"], "--hop: nan: give seconds"),
        (["a.wav", "--stream", "--window", "-1"], "--window: -1: give sec"),
        ([], "required: input"),
    ],
)
def test_wrong_arguments(run, capsys, arguments, says):
    """Status 2, as argparse has it."""
    with pytest.raises(SystemExit) as ended:
        run(*arguments)
    assert ended.value.code == 2
    assert says in capsys.readouterr().err


HRF = "import sys; from speechbrain_hrf.cli import main; sys.exit(main())"
FORMS = {  # as setup.py's entry point has it, and as a module
    "hrf": ["-c", HRF, "classify"],
    "module": ["-m", "speechbrain_hrf.runtime"],
}


def start(onnx_folder, *arguments, form="hrf", stdout=subprocess.PIPE):
    """The command in a process of its own, fed from a pipe."""
    return subprocess.Popen(
        [sys.executable, *FORMS[form], *map(str, (onnx_folder, *arguments))],
        stdin=subprocess.PIPE,
        stdout=stdout,
        stderr=subprocess.PIPE,
        bufsize=0,
    )


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("end", ["reader goes", "Ctrl-C", "source ends"])
def test_a_live_stream_ends_cleanly(onnx_folder, end, form):
    """Lines come while the source is still open; no traceback at the end."""
    with start(onnx_folder, "-", "--stream", form=form) as process:
        second = bytes(2 * 16000)
        process.stdin.write(second)
        lines = [process.stdout.readline() for _ in range(2)]
        assert lines[1].startswith(b"-: 0.00-1.00 s: ")
        if end == "reader goes":
            process.stdout.close()
            process.stdin.write(second)
            expected = -signal.SIGPIPE
        elif end == "Ctrl-C":
            process.send_signal(signal.SIGINT)
            expected = -signal.SIGINT
        else:
            process.stdin.write(second[:1000])
            expected = 0
        process.stdin.close()
        assert process.wait(timeout=60) == expected
        assert process.stderr.read() == b""
        if end == "source ends":
            assert process.stdout.read().startswith(b"-: 0.00-1.03 s: ")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_results_that_cannot_be_written(onnx_folder, sounds):
    """One error, that of the output and of no recording, and the end."""
    path = str(sounds / "a.wav")
    with open("/dev/full", "w", encoding="utf-8") as full:
        with start(onnx_folder, path, path, stdout=full) as process:
            errors = process.stderr.read().decode()
    assert process.returncode == 1
    (error,) = errors.splitlines()
    assert error.startswith("Error: The results cannot be written: ")


@pytest.mark.skipif(os.name != "posix", reason="closed outputs")
def test_closed_outputs(onnx_folder, sounds):
    """Errors are not taken for results, nor results for nothing."""
    command = [sys.executable, *FORMS["hrf"], str(onnx_folder)]
    command += ["nowhere.wav", str(sounds / "a.wav"), "--format", "csv"]
    shell = ["sh", "-c", '"$@" 2>&-', "-", *command]
    done = subprocess.run(shell, capture_output=True, text=True)
    header, row = done.stdout.splitlines()
    assert done.returncode == 1 and header.startswith("file,label,")
    assert row.startswith(str(sounds / "a.wav"))
    shell[2] = '"$@" >&-'
    done = subprocess.run(shell, capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr == (
        "Error: Standard output is closed: nobody reads the results.\n"
    )


def test_a_name_that_the_output_cannot_hold(onnx_folder, sounds, tmp_path):
    path = os.fsencode(tmp_path) + b"/caf\xe9.wav"
    try:
        os.link(sounds / "a.wav", path)
    except OSError as error:
        pytest.skip(f"this file system has no such names: {error}")
    command = [sys.executable, *FORMS["hrf"], str(onnx_folder), path]
    done = subprocess.run([*command, "--format", "csv"], capture_output=True)
    assert done.returncode == 0 and b"caf\\udce9.wav" in done.stdout


@pytest.mark.skipif(
    getattr(os, "geteuid", int)() == 0, reason="root may read any folder"
)
def test_a_folder_that_may_not_be_read(run, sounds, tmp_path):
    """It is told of; what lies beside it is classified."""
    shutil.copy(sounds / "a.wav", tmp_path)
    (tmp_path / "closed").mkdir(mode=0)
    status, output, errors = run(tmp_path)
    assert status == 1 and len(output.splitlines()) == 1
    assert errors == f"Error: {tmp_path / 'closed'}: Permission denied\n"
