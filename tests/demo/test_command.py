"""The command: serves, ends, writes, and says what is missing.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from speechbrain_hrf.demo.__main__ import main


def has_ipv6():
    """Whether this machine can listen on its own IPv6 address."""
    try:
        with socket.socket(socket.AF_INET6) as one:
            one.bind(("::1", 0))
    except OSError:
        return False
    return True


without_ipv6 = pytest.mark.skipif(
    not has_ipv6(), reason="this machine has no IPv6"
)


@pytest.fixture
def started(onnx_folder, runtime_files):
    """Gives a function that starts the command on a port of its own."""
    running = []

    def start(*arguments):
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "speechbrain_hrf.demo"),
                *(str(onnx_folder), "--port", "0", *arguments),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        return process, process.stdout.readline()

    yield start
    for process in running:
        process.kill()
        process.wait()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for others")
@pytest.mark.parametrize(
    "host", ["127.0.0.1", pytest.param("::1", marks=without_ipv6)]
)
def test_it_serves_until_it_is_interrupted(started, host):
    """Prints its address; Ctrl-C ends it with status 0 and no traceback."""
    process, line = started("--host", host)
    address = line.split()[0]
    assert host in address
    assert line == f"{address}  (Ctrl-C ends it)\n"
    with urllib.request.urlopen(address) as answer:
        assert b"<title>Speech emotion" in answer.read()
    with urllib.request.urlopen(address + "manifest.json") as answer:
        assert b'"model": "Tiny"' in answer.read()
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=10)
    assert (process.returncode, error) == (0, "")


def test_a_folder_without_a_model(onnx_folder, tmp_path, capsys):
    """The message names the command that makes one."""
    assert main([str(tmp_path)]) == 1
    assert "hrf export SOURCE FOLDER --onnx" in capsys.readouterr().err

    folder = tmp_path / "model"
    shutil.copytree(onnx_folder, folder)
    with open(folder / "model.onnx", "ab") as file:
        file.write(b"x")
    assert main([str(folder)]) == 1
    assert "SHA-256" in capsys.readouterr().err


def test_without_pytorch_and_speechbrain(onnx_folder, runtime_files, tmp_path):
    """Where they cannot be imported, the page is still written."""
    code = (
        "import sys\n"
        "for name in ('torch', 'speechbrain', 'onnxruntime'):\n"
        "    sys.modules[name] = None\n"
        "from speechbrain_hrf.demo.__main__ import main\n"
        f"sys.exit(main([{str(onnx_folder)!r}, '--static', 'page']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "MB, ready to be served" in done.stdout
    assert (tmp_path / "page" / "index.html").is_file()


def test_the_models_card_goes_along(onnx_folder, runtime_files, tmp_path):
    """It names the model's licence; a folder without one will do."""
    folder = tmp_path / "model"
    shutil.copytree(onnx_folder, folder)
    page = tmp_path / "page"
    assert main([str(folder), "--static", str(page)]) == 0
    assert not (page / "model_card.txt").exists()
    (folder / "README.md").write_text("license: cc0-1.0")
    assert main([str(folder), "--static", str(page)]) == 0
    assert (page / "model_card.txt").read_text() == "license: cc0-1.0"
    assert "MIT License" in (page / "licences.txt").read_text()


def test_a_wrong_package_of_onnxruntime_web(onnx_folder, tmp_path, capsys):
    """Named by an option, refused with the version that is needed."""
    arguments = ["--onnxruntime_web", str(tmp_path), "--static", "page"]
    assert main([str(onnx_folder), *arguments]) == 1
    assert "Give the folder of onnxruntime-web 1." in capsys.readouterr().err
