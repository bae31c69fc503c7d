"""Audio files inside zip archives, read without unpacking them to a disk.

A path such as ``300_P.zip!/300_AUDIO.wav`` names the member `300_AUDIO.wav`
of the archive `300_P.zip`. Cut at many places, a member is unpacked once: the
last ones are kept in memory, each process its own.

Example
-------
>>> folder = getfixture("tmpdir")
>>> with zipfile.ZipFile(folder.join("a.zip").strpath, "w") as archive:
...     archive.writestr("b.txt", "some text")
>>> open_audio(folder.join("a.zip").strpath + "!/b.txt").read()
b'some text'

Authors
 * The speechbrain_hrf authors 2026
"""

import contextlib
import functools
import io
import os
import pathlib
import re
import zipfile
import zlib
from collections.abc import Iterator

from speechbrain_hrf.dataio.sound.audio_files import UnusableAudio, check_file

_MEMBER_PATH = re.compile(r"(?P<archive>.+?\.zip)!/(?P<member>.+)", re.I | re.S)
# Members kept by a process: an interview of 16 minutes is 30 MB.
_KEPT_MEMBERS = 2


def member_path(archive: str | os.PathLike[str], member: str) -> str:
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


def split_member(path: str | os.PathLike[str]) -> tuple[str, str | None]:
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


def list_members(archive: str | os.PathLike[str]) -> list[str]:
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
    with _explain(archive), zipfile.ZipFile(archive) as file:
        return sorted(name for name in file.namelist() if name[-1] != "/")


def read_bytes(path: str | os.PathLike[str]) -> bytes:
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
        When the file or member is missing or empty, or damaged anywhere, or
        the archive encrypted or of an unknown kind.

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
    speechbrain_hrf.dataio.sound.audio_files.UnusableAudio: ...Bad CRC-32...
    """
    archive, member = split_member(path)
    if member is None:
        check_file(path)
        return pathlib.Path(path).read_bytes()
    try:
        check_file(archive)
    except UnusableAudio as error:
        raise UnusableAudio(path, f"its archive: {error.reason}") from None
    with _explain(path), zipfile.ZipFile(archive) as file:
        if member not in file.namelist():
            raise UnusableAudio(path, "the archive holds no such file")
        content = file.read(member)
    if not content:
        raise UnusableAudio(path, "the file is empty")
    return content


def open_audio(path: str | os.PathLike[str]) -> str | io.BytesIO:
    """What soundfile can open for a path: itself, or a member as a file.

    Arguments
    ---------
    path : str or os.PathLike
        A file, or a member of an archive.

    Returns
    -------
    str or io.BytesIO
        The path, or all of the member.

    Raises
    ------
    UnusableAudio
        As of ``read_bytes``.

    Example
    -------
    >>> open_audio(__file__) == __file__
    True
    """
    archive, member = split_member(path)
    if member is None:
        check_file(path)
        return archive
    changed = os.stat(archive).st_mtime_ns if os.path.exists(archive) else 0
    return io.BytesIO(_keep_member(os.fspath(path), changed))


@functools.lru_cache(maxsize=_KEPT_MEMBERS)
def _keep_member(path: str, changed: int) -> bytes:
    """A member's bytes, kept as long as its archive is the same."""
    return read_bytes(path)


@contextlib.contextmanager
def _explain(path: str | os.PathLike[str]) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # encrypted, or Deflate64, for one
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
