"""What goes wrong is said on the page, with what to do about it.

Authors
 * The speechbrain_hrf authors 2026
"""

import hashlib
import json
import struct

import numpy as np
import pytest

from demo.pages import RATE, opened, plain_server, running, tone
from speechbrain_hrf.demo import write_page
from speechbrain_hrf.export.manifest import write_manifest


@pytest.fixture(scope="module")
def site(files, browser, tmp_path_factory):
    """A written page's folder, and a function that looks at it again."""
    root = tmp_path_factory.mktemp("site")
    write_page(files, root / "page")
    with (
        running(plain_server(root)) as address,
        opened(browser, "about:blank", ready=False) as (page, trouble, _),
    ):

        def look():
            trouble.clear()
            page.goto(address + "page/")
            page.wait_for_selector("#alarm:visible")
            return page, trouble

        yield root / "page", look


def slow(*case):
    """A case of the slow tests."""
    return pytest.param(*case, marks=pytest.mark.slow)


def other_format(text):
    """A manifest of a later version."""
    return json.dumps({**json.loads(text), "format": 2})


def no_labels(text):
    """A manifest without labels."""
    return json.dumps({**json.loads(text), "labels": []})


@pytest.mark.parametrize(
    "name, change, told",
    [
        ("manifest.json", None, "manifest.json is missing beside this page"),
        slow(
            "manifest.json", lambda text: text[:-9], "manifest.json is no JSON"
        ),
        slow(
            "manifest.json", other_format, "has format 2, and this page reads 1"
        ),
        slow(
            "manifest.json", no_labels, "does not describe model.onnx, its lab"
        ),
        ("model.onnx", None, "model.onnx is missing beside this page (HTTP 4"),
        ("model.onnx", lambda text: "0", "not the file that manifest.json de"),
        slow("onnxruntime/ort.js", None, "onnxruntime/ort.js is missing"),
        slow("onnxruntime/ort.wasm", None, "onnxruntime/ort.wasm is missing"),
    ],
)
def test_a_page_with_a_wrong_file(site, name, change, told):
    """Nothing can be started; the message says how to mend the page."""
    folder, look = site
    before = (folder / name).read_bytes()
    try:
        (folder / name).unlink()
        if change:
            (folder / name).write_text(change(before.decode("latin-1")))
        page, trouble = look()
    finally:
        (folder / name).write_bytes(before)
    assert told in page.inner_text("#alarm")
    assert "again" in page.inner_text("#alarm")
    assert page.inner_text("#status") == "There is no model to run."
    assert page.is_disabled("#listen") and page.is_disabled("#file")
    # The browser itself reports a missing file, and nothing else.
    assert all("404" in text for text in trouble), trouble
    assert bool(trouble) == (change is None)


def test_a_manifest_with_its_checksum(site, browser):
    """The right one is no trouble; with labels reversed it is refused."""
    folder, look = site
    before = (folder / "manifest.json").read_bytes()
    write_manifest(
        folder, {**json.loads(before), "labels": ["ä", "b", "c", "d"]}
    )
    text = (folder / "manifest.json").read_text("utf-8")
    try:
        with running(plain_server(folder)) as address:
            with opened(browser, address) as (page, trouble, _):
                assert not page.is_visible("#alarm") and trouble == []
        changed = text.replace('"b"', '"B"')
        (folder / "manifest.json").write_text(changed, "utf-8")
        page, _ = look()
    finally:
        (folder / "manifest.json").write_bytes(before)
    told = page.inner_text("#alarm")
    assert "manifest.json was changed since it was exported" in told


@pytest.mark.slow
def test_a_model_that_cannot_be_run(site):
    """The right file, by its checksum, of a model that is none."""
    folder, look = site
    kept = {
        name: (folder / name).read_bytes()
        for name in ("model.onnx", "manifest.json")
    }
    manifest = json.loads(kept["manifest.json"])
    sha256 = hashlib.sha256(b"no graph").hexdigest()
    manifest["graphs"]["model.onnx"]["sha256"] = sha256
    try:
        (folder / "model.onnx").write_bytes(b"no graph")
        (folder / "manifest.json").write_text(json.dumps(manifest))
        page, _ = look()
    finally:
        for name, content in kept.items():
            (folder / name).write_bytes(content)
    told = page.inner_text("#alarm")
    assert "model.onnx cannot be run by this browser" in told


def wav(**changes):
    """A WAV file of ten samples, with some of its parts changed."""
    parts = {
        "format": struct.pack("<HHIIHH", 1, 1, RATE, 2 * RATE, 2, 16),
        "kind": b"data",
        "size": 20,
        "samples": bytes(20),
        **changes,
    }
    body = b"WAVEfmt " + struct.pack("<I", len(parts["format"]))
    body += parts["format"] + parts["kind"] + struct.pack("<I", parts["size"])
    body += parts["samples"]
    return b"RIFF" + struct.pack("<I", len(body)) + body


