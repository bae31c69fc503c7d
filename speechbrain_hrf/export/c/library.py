"""The C files, compiled for this machine, to be called from Python.

Authors
 * The speechbrain_hrf authors 2026
"""

import contextlib
import ctypes
import os
import pathlib
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from speechbrain_hrf.export.c.source import HEADER
from speechbrain_hrf.export.c.text import Array

# A warning is an error: a chip's compiler is to find nothing either.
FLAGS = (
    *("-std=c99", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion"),
    *("-Wdouble-promotion", "-Wshadow", "-Werror"),
)
OK, RESULT, AGAIN = 0, 1, 2


def find_compiler() -> list[str]:
    """The host's C compiler: what CC names, else cc.

    Returns
    -------
    list of str
        Its path, and the arguments that CC gives it, as in "ccache gcc" or
        "gcc -m64". Empty where there is none.

    Example
    -------
    >>> not find_compiler() or os.path.isabs(find_compiler()[0])
    True
    """
    named = os.environ.get("CC") or "cc"
    if path := shutil.which(named):  # which may hold spaces and backslashes
        return [path]
    with contextlib.suppress(ValueError):  # a quote that nothing closes
        program, *arguments = shlex.split(named)
        if path := shutil.which(program):
            return [path, *arguments]
    return []


def compile_library(
    compiler: Sequence[str],
    files: Mapping[str, str],
    source: str,
    classes: int,
    folder: pathlib.Path,
) -> "Library":
    """Compiles one of the source files.

    Arguments
    ---------
    compiler : list of str
        See ``find_compiler``.
    files : dict
        Text by file name, as ``make_sources`` gives them.
    source : str
        Which of them.
    classes : int
        Outputs of the model.
    folder : pathlib.Path
        Where to work; a library of this name must not have been loaded before.

    Returns
    -------
    Library

    Raises
    ------
    ValueError
        The compiler refuses it, or makes it for another machine.

    Example
    -------
    >>> files = {"hrf_model.h": "", "a.c": "not C"}
    >>> folder = pathlib.Path(getfixture("tmpdir"))
    >>> compile_library(["cc"], files, "a.c", 4, folder)
    Traceback (most recent call last):
    ...
    ValueError: cc refuses a.c: ...
    """
    for name in (HEADER, source):
        (folder / name).write_text(files[name], encoding="utf-8")
    target = folder / f"{source.removesuffix('.c')}.so"
    process = subprocess.run(
        [*compiler, *FLAGS, "-shared", "-fPIC", source, "-o", target, "-lm"],
        cwd=folder,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if process.returncode:
        raise ValueError(
            f"{shlex.join(compiler)} refuses {source}: {process.stderr.strip()[:2000]}"
        )
    try:
        return Library(target, classes)
    except OSError as error:
        raise ValueError(
            f"What {shlex.join(compiler)} makes of {source} does not run on "
            f"this machine ({error}): unset CC, or have it name this "
            "machine's compiler, to verify the C here."
        ) from error


class Library:
    """What hrf_model.h declares, for NumPy.

    Arguments
    ---------
    path : pathlib.Path
        The library. It stays loaded, with its one state, until Python ends.
    classes : int
        Outputs of the model.

    Example
    -------
    >>> Library(pathlib.Path("none.so"), 4)
    Traceback (most recent call last):
    ...
    OSError: none.so: ...
    """

    def __init__(self, path: pathlib.Path, classes: int) -> None:
        self.c = ctypes.CDLL(os.fspath(path))
        self.c.hrf_feed.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
        self.c.hrf_finish.argtypes = [ctypes.c_void_p]
        self.c.hrf_combine.argtypes = [ctypes.c_void_p]
        self.c.hrf_reset_stream.argtypes = [ctypes.c_uint32]
        self.c.hrf_feed_stream.argtypes = [ctypes.c_void_p] * 3
        names = ctypes.c_char_p * classes
        found = names.in_dll(self.c, "hrf_labels")
        self.labels = [str(label, "utf-8") for label in found if label]

    def classify(self, samples: Array) -> Array:
        """Classifies a recording; feeds it again where that is asked for.

        Arguments
        ---------
        samples : numpy.ndarray
            int16

        Returns
        -------
        numpy.ndarray
            Log-probabilities, [C].

        Raises
        ------
        ValueError
            There is no sample.
        """
        self.c.hrf_reset()
        status, found = self.finish(samples)
        if status == AGAIN:
            self.check(self.c.hrf_again())
            status, found = self.finish(samples)
        self.check(status)
        return found

    def finish(self, samples: Array) -> tuple[int, Array]:
        """Feeds samples and ends what was begun.

        Arguments
        ---------
        samples : numpy.ndarray
            int16

        Returns
        -------
        int
            What hrf_finish returns.
        numpy.ndarray
            Log-probabilities, [C].
        """
        samples = np.ascontiguousarray(samples, np.int16)
        self.check(self.c.hrf_feed(samples.ctypes.data, len(samples)))
        found = np.empty(len(self.labels), np.float32)
        return self.c.hrf_finish(found.ctypes.data), found

    def stream(self, samples: Array, hop: int) -> Iterator[Array]:
        """Classifies every window of a stream.

        Arguments
        ---------
        samples : numpy.ndarray
            int16
        hop : int
            Samples.

        Yields
        ------
        numpy.ndarray
            Log-probabilities, [C].
        """
        samples = np.ascontiguousarray(samples, np.int16)
        place = ctypes.c_void_p(samples.ctypes.data)
        left = ctypes.c_size_t(len(samples))
        found = np.empty(len(self.labels), np.float32)
        rest = (ctypes.byref(place), ctypes.byref(left), found.ctypes.data)
        self.check(self.c.hrf_reset_stream(hop))
        while self.c.hrf_feed_stream(*rest) == RESULT:
            yield found.copy()
        if self.c.hrf_finish(found.ctypes.data) == OK:
            yield found

    def check(self, status: int) -> None:
        """Raises what a negative status stands for.

        Arguments
        ---------
        status : int

        Raises
        ------
        ValueError
        """
        if status < OK:
            raise ValueError(f"hrf_model.c returned {status}; see hrf_model.h.")
