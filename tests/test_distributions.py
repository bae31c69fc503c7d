"""Wheel and sdist are complete; the runner's own wheel runs without PyTorch.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import re
import runpy
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

import speechbrain_hrf

ROOT = Path(__file__).resolve().parents[1]


def run(*command, **options):
    """What a command prints; its errors are the test's."""
    process = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, **options
    )
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


@pytest.fixture(scope="module")
def distributions(tmp_path_factory):
    """Folders with wheel and sdist: of the whole, and of the runner."""
    whole = tmp_path_factory.mktemp("whole")
    runner = tmp_path_factory.mktemp("runner")
    # From a copy: setuptools leaves its build folder beside setup.py.
    tree = tmp_path_factory.mktemp("tree") / "copy"
    files = run("git", "ls-files", "-z", "-co", "--exclude-standard", cwd=ROOT)
    for name in files.split("\0"):
        if (ROOT / name).is_file() and not name.startswith("results/"):
            place = tree / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes((ROOT / name).read_bytes())
    run(sys.executable, "-m", "build", "--outdir", whole, tree)
    run(sys.executable, tree / "extras/runtime/build.py", runner)
    return whole, runner


@pytest.mark.slow
def test_an_index_takes_them(distributions):
    """Names, versions, and a description that can be shown."""
    for folder in distributions:
        files = sorted(folder.iterdir())
        assert len(files) == 2
        assert all(speechbrain_hrf.__version__ in file.name for file in files)
        run("twine", "check", "--strict", *files)


@pytest.mark.slow
def test_the_wheel_has_every_file_of_the_package(distributions):
    """Also those that are no Python: pages, cards, C sources."""
    (wheel,) = distributions[0].glob("*.whl")
    listed = run("git", "ls-files", "speechbrain_hrf", cwd=ROOT).split()
    there = [name for name in listed if (ROOT / name).is_file()]
    with zipfile.ZipFile(wheel) as archive:
        missing = set(there) - set(archive.namelist())
        (metadata,) = (
            name for name in archive.namelist() if name.endswith("METADATA")
        )
        text = archive.read(metadata).decode()
    assert not missing
    # On an index there is no file beside the description.
    assert re.findall(r"\]\((?!https?://|#)[^)]*\)", text) == []
    assert "project/speechbrain_hrf" not in text


@pytest.mark.slow
def test_the_sdist_builds_by_itself(distributions, tmp_path):
    """Without the repository around it."""
    (sdist,) = distributions[0].glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (tree,) = tmp_path.iterdir()
    run(sys.executable, "-m", "build", "--wheel", tree)
    assert list((tree / "dist").glob("*.whl"))


@pytest.mark.slow
def test_the_runner_alone(distributions, onnx_folder, tmp_path):
    """A fresh environment, to which PyTorch never comes."""
    (wheel,) = distributions[1].glob("*.whl")
    venv.create(tmp_path / "venv", with_pip=True)
    programs = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin")
    run(programs / "python", "-m", "pip", "install", "-q", wheel)
    others = ("PYTHONPATH", "PIP_QUIET")  # the list is what is asked for
    environment = {
        key: value for key, value in os.environ.items() if key not in others
    }
    options = {"cwd": tmp_path, "env": environment}
    listed = run(programs / "python", "-m", "pip", "list", **options)
    assert "torch" not in listed and "speechbrain-hrf-runtime" in listed
    run(
        programs / "python",
        "-c",
        "import wave; f = wave.open('a.wav', 'wb'); f.setparams((1, 2, 16000,"
        " 0, 'NONE', '')); f.writeframes(bytes(32000)); f.close()",
        **options,
    )
    answer = run(programs / "hrf", "classify", onnx_folder, "a.wav", **options)
    assert "a.wav" in answer
    refused = subprocess.run(
        [programs / "hrf", "export", "a", "b"],
        capture_output=True,
        text=True,
        **options,
    )
    assert refused.returncode == 2
    assert "pip install speechbrain-hrf" in refused.stderr


# How often the project's address stands in a file: once, but in a table of
# rows that each need it.
ADDRESSES = {
    "setup.py": 1,
    "mkdocs.yml": 1,
    "CITATION.cff": 1,
    "recipes/RAVDESS/README.md": 2,
    "recipes/nEMO/README.md": 1,
    "contrib/upstream/recipes/RAVDESS/README.md": 1,
    "tests/recipes/RAVDESS.csv": 3,
}


def test_the_address_is_the_same_everywhere():
    """And nowhere else: a project that moves changes these files."""
    url = runpy.run_path(str(ROOT / "setup.py"))["URL"]
    host = re.escape(url.rsplit("/", 2)[0])
    pattern = re.compile(rf"{host}/[\w.-]+/speechbrain[-_]hrf\b")
    found = {}
    folders = ("docs", "recipes", "contrib", "extras", "studies", "tests")
    folders += ("speechbrain_hrf", ".ci", ".github")
    paths = [path for name in folders for path in (ROOT / name).rglob("*")]
    kinds = {".py", ".md", ".yml", ".yaml", ".cff", ".csv", ".toml", ".html"}
    kinds |= {".ipynb", ".js", ".sh"}
    for path in [*ROOT.iterdir(), *paths]:
        if path.suffix not in kinds or not path.is_file():
            continue
        text = path.read_text(encoding="utf-8")
        addresses = pattern.findall(text)
        assert {*addresses} <= {url}, path
        if addresses:
            found[path.relative_to(ROOT).as_posix()] = len(addresses)
    assert found == ADDRESSES


def test_the_version_is_the_same_everywhere():
    """Package, citation and change log."""
    version = speechbrain_hrf.__version__
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"version: {version}\n" in citation
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## (\S+)", changes, re.MULTILINE)[1] == version
