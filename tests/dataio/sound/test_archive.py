"""Audio in zip archives is what it is outside, and nothing is unpacked.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import zipfile

import numpy as np
import pytest
import soundfile as sf
import torch

from speechbrain_hrf.dataio.sound.archive import (
    list_members,
    member_path,
    read_bytes,
    split_member,
)
from speechbrain_hrf.dataio.sound.audio import read, read_parts
from speechbrain_hrf.dataio.sound.audio_files import UnusableAudio
from speechbrain_hrf.dataio.sound.probe import probe, probe_all

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
    assert torch.equal(read(packed, 1.25), read(wav, 1.25))
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


@KINDS
def test_a_member_is_unpacked_once_for_its_cuts(wav, kind, monkeypatch):
    unpacked = []
    unpack = zipfile.ZipFile.read

    def spy(archive, name):
        unpacked.append(name)
        return unpack(archive, name)

    monkeypatch.setattr(zipfile.ZipFile, "read", spy)
    paths = [pack(wav, kind, archive=f"{n}.zip") for n in range(3)]
    for _ in range(3):
        read_parts(paths[0], PARTS)
    assert len(unpacked) == 1
    for path in paths[1:]:  # few are kept: two others push it out
        read_parts(path, PARTS)
    read_parts(paths[0], PARTS)
    assert len(unpacked) == 4


def test_a_changed_archive_is_read_anew(wav):
    packed = pack(wav, DEFLATED)
    read_parts(packed, PARTS)
    sf.write(wav, np.zeros(32000), 16000)
    pack(wav, DEFLATED)
    assert read_parts(packed, PARTS).abs().max() == 0


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
    refused(packed, "encrypted.*: unpack the archive")


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