NOT_A_NUMBER = wav(
    format=struct.pack("<HHIIHH", 3, 1, RATE, 4 * RATE, 4, 32),
    samples=np.full(5, np.nan, np.float32).tobytes(),
)


@pytest.mark.parametrize(
    "content, told",
    [
        (b"", "a.wav is empty: it has no bytes."),
        (wav(size=0, samples=b""), "a.wav is empty: it holds no sound."),
        (wav()[:30], "broken WAV file: the description of its samples is"),
        (wav(kind=b"none"), "broken WAV file: it ends before its first sam"),
        (wav(format=bytes(16)), "broken WAV file: its header says 0 channels"),
        (
            wav(format=struct.pack("<HHIIHH", 1, 1, 16, 32, 2, 16)),
            "it says 16 samples per second",
        ),
        (NOT_A_NUMBER, "it holds values that are no numbers"),
        (wav(format=b"U" + bytes(15)), "broken WAV file: its header says 0"),
        (b"Dear Madam or Sir,", "a.wav cannot be decoded: it is no sound"),
        (b"ID3" + bytes(500), "a.wav cannot be decoded: it is no sound"),
    ],
)
def test_a_file_that_is_no_sound(page, tmp_path, content, told):
    """Says what is wrong with which file; the page goes on."""
    (tmp_path / "a.wav").write_bytes(content)
    page.set_input_files("#file", tmp_path / "a.wav")
    page.wait_for_selector("#alarm:visible")
    assert told in page.inner_text("#alarm")
    assert page.inner_text("#status") == "Nothing is running."
    assert page.is_enabled("#listen") and not page.is_visible("#result")


def test_a_good_file_after_a_bad_one(page, say, tmp_path):
    """Negative control; a file that is cut off is used, and it says so."""
    (tmp_path / "a.wav").write_bytes(b"")
    page.set_input_files("#file", tmp_path / "a.wav")
    page.wait_for_selector("#alarm:visible")
    path = say(tone(400, 1))
    path.write_bytes(path.read_bytes()[:-2000])
    page.set_input_files("#file", path)
    page.wait_for_selector("#status:text('is done')")
    assert not page.is_visible("#alarm")
    assert "cut off: 1000 samples are missing" in page.inner_text("#note")


def told_after_click(page):
    """The alarm after the microphone was asked for."""
    page.click("#listen")
    page.wait_for_selector("#alarm:visible")
    assert page.inner_text("#status") == "Nothing is running."
    assert page.inner_text("#listen") == "Use the microphone"
    return page.inner_text("#alarm")


def test_the_microphone_is_refused(page):
    """By the reader, who learns how to allow it; then it works."""
    page.context.clear_permissions()
    assert "The microphone was refused. Allow it" in told_after_click(page)
    page.context.grant_permissions(["microphone"])
    page.click("#listen")
    page.wait_for_selector("#result:visible")
    page.click("#listen")
    page.wait_for_selector("#status:text('Stopped')")
    assert not page.is_visible("#alarm")


@pytest.mark.slow
def test_there_is_no_microphone(address, launched):
    """In a browser without the pretended one, on a machine without any."""
    browser = launched()
    with opened(browser, address) as (page, trouble, _):
        found = page.evaluate("navigator.mediaDevices.enumerateDevices()")
        if any(device["kind"] == "audioinput" for device in found):
            pytest.skip("this machine has a microphone")
        assert "There is no microphone. Connect one" in told_after_click(page)
        assert trouble == []
    browser.close()


@pytest.mark.slow
def test_another_machine_without_https(files, browser, say, tmp_path):
    """No microphone there, by the browser's rules; files go on working."""
    write_page(files, tmp_path / "page")
    with (
        running(plain_server(tmp_path / "page")) as address,
        opened(
            browser,
            address.replace("127.0.0.1", "demo.example"),
            microphone=False,
        ) as (page, trouble, _),
    ):
        assert not page.evaluate("isSecureContext")
        assert "open the page by https" in told_after_click(page)
        assert "SHA-256 was not checked" in page.inner_text("#size")
        page.set_input_files("#file", say(tone(400, 1)))
        page.wait_for_selector("#status:text('is done')")
        assert trouble == []


@pytest.mark.slow
def test_the_microphone_goes_away(page):
    """What was heard stays on the page."""
    page.click("#listen")
    page.wait_for_selector("#result:visible")
    page.evaluate(
        "stream.getTracks().forEach((x) => x.dispatchEvent(new Event('ended')))"
    )
    page.wait_for_selector("#alarm:visible")
    assert "The microphone has gone" in page.inner_text("#alarm")
    assert page.is_visible("#result")
