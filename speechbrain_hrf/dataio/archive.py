"""Audio files inside zip archives, read without unpacking them to a disk.

A path such as ``300_P.zip!/300_AUDIO.wav`` names the member `300_AUDIO.wav`
of the archive `300_P.zip`. Members that are stored are read in place.
Deflated ones cannot be cut anywhere: they are decoded whole and kept in
memory for the next cuts, a few at a time and each process its own.

Example
-------
>>> import zipfile
>>> folder = getfixture("tmpdir")
>>> with zipfile.ZipFile(folder.join("a.zip").strpath, "w") as archive:
...     archive.writestr("b.txt", "some text")
>>> with opened(folder.join("a.zip").strpath + "!/b.txt") as file:
...     _ = file.seek(5)
...     file.read()
b'text'

Authors
 * The speechbrain_hrf authors 2026
"""

import contextlib
import os
import re
import zipfile
import zlib

from speechbrain_hrf.dataio.member import DAMAGES, open_member
from speechbrain_hrf.dataio.unusable import UnusableAudio, check_file

_MEMBER_PATH = re.compile(r"(?P<archive>.+?\.zip)!/(?P<member>.+)", re.I | re.S)
_BLOCK = 2**20


def member_path(archive, member):
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


def split_member(path):
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


def members(archive):
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
    >>> members(path)
    ['b/c.txt']
    """
    check_file(archive)
    try:
        with zipfile.ZipFile(archive) as file:
            names = file.namelist()
    except DAMAGES as error:
        raise _unusable(archive, error) from error
    return sorted(name for name in names if not name.endswith("/"))


def read_bytes(path):
    """All of a small file, which may lie in an archive.

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
        As of ``opened``, and when a member's checksum is another one.

    Example
    -------
    >>> path = getfixture("tmpdir").join("a.zip").strpath
    >>> with zipfile.ZipFile(path, "w") as archive:
    ...     archive.writestr("b.txt", "some text")
    >>> read_bytes(member_path(path, "b.txt"))
    b'some text'
    """
    with opened(path, keep=False) as source:
        if hasattr(source, "read"):
            data = source.read()
            source.check_crc(zlib.crc32(data))
            return data
        with open(source, "rb") as file:
            return file.read()


def check_member(path):
    """Reads a member of an archive to its end and compares its checksum.

    A deflated member that is damaged would else be found in training, a
    stored one never.

    Arguments
    ---------
    path : str or os.PathLike
        A member of an archive; a path that names none is left alone.

    Raises
    ------
    UnusableAudio
        As of ``opened``, and when the checksum is another one.

    Example
    -------
    >>> path = getfixture("tmpdir").join("a.zip").strpath
    >>> with zipfile.ZipFile(path, "w") as archive:
    ...     archive.writestr("b.txt", "some text")
    >>> check_member(member_path(path, "b.txt"))
    >>> with open(path, "r+b") as file:
    ...     _ = file.seek(file.read().index(b"some"))
    ...     _ = file.write(b"SOME")
    >>> check_member(member_path(path, "b.txt"))
    Traceback (most recent call last):
    ...
    speechbrain_hrf.dataio.unusable.UnusableAudio: ...Bad CRC-32...
    """
    if split_member(path)[1] is None:
        return
    buffer, crc = memoryview(bytearray(_BLOCK)), 0
    with opened(path, keep=False) as source:
        while count := source.readinto(buffer):
            crc = zlib.crc32(buffer[:count], crc)
        source.check_crc(crc)


@contextlib.contextmanager
def opened(path, keep=True):
    """What soundfile can open for a path: itself, or a member as a file.

    Arguments
    ---------
    path : str or os.PathLike
        A file, or a member of an archive.
    keep : bool
        Whether to decode a deflated member whole and keep it. Otherwise it is
        decoded as far as it is read: right for headers.

    Yields
    ------
    str or io.RawIOBase
        The path, or a binary file that can seek.

    Raises
    ------
    UnusableAudio
        When the file or member is missing or empty, or the archive damaged,
        encrypted or of an unknown kind.

    Example
    -------
    >>> with opened(__file__) as source:
    ...     source == __file__
    True
    """
    archive, member = split_member(path)
    if member is None:
        check_file(archive)
        yield archive
        return
    try:
        check_file(archive)
    except UnusableAudio as error:
        raise UnusableAudio(path, f"its archive: {error.reason}") from None
    with contextlib.ExitStack() as stack:
        try:
            file = open_member(path, archive, member, stack, keep)
        except DAMAGES as error:
            raise _unusable(path, error) from error
        try:
            yield file
        finally:
            if file.error is not None:
                raise _unusable(path, file.error) from file.error


def _unusable(path, error):
    archive, _ = split_member(path)
    return UnusableAudio(
        path,
        f"{os.path.basename(archive)} cannot be read as a zip archive "
        f"({error}): download it again, or unpack it",
    )
