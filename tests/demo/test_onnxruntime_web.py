"""Where onnxruntime-web comes from, and that only the right files are taken.

Authors
 * The speechbrain_hrf authors 2026
"""

import shutil

import pytest

from speechbrain_hrf.demo import onnxruntime_web
from speechbrain_hrf.demo.onnxruntime_web import (
    BINARY,
    SCRIPT,
    SHA256,
    VERSION,
)


def test_an_unpacked_package_needs_no_npm(runtime_files, tmp_path, monkeypatch):
    """Nothing is fetched for it; a changed or missing file is refused."""
    text = runtime_files[SCRIPT].read_text(encoding="utf-8")
    assert text.startswith(f"/*!\n * ONNX Runtime Web v{VERSION}\n")
    monkeypatch.setenv("PATH", "")
    dist = tmp_path / "dist"
    dist.mkdir()
    for name, path in runtime_files.items():
        shutil.copyfile(path, dist / name)
    assert onnxruntime_web(tmp_path) == {name: dist / name for name in SHA256}
    with open(dist / SCRIPT, "ab") as file:
        file.write(b" ")
    with pytest.raises(ValueError, match=f"{SCRIPT} is not the one.*{VERSION}"):
        onnxruntime_web(tmp_path)
    (dist / SCRIPT).unlink()
    with pytest.raises(FileNotFoundError, match=f"no .*dist/{SCRIPT}.*unpack"):
        onnxruntime_web(tmp_path)


def test_no_npm(tmp_path, monkeypatch):
    """Says what to install, and how to do without."""
    monkeypatch.setenv("PATH", "")
    with pytest.raises(FileNotFoundError, match="Node.js.*--onnxruntime_web"):
        onnxruntime_web(cache=tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_no_network(tmp_path, monkeypatch):
    """Says what npm said, and leaves nothing behind."""
    if shutil.which("npm") is None:
        pytest.skip("no npm: install Node.js")
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))
    with pytest.raises(OSError, match="ECONNREFUSED.*--onnxruntime_web"):
        onnxruntime_web(cache=tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_cache_that_cannot_be_made(tmp_path):
    """Says which folder, and where to name another."""
    if shutil.which("npm") is None:
        pytest.skip("no npm: install Node.js")
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file cannot be made.*XDG_CACHE_HOME"):
        onnxruntime_web(cache=tmp_path / "file")


def test_a_whole_cache_needs_no_npm(runtime_files, tmp_path, monkeypatch):
    """What was fetched once is taken from the cache; a broken file is not."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    kept = tmp_path / "speechbrain_hrf" / f"onnxruntime-web-{VERSION}"
    kept.mkdir(parents=True)
    for name, path in runtime_files.items():
        shutil.copyfile(path, kept / name)
    assert onnxruntime_web()[BINARY] == kept / BINARY
    (kept / SCRIPT).write_text("broken")
    with pytest.raises(FileNotFoundError, match="no npm"):
        onnxruntime_web()


@pytest.mark.slow
def test_npm_fetches_it(runtime_files, tmp_path):
    """Into a new cache, in place of a broken one, and nothing else stays."""
    kept = tmp_path / f"onnxruntime-web-{VERSION}"
    kept.mkdir()
    (kept / SCRIPT).write_text("broken")
    found = onnxruntime_web(cache=tmp_path)
    for name, path in found.items():
        assert path.read_bytes() == runtime_files[name].read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == [kept.name]
