"""A member of a zip archive as a file that soundfile can read.

Authors
 * The speechbrain_hrf authors 2026
"""

import io
import os
import struct
import threading
import zipfile
import zlib
from collections import OrderedDict

from speechbrain_hrf.dataio.unusable import UnusableAudio

# What reading a damaged archive raises.
DAMAGES = (zipfile.BadZipFile, zlib.error, OSError, EOFError)
# Deflated members kept by a process: an interview of 16 minutes is 30 MB.
_KEPT_MEMBERS = 2
# A local file header ends in the lengths of its name and its extra field.
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_ENCRYPTED = 0x1


def open_member(path, archive_path, name, stack, keep):
    """A member as a binary file that can seek, however it is packed.

    Arguments
    ---------
    path : str
        What errors call it.
    archive_path : str
        The zip file.
    name : str
        The member.
    stack : contextlib.ExitStack
        Closes what is opened.
    keep : bool
        Whether to decode a deflated member whole and keep it.

    Returns
    -------
    Window

    Raises
    ------
    UnusableAudio
        When the member is missing, empty, encrypted or of an unknown kind.
    OSError, zipfile.BadZipFile, zlib.error, EOFError
        When the archive is damaged: ``DAMAGES``.

    Example
    -------
    >>> path = getfixture("tmpdir").join("a.zip").strpath
    >>> with zipfile.ZipFile(path, "w") as archive:
    ...     archive.writestr("b.txt", "some text")
    >>> import contextlib
    >>> with contextlib.ExitStack() as stack:
    ...     open_member("a.zip!/b.txt", path, "b.txt", stack, True).read()
    b'some text'
    """
    archive = stack.enter_context(zipfile.ZipFile(archive_path))
    try:
        info = archive.getinfo(name)
    except KeyError:
        raise UnusableAudio(path, "the archive holds no such file") from None
    if info.file_size == 0:
        raise UnusableAudio(path, "the file is empty")
    if info.flag_bits & _ENCRYPTED:
        raise UnusableAudio(path, "it is encrypted: unpack the archive")
    if info.compress_type == zipfile.ZIP_STORED:
        stream = stack.enter_context(open(archive_path, "rb"))
        start = _data_offset(stream, info)
        return Window(stream, start, info.file_size, info.CRC)
    try:
        if keep:
            stat = os.stat(archive_path)
            key = (archive_path, name, stat.st_size, stat.st_mtime_ns)
            data = _kept.get(key, lambda: archive.read(info))
            return Window(io.BytesIO(data), 0, len(data), info.CRC)
        stream = stack.enter_context(archive.open(info))
        return Window(stream, 0, info.file_size, info.CRC)
    except NotImplementedError as error:  # Deflate64, for one
        raise UnusableAudio(
            path, f"it cannot be decoded ({error}): unpack the archive"
        ) from error


def _data_offset(stream, info):
    """Where a stored member's bytes begin in the archive's file."""
    stream.seek(info.header_offset)
    header = stream.read(_LOCAL_HEADER.size)
    if len(header) < _LOCAL_HEADER.size or header[:4] != b"PK\3\4":
        raise zipfile.BadZipFile("a local header is damaged")
    _, name_length, extra_length = _LOCAL_HEADER.unpack(header)
    skipped = _LOCAL_HEADER.size + name_length + extra_length
    return info.header_offset + skipped


class Window(io.RawIOBase):
    """Part of a stream as a file: seeking costs nothing until it is read.

    libsndfile seeks to the end to learn a file's length, which would decode
    all of a deflated member. Where reading fails the window ends, and
    ``error`` says why: soundfile's callbacks cannot raise.

    Arguments
    ---------
    stream : file object
        Binary, can seek.
    start : int
        Where the part begins, in bytes.
    size : int
        Bytes of the part.
    crc : int, optional
        Its CRC-32, for ``check_crc``.

    Example
    -------
    >>> window = Window(io.BytesIO(b"some text"), start=5, size=3)
    >>> window.seek(1), window.read()
    (1, b'ex')
    """

    def __init__(self, stream, start, size, crc=None):
        self.stream, self.start, self.size = stream, start, size
        self.crc = crc
        self.position = 0
        self.error = None

    def readable(self):
        """Whether it can be read: yes.

        Returns
        -------
        bool
        """
        return True

    def seekable(self):
        """Whether it can seek: yes.

        Returns
        -------
        bool
        """
        return True

    def tell(self):
        """Where the next byte is read.

        Returns
        -------
        int
        """
        return self.position

    def seek(self, offset, whence=os.SEEK_SET):
        """Moves to another place; nothing is read.

        Arguments
        ---------
        offset : int
            In bytes.
        whence : int
            From where: ``os.SEEK_SET``, ``SEEK_CUR`` or ``SEEK_END``.

        Returns
        -------
        int
            The new place.
        """
        origin = {os.SEEK_CUR: self.position, os.SEEK_END: self.size}
        self.position = max(0, origin.get(whence, 0) + offset)
        return self.position

    def readinto(self, buffer):
        """Fills a buffer as far as there is something.

        Arguments
        ---------
        buffer : writable buffer
            Of bytes.

        Returns
        -------
        int
            Bytes that were read.
        """
        wanted = min(len(buffer), max(0, self.size - self.position))
        if wanted == 0:
            return 0
        try:
            self.stream.seek(self.start + self.position)
            data = self.stream.read(wanted)
        except DAMAGES as error:
            self.error = error
            return 0
        buffer[: len(data)] = data
        self.position += len(data)
        return len(data)

    def check_crc(self, found):
        """Compares a checksum with that of all bytes; ``error`` if it differs.

        Of stored members and wherever one seeks, ``zipfile`` checks nothing.

        Arguments
        ---------
        found : int
            CRC-32 of what was read.
        """
        if self.error is None and found != self.crc:
            self.error = zipfile.BadZipFile(
                "Bad CRC-32: its bytes are not those that were packed"
            )


class _Kept:
    """The last few values made, by key; made once, however many threads ask."""

    def __init__(self, most):
        self.most = most
        self.lock = threading.Lock()
        self.entries = OrderedDict()

    def get(self, key, make):
        with self.lock:
            lock, values = self.entries.pop(key, None) or (threading.Lock(), [])
            self.entries[key] = lock, values
            while len(self.entries) > self.most:
                self.entries.popitem(last=False)
        with lock:  # its own: other keys' values are made at the same time
            if not values:
                values.append(make())
            return values[0]


_kept = _Kept(_KEPT_MEMBERS)


def _forget():
    global _kept
    _kept = _Kept(_KEPT_MEMBERS)


if hasattr(os, "register_at_fork"):
    # A lock that a thread holds at this moment would never open in the child.
    os.register_at_fork(after_in_child=_forget)
