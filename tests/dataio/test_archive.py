"""Audio in zip archives is what it is outside, and nothing is unpacked.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile as sf
import torch
from torch.utils.data import DataLoader

from speechbrain_hrf.dataio import archive as archive_module
from speechbrain_hrf.dataio.archive import (
    list_members,
    member_path,
    read_bytes,
    split_member,
)
from speechbrain_hrf.dataio.audio import read, read_parts
from speechbrain_hrf.dataio.audio_files import UnusableAudio
from speechbrain_hrf.dataio.probe import probe, probe_all

STORED, DEFLATED = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED
KINDS = pytest.mark.parametrize("kind", [STORED, DEFLATED])
PARTS = [[8000, 16000], [100, 103], [30000, 32000]]


@pytest.fixture
def wav(tmp_path):
    path = tmp_path / "a.wav"
    samples = np.random.default_rng(0).uniform(-0.3, 0.3, 32000)
    sf.write(path, samples, 16000, subtype="PCM_16")
    return path


def pack(path, kind=STORED, name="in/a.wav", archive="a.zip"):
    """Path of a file as a member of a new archive, not the first one."""
    archive = path.parent / archive
    with zipfile.ZipFile(archive, "w", kind) as file:
        file.writestr("first.txt", "some text " * 100)
        file.write(path, name)
    return member_path(archive, name)


@pytest.fixture(autouse=True)
def nothing_kept():
    archive_module._unpack.cache_clear()


def test_paths_are_split_and_joined():
    for archive, name in ("a.zip", "b.wav"), ("/x y/A.ZIP", "c/d.zip!/e.wav"):
        assert split_member(member_path(archive, name)) == (archive, name)
    for path in "a.wav", "a.zip", "a.zip!", "a.zip!/", "a!/b.wav", "zip!/b":
        assert split_member(path) == (path, None)


@KINDS
def test_a_member_is_read_as_the_file(wav, kind):
    packed = pack(wav, kind)
    before = sorted(os.listdir(wav.parent))
    assert probe(packed) == probe(wav)
    assert torch.equal(read(packed), read(wav))
    assert torch.equal(read(packed, 0.5, 1.25), read(wav, 0.5, 1.25))
    assert torch.equal(read_parts(packed, PARTS), read_parts(wav, PARTS))
    assert sorted(os.listdir(wav.parent)) == before


@KINDS
@pytest.mark.parametrize("name", ["b.flac", "b.wav"])
def test_other_formats_and_rates(wav, kind, name):
    path = wav.parent / name
    subtype = "FLOAT" if name == "b.wav" else None
    samples = np.random.default_rng(1).uniform(-0.3, 0.3, (44100, 2))
    sf.write(path, samples, 44100, subtype=subtype)
    packed = pack(path, kind)
    assert probe(packed) == probe(path)
    assert torch.equal(read(packed), read(path))
    assert torch.equal(read_parts(packed, PARTS), read_parts(path, PARTS))


def count_calls(monkeypatch, owner, name):
    calls = []
    call = getattr(owner, name)

    def counted(*args, **kwargs):
        calls.append(args)
        return call(*args, **kwargs)

    monkeypatch.setattr(owner, name, counted)
    return calls


def test_a_deflated_member_is_decoded_once(wav, monkeypatch):
    packed = pack(wav, DEFLATED)
    others = [pack(wav, DEFLATED, archive=f"{n}.zip") for n in range(2)]
    decoded = count_calls(monkeypatch, zipfile.ZipFile, "read")
    for _ in range(3):
        read_parts(packed, PARTS)
    assert len(decoded) == 1
    # Few are kept: two others push it out.
    for path in others:
        read_parts(path, PARTS)
    read_parts(packed, PARTS)
    assert len(decoded) == 4
    assert archive_module._unpack.cache_info().currsize == 2


def test_of_a_stored_member_no_more_is_read_than_asked_for(wav, monkeypatch):
    packed = pack(wav, STORED)
    decoded = count_calls(monkeypatch, zipfile.ZipFile, "read")
    size = []
    readinto = archive_module._Part.readinto

    def counted(window, buffer):
        size.append(readinto(window, buffer))
        return size[-1]

    monkeypatch.setattr(archive_module._Part, "readinto", counted)
    read_parts(packed, [[20000, 20100]])
    assert not decoded and 200 <= sum(size) < 10000


@KINDS
def test_probing_reads_a_member_once_and_keeps_nothing(wav, kind, monkeypatch):
    packed = pack(wav, kind)
    read = count_calls(monkeypatch, zipfile.ZipFile, "read")
    assert probe(packed).duration == 2.0
    assert len(read) == 1
    assert archive_module._unpack.cache_info().currsize == 0


def test_a_changed_archive_is_read_anew(wav):
    packed = pack(wav, DEFLATED)
    read_parts(packed, PARTS)
    sf.write(wav, np.zeros(32000), 16000)
    pack(wav, DEFLATED)
    assert read_parts(packed, PARTS).abs().max() == 0


@KINDS
def test_many_threads(wav, kind, monkeypatch):
    paths = [pack(wav, kind, archive=f"{n}.zip") for n in range(2)]
    decoded = count_calls(monkeypatch, zipfile.ZipFile, "read")
    expected = read_parts(wav, PARTS)
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda n: read_parts(paths[n % 2], PARTS), range(64))
        assert all(torch.equal(wave, expected) for wave in found)
    assert len(decoded) == (0 if kind == STORED else 2)


class Clips:
    """A dataset whose items come from archives."""

    def __init__(self, paths):
        self.paths = paths

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        return read_parts(self.paths[index], PARTS)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks its workers")
def test_workers_of_a_data_loader(wav):
    paths = [pack(wav, kind, archive=f"{kind}.zip") for kind in (0, 8)]
    expected = read_parts(wav, PARTS)
    read_parts(paths[1], PARTS)  # kept here, so that the workers inherit it
    lock = archive_module._one_unpacks
    lock.acquire()  # by a thread when they are started
    try:
        loader = DataLoader(
            Clips(paths * 4),
            batch_size=None,
            num_workers=2,
            multiprocessing_context="fork",
            timeout=60,
        )
        found = list(loader)
    finally:
        lock.release()
    assert len(found) == 8
    assert all(torch.equal(wave, expected) for wave in found)


def refused(path, reason):
    for read_it in probe, read, lambda path: read_parts(path, PARTS):
        with pytest.raises(UnusableAudio, match=reason) as caught:
            read_it(path)
        assert caught.value.path == path
        assert path not in caught.value.reason


@KINDS
def test_what_is_not_there_is_named(wav, kind):
    packed = pack(wav, kind)
    refused(packed.replace("a.wav", "b.wav"), "no such file")
    refused(packed.replace("a.zip", "b.zip"), "archive: the file is missing")
    empty = wav.parent / "empty.wav"
    empty.write_bytes(b"")
    refused(pack(empty, kind), "the file is empty")
    (wav.parent / "text.wav").write_text("This is no audio. " * 50)
    refused(pack(wav.parent / "text.wav", kind), "audio|decoded")
    (wav.parent / "none.zip").write_bytes(b"")
    refused(str(wav.parent / "none.zip!/a.wav"), "archive: the file is empty")


def test_damaged_archives_are_named(wav):
    packed = pack(wav, DEFLATED)
    archive = wav.parent / "a.zip"
    whole = archive.read_bytes()
    archive.write_bytes(whole[: len(whole) // 2])  # the download stopped
    refused(packed, "a.zip cannot be read as a zip archive")
    with pytest.raises(UnusableAudio, match="zip archive"):
        list_members(archive)
    archive.write_bytes(b"This is no archive. " * 50)
    refused(packed, "zip archive")
    # Damage of the samples shows when they are decoded.
    middle = len(whole) // 2
    archive.write_bytes(whole[:middle] + bytes(99) + whole[middle + 99 :])
    with pytest.raises(UnusableAudio, match="zip archive"):
        read_parts(packed, PARTS)


def test_encrypted_members_are_named(wav):
    packed = pack(wav, STORED)
    content = bytearray((wav.parent / "a.zip").read_bytes())
    entry = content.rindex(b"PK\1\2")
    content[entry + 8] |= 1
    (wav.parent / "a.zip").write_bytes(content)
    refused(packed, "encrypted: unpack")


def test_unknown_compression_is_named(wav):
    packed = pack(wav, DEFLATED)
    content = bytearray((wav.parent / "a.zip").read_bytes())
    for mark, place in (b"PK\1\2", 10), (b"PK\3\4", 8):
        content[content.rindex(mark) + place] = 9  # Deflate64
    (wav.parent / "a.zip").write_bytes(content)
    refused(packed, "unpack the archive")


@KINDS
def test_small_files_and_listings(wav, kind):
    packed = pack(wav, kind)
    archive, _ = split_member(packed)
    assert list_members(archive) == ["first.txt", "in/a.wav"]
    text = member_path(archive, "first.txt")
    assert read_bytes(text) == b"some text " * 100
    assert read_bytes(packed) == read_bytes(wav) == wav.read_bytes()


def damage(archive, name):
    """Changes one byte at 90 % of a member."""
    content = bytearray(archive.read_bytes())
    with zipfile.ZipFile(archive) as file:
        info = file.getinfo(name)
    place = info.header_offset + 30 + len(name)
    content[place + info.compress_size * 9 // 10] ^= 1
    archive.write_bytes(content)


@KINDS
def test_a_changed_byte_is_found(wav, kind, caplog):
    paths = {"whole": pack(wav, kind, archive="b.zip"), "file": wav}
    paths["damaged"] = packed = pack(wav, kind)
    assert read_bytes(packed) == wav.read_bytes()
    damage(wav.parent / "a.zip", "in/a.wav")
    for read_it in probe, read_bytes:
        with pytest.raises(UnusableAudio, match="CRC|decompress") as caught:
            read_it(packed)
        assert caught.value.path == packed
    infos, unusable = probe_all(paths, 0.4)
    assert list(infos) == ["whole", "file"] and list(unusable) == ["damaged"]
    with pytest.raises(ValueError, match="max_unusable=0.3"):
        probe_all(paths, 0.3)


@KINDS
def test_members_of_several_blocks_are_checked(tmp_path, kind):
    path = tmp_path / "long.bin"
    path.write_bytes(np.random.default_rng(0).bytes(2**20 + 2**19))
    packed = pack(path, kind, path.name)
    assert read_bytes(packed) == read_bytes(path) == path.read_bytes()
    damage(tmp_path / "a.zip", path.name)
    with pytest.raises(UnusableAudio, match="CRC|decompress"):
        read_bytes(packed)


def test_what_is_known_to_be_unusable_counts(wav, caplog):
    paths = {"one": wav, "two": wav}
    infos, unusable = probe_all(paths, 0.5, known={"two": "no transcript"})
    assert list(infos) == ["one"]
    assert unusable == {"two": f"{wav}: no transcript"}
    with pytest.raises(ValueError, match="no transcript"):
        probe_all(paths, 0.4, known={"two": "no transcript"})
