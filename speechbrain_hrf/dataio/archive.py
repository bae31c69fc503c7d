"""Audio files inside zip archives, read without unpacking them to a disk.

A path such as ``300_P.zip!/300_AUDIO.wav`` names the member `300_AUDIO.wav`
of the archive `300_P.zip`. Members that are stored are read in place.
Deflated ones cannot be cut anywhere: they are unpacked into memory and kept
there for the next cuts, a few at a time and each process its own.

Example
-------
>>> folder = getfixture("tmpdir")
>>> with zipfile.ZipFile(folder.join("a.zip").strpath, "w") as archive:
...     archive.writestr("b.txt", "some text")
>>> with open_audio(folder.join("a.zip").strpath + "!/b.txt") as file:
...     _ = file.seek(5)
...     file.read()
b'text'

Authors
 * The speechbrain_hrf authors 2026
"""

import contextlib
import functools
import io
import os
import re
import threading
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from speechbrain_hrf.dataio.audio_files import UnusableAudio, check_file

_MEMBER_PATH = re.compile(r"(?P<archive>.+?\.zip)!/(?P<member>.+)", re.I | re.S)
_ENCRYPTED = 0x1
# Deflated members kept by a process: an interview of 16 minutes is 30 MB.
_KEPT_MEMBERS = 2


def member_path(archive: str | os.PathLike, member: str) -> str:
    """How a member of an archive is named in manifests and messages.

    Arguments
    ---------
    archive : str or os.PathLike
        Path of the zip file.
    member : str
        Name inside it.

    Returns
    -------
    str

    Example
    -------
    >>> member_path("data/300_P.zip", "300_AUDIO.wav")
    'data/300_P.zip!/300_AUDIO.wav'
    """
    return f"{os.fspath(archive)}!/{member}"


def split_member(path: str | os.PathLike) -> tuple[str, str | None]:
    """The archive and the member that a path names.

    Arguments
    ---------
    path : str or os.PathLike
        Any path.

    Returns
    -------
    archive : str
        The path itself where it names no member.
    member : str or None
        None where it names no member.

    Example
    -------
    >>> split_member("data/300_P.zip!/300_AUDIO.wav")
    ('data/300_P.zip', '300_AUDIO.wav')
    >>> split_member("data/300_P.zip")
    ('data/300_P.zip', None)
    """
    match = _MEMBER_PATH.fullmatch(os.fspath(path))
    if match is None:
        return os.fspath(path), None
    return match["archive"], match["member"]


def list_members(archive: str | os.PathLike) -> list[str]:
    """Names of the files in an archive.

    Arguments
    ---------
    archive : str or os.PathLike
        Path of the zip file.

    Returns
    -------
    list of str
        Sorted; folders are no files.

    Raises
    ------
    UnusableAudio
        When it is missing or damaged.

    Example
    -------
    >>> path = getfixture("tmpdir").join("a.zip").strpath
    >>> with zipfile.ZipFile(path, "w") as archive:
    ...     archive.writestr("b/c.txt", "some text")
    >>> list_members(path)
    ['b/c.txt']
    """
    check_file(archive)
    with _explained(archive), zipfile.ZipFile(archive) as file:
        return sorted(name for name in file.namelist() if name[-1] != "/")


def read_bytes(path: str | os.PathLike) -> bytes:
    """All of a file, which may lie in an archive; its checksum is compared.

    Arguments
    ---------
    path : str or os.PathLike
        A file, or a member of an archive.

    Returns
    -------
    bytes

    Raises
    ------
    UnusableAudio
        As of ``open_audio``, and when a member is damaged anywhere.

    Example
    -------
    >>> path = getfixture("tmpdir").join("a.zip").strpath
    >>> with zipfile.ZipFile(path, "w") as archive:
    ...     archive.writestr("b.txt", "some text")
    >>> read_bytes(member_path(path, "b.txt"))
    b'some text'
    >>> with open(path, "r+b") as file:
    ...     _ = file.seek(file.read().index(b"some"))
    ...     _ = file.write(b"SOME")
    >>> read_bytes(member_path(path, "b.txt"))
    Traceback (most recent call last):
    ...
    speechbrain_hrf.dataio.audio_files.UnusableAudio: ...Bad CRC-32...
    """
    if split_member(path)[1] is not None:
        with _opened(path) as (archive, info):
            return archive.read(info)
    check_file(path)
    with open(path, "rb") as file:
        return file.read()


