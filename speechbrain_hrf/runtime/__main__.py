"""Classifies recordings from the command line, without PyTorch.

    python -m speechbrain_hrf.runtime <exported folder> <file or folder> ...

Authors
 * The speechbrain_hrf authors 2026
"""

import contextlib
import importlib
import io
import os
import signal
import stat
import sys
import warnings
from argparse import Namespace
from collections.abc import Iterator, Sequence
from typing import cast

from speechbrain_hrf.dataio.sound.audio_files import UnusableAudio, find_audio
from speechbrain_hrf.runtime.arguments import STANDARD_INPUT, parse
from speechbrain_hrf.runtime.audio import EXTENSIONS, open_file, open_pipe
from speechbrain_hrf.runtime.classifier import Classifier
from speechbrain_hrf.runtime.decode import Recording
from speechbrain_hrf.runtime.output import Output, OutputError
from speechbrain_hrf.runtime.progress import follow, say
from speechbrain_hrf.runtime.result import Result
from speechbrain_hrf.runtime.waveform import join

# Folders to go down: enough for any corpus, not for a loop of mounts.
_DEPTH = 32

_SMALLER = "Give --stream, and a shorter --window if that is not enough."


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints what the model says about each recording.

    One that cannot be used is reported on standard error, and the others go
    on. Where results cannot be written, nothing goes on.

    Arguments
    ---------
    arguments : list of str, optional
        Default those of the command line.

    Returns
    -------
    int
        Exit status: 0, or 1 after any error (2 for wrong arguments).

    Example
    -------
    >>> main([getfixture("onnx_folder").as_posix(), "nowhere.wav"])
    1
    """
    options = parse(arguments)
    status = 0
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = _show_warning
        try:
            classifier = _load(options)
        except (ImportError, OSError, ValueError) as error:
            return _report(error)
        output = Output(options.format)
        for name in follow(_names(options.inputs)):
            try:
                for result in _classify(classifier, name, options):
                    output.write(name, result)
            except OutputError as error:
                return _report(error)
            except UnusableAudio as error:
                status = _report(error)
            except MemoryError as error:
                what = f"there is too little memory ({error}). {_SMALLER}"
                status = _report(f"{name}: {what}")
            except (OSError, RuntimeError, ValueError) as error:
                status = _report(f"{name}: {error}")
    return status


def _load(options: Namespace) -> Classifier:
    if not options.safe:
        return Classifier(options.model, options.graph, options.threads)
    # By its name: what runs ONNX alone is shipped without it.
    try:
        safe = importlib.import_module("speechbrain_hrf.inference.safe")
    except ImportError as error:
        raise ImportError(
            f"--safe needs PyTorch and SpeechBrain ({error}): pip install "
            "speechbrain-hrf"
        ) from error
    classifier: Classifier = safe.SafeClassifier(options.model, options.threads)
    return classifier


def _names(inputs: list[str]) -> Iterator[str]:
    """Files of folders in their place, each when its turn comes."""
    for name in inputs:
        if os.path.isdir(name):
            closed: list[OSError] = []
            found = find_audio(name, EXTENSIONS, _DEPTH, closed.append)
            # Reported when they are opened, as an empty folder is.
            yield from [*(x.filename for x in closed), *found] or [name]
        else:
            yield name


def _classify(
    classifier: Classifier, name: str, options: Namespace
) -> Iterator[Result]:
    with _open(classifier, name, options) as (rate, chunks):
        if options.stream:
            combine = options.combine or "mean"
            yield from classifier.stream(
                chunks,
                rate,
                options.window,
                options.hop,
                None if combine == "none" else combine,
            )
        else:
            yield classifier(join(chunks), rate)


@contextlib.contextmanager
def _open(
    classifier: Classifier, name: str, options: Namespace
) -> Iterator[Recording]:
    if os.path.isdir(name):
        try:
            os.listdir(name)
        except OSError as error:
            raise UnusableAudio(name, str(error.strerror)) from error
        kinds = ", ".join(EXTENSIONS)
        raise UnusableAudio(name, f"no file in this folder ends in {kinds}")
    with contextlib.ExitStack() as stack:
        if name == STANDARD_INPUT:
            if sys.stdin is None:
                raise UnusableAudio("standard input", "it is closed")
            opened = open_pipe(
                cast(io.BufferedIOBase, sys.stdin.buffer),
                options.rate or classifier.sample_rate,
                options.channels or 1,
                options.encoding or "s16le",
            )
        elif name in options.inputs and _is_pipe(name):
            # Asked for by name. Those in folders are refused, by open_file.
            opened = open_pipe(stack.enter_context(open(name, "rb")), name=name)
        else:
            opened = open_file(name)
        yield stack.enter_context(opened)


def _is_pipe(name: str) -> bool:
    try:
        return stat.S_ISFIFO(os.stat(name).st_mode)
    except OSError:
        return False


def _report(error: object) -> int:
    say(f"Error: {error}")
    return 1


def _show_warning(message: object, *_: object, **__: object) -> None:
    say(f"Warning: {message}")


def be_a_program() -> None:
    """Lets the process end as other programs do.

    When the reader of its output goes away or Ctrl-C is pressed: at once and
    without a traceback. Every line that was written is flushed, and there is
    nothing to clean up.

    Example
    -------
    >>> import subprocess
    >>> code = "import speechbrain_hrf.runtime.__main__ as runtime, signal; "
    >>> code += "runtime.be_a_program(); signal.raise_signal(signal.SIGINT)"
    >>> subprocess.run([sys.executable, "-c", code]).returncode
    -2
    """
    for number in ("SIGPIPE", "SIGINT"):
        if hasattr(signal, number):
            signal.signal(getattr(signal, number), signal.SIG_DFL)
    if sys.stdout is None:
        sys.exit(
            _report("Standard output is closed: nobody reads the results.")
        )
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Names of files may hold what the terminal's encoding does not.
        sys.stdout.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    be_a_program()
    sys.exit(main())
