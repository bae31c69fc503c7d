"""Sound files that libsndfile decodes, read from front to back.

soundfile's own loops seek after each read. Then codecs that cannot seek (GSM
6.10, G.721, ...) fail, and an MP3 loses what its next frame builds on; and
where a file ends before its header says, ``soundfile.SoundFile.blocks`` hands
out what lay in its buffer. What comes from here is what ``soundfile.read``,
and so SpeechBrain, gives for the whole file.

Example
-------
>>> import numpy as np
>>> path = getfixture("tmpdir").join("a.flac").strpath
>>> soundfile.write(path, np.zeros(20000), 16000)
>>> with SoundFile(path) as file:
...     [len(chunk) for chunk in file.chunks()]
[16384, 3616]

Authors
 * The speechbrain_hrf authors 2026
"""

from collections.abc import Iterator
from typing import IO, Any

import numpy as np
import soundfile
from numpy.typing import NDArray

# Samples that are decoded at once.
_AT_ONCE = 2**14

# libmpg123 estimates the length of a file that has no table of it, to a frame.
_MPEG_FRAME = 1152


class SoundFile(soundfile.SoundFile):  # type: ignore[misc]
    """A sound file, of which the samples come one after the other.

    Arguments
    ---------
    file : str or file object
        What to read.

    Raises
    ------
    soundfile.SoundFileError
        libsndfile cannot read it.

    Example
    -------
    >>> SoundFile("nowhere.wav")
    Traceback (most recent call last):
    ...
    soundfile.LibsndfileError: Error opening 'nowhere.wav': System error.
    """

    def __init__(self, file: str | IO[bytes]):
        try:
            super().__init__(file)
        except TypeError as error:
            # soundfile wants to know the rate of what is called .raw.
            raise soundfile.SoundFileRuntimeError(
                "a name that ends in .raw means bare samples"
            ) from error
        if super().seekable():
            # As soundfile.read does: an MP3's last bits depend on it.
            self.seek(0)

    def seekable(self) -> bool:
        """What soundfile asks before it seeks after a read.

        Returns
        -------
        bool
            Always False.
        """
        return False

    @property
    def is_mpeg(self) -> bool:
        """Whether it is MP3, or its elders, in a file of any kind."""
        return str(self.subtype).startswith("MPEG")

    @property
    def jumps(self) -> bool:
        """Whether samples after ``seek`` are those of the whole file.

        Vorbis, Opus and MP3 build on what came before.
        """
        return super().seekable() and self.format != "OGG" and not self.is_mpeg

    def chunks(self, count: int | None = None) -> Iterator[NDArray[np.float32]]:
        """The next samples.

        Arguments
        ---------
        count : int, optional
            How many at most. Default: as many as the header says are there.

        Yields
        ------
        numpy.ndarray
            float32, [samples, channels]
        """
        left = self.frames if count is None else count
        while left > 0:
            chunk: NDArray[np.float32] = self.read(
                min(left, _AT_ONCE), "float32", always_2d=True
            )
            if not len(chunk):
                break
            left -= len(chunk)
            yield chunk

    def read_whole(self, count: int | None = None) -> NDArray[np.float32]:
        """The next samples at once.

        Arguments
        ---------
        count : int, optional
            As for ``chunks``.

        Returns
        -------
        numpy.ndarray
            float32, [samples, channels]; fewer where the file ends early.
        """
        nothing: NDArray[Any] = np.zeros((0, self.channels), np.float32)
        return np.concatenate([nothing, *self.chunks(count)])

    def count_missing(self, there: int) -> int:
        """How many of the samples that the header promises are not there.

        Arguments
        ---------
        there : int
            How many could be read.

        Returns
        -------
        int
            0 where the header only estimates and is right to a frame.
        """
        missing = int(self.frames) - there
        return 0 if self.is_mpeg and missing < _MPEG_FRAME else missing