@contextlib.contextmanager
def open_audio(path: str | os.PathLike) -> Iterator[str | BinaryIO]:
    """What soundfile can open for a path: itself, or a member as a file.

    Arguments
    ---------
    path : str or os.PathLike
        A file, or a member of an archive.

    Yields
    ------
    str or BinaryIO
        The path, or a binary file that can seek.

    Raises
    ------
    UnusableAudio
        When the file or member is missing or empty, or the archive damaged,
        encrypted or of an unknown kind.

    Example
    -------
    >>> with open_audio(__file__) as source:
    ...     source == __file__
    True
    """
    archive_path, member = split_member(path)
    if member is None:
        check_file(path)
        yield archive_path
        return
    with _opened(path) as (archive, info):
        stored = info.compress_type == zipfile.ZIP_STORED
        with archive.open(info):  # which reads the header before the bytes
            start = archive.fp.tell()
    if stored:
        with open(archive_path, "rb") as file:
            yield _Part(file, start, info.file_size)
    else:
        stat = os.stat(archive_path)
        with _one_unpacks:
            data = _unpack(os.fspath(path), stat.st_size, stat.st_mtime_ns)
        yield io.BytesIO(data)


@contextlib.contextmanager
def _opened(path):
    """The archive of a path and the entry of its member."""
    archive_path, member = split_member(path)
    try:
        check_file(archive_path)
    except UnusableAudio as error:
        raise UnusableAudio(path, f"its archive: {error.reason}") from None
    with _explained(path), zipfile.ZipFile(archive_path) as archive:
        try:
            info = archive.getinfo(member)
        except KeyError:
            raise UnusableAudio(
                path, "the archive holds no such file"
            ) from None
        if info.file_size == 0:
            raise UnusableAudio(path, "the file is empty")
        if info.flag_bits & _ENCRYPTED:
            raise UnusableAudio(path, "it is encrypted: unpack the archive")
        yield archive, info


@contextlib.contextmanager
def _explained(path):
    try:
        yield
    except NotImplementedError as error:  # Deflate64, for one
        raise UnusableAudio(
            path, f"it cannot be decoded ({error}): unpack the archive"
        ) from error
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError) as error:
        archive = os.path.basename(split_member(path)[0])
        raise UnusableAudio(
            path,
            f"{archive} cannot be read as a zip archive ({error}): download "
            "it again, or unpack it",
        ) from error


@functools.lru_cache(maxsize=_KEPT_MEMBERS)
def _unpack(path, size, changed):
    """A member's bytes, kept as long as its archive is the same."""
    return read_bytes(path)


def _renew_lock():
    global _one_unpacks
    _one_unpacks = threading.Lock()


_renew_lock()  # however many threads ask, a member is unpacked once
if hasattr(os, "register_at_fork"):
    # A lock that a thread holds at this moment would never open in the child.
    os.register_at_fork(after_in_child=_renew_lock)


class _Part(io.RawIOBase):
    """Part of a file as a file, of which no more is read than asked for.

    ``zipfile`` reads what it passes over, and libsndfile goes to the end of
    every file to learn its length.
    """

    def __init__(self, file, start, size):
        self.file, self.start, self.size = file, start, size
        self.position = 0

    def readable(self):
        return True

    def seekable(self):
        return True

    def seek(self, offset, whence=os.SEEK_SET):
        self.position = (
            offset
            + {
                os.SEEK_SET: 0,
                os.SEEK_CUR: self.position,
                os.SEEK_END: self.size,
            }[whence]
        )
        return self.position

    def readinto(self, buffer):
        self.file.seek(self.start + self.position)
        left = max(0, self.size - self.position)
        count = self.file.readinto(memoryview(buffer)[:left])
        self.position += count
        return count
