"""A classifier that runs where neither PyTorch nor SpeechBrain is.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import time
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from speechbrain_hrf.runtime.audio import open_file
from speechbrain_hrf.runtime.folder import read_graph, read_manifest
from speechbrain_hrf.runtime.resample import resample
from speechbrain_hrf.runtime.result import (
    COMBINATIONS,
    Combination,
    Result,
    WindowResult,
)
from speechbrain_hrf.runtime.session import open_session
from speechbrain_hrf.runtime.waveform import Samples, check_rate, join, mono
from speechbrain_hrf.runtime.windows import Windows, cut_stream

# For a model that was trained on whole utterances, in seconds.
_WINDOW, _HOP = 5.0, 1.0
MOST_THREADS = 1024  # no machine has more cores that one answer could use


def check_threads(threads: int) -> None:
    """Raises for a number of threads that no machine can use.

    Arguments
    ---------
    threads : int

    Raises
    ------
    ValueError

    Example
    -------
    >>> check_threads(0)
    Traceback (most recent call last):
        ...
    ValueError: threads is 0: give 1 to 1024.
    """
    if not isinstance(threads, int) or not 1 <= threads <= MOST_THREADS:
        raise ValueError(f"threads is {threads!r}: give 1 to {MOST_THREADS}.")


class Classifier:
    """Runs the ``model.onnx`` of an exported folder.

    A waveform at another rate is resampled as SpeechBrain does, channels are
    averaged, and the answer is ``EncoderClassifier``'s. A copy, or one that was
    sent to another process, reads the folder again.

    Arguments
    ---------
    folder : str or os.PathLike
        Written by ``hrf export --onnx``.
    graph : str
        Which of its graphs to run; one that takes waveforms.
    threads : int
        Threads for one answer.

    Raises
    ------
    FileNotFoundError
        The folder, or something in it, is missing.
    ImportError
        ONNX Runtime is not installed.
    ValueError
        A file of the folder is damaged, or of another version.

    Example
    -------
    >>> classifier = Classifier(getfixture("onnx_folder"))
    >>> classifier.labels
    ['neutral', 'happy', 'sad', 'angry']
    >>> tone = np.sin(np.arange(44100) * 0.05)
    >>> result = classifier(tone, 44100)
    >>> result.label == classifier.labels[result.index]
    True
    >>> microphone = (tone[n : n + 4410] for n in range(0, 44100, 4410))
    >>> for window in classifier.stream(microphone, 44100, hop=0.5):
    ...     print(window.start, window.stop)
    0.0 0.5
    0.0 1.0
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        graph: str = "model.onnx",
        threads: int = 1,
    ):
        check_threads(threads)
        self.manifest = read_manifest(folder)
        self.labels: list[str] = self.manifest["labels"]
        self.sample_rate: int = self.manifest["sample_rate"]
        path = os.path.join(folder, graph)
        content = read_graph(folder, self.manifest, graph)
        self._session = open_session(content, path, threads)
        inputs = [x.name for x in self._session.get_inputs()]
        if inputs != ["wavs", "wav_lens"]:
            raise ValueError(
                f"{path} takes {', '.join(inputs)}, not waveforms (wavs, "
                "wav_lens): give another graph, such as model.onnx."
            )
        classes = self._session.get_outputs()[0].shape[-1]
        if classes != len(self.labels):
            raise ValueError(
                f"{path} has {classes} classes, but manifest.json names "
                f"{len(self.labels)}: they are not of one export. Export again."
            )
        self._path, self._lens = path, np.ones(1, np.float32)
        # What a copy is made of: a session cannot be copied.
        self._arguments = (os.path.abspath(folder), graph, threads)

    def __reduce__(self) -> tuple[Any, ...]:
        model = self.manifest["graphs"], self.labels
        return _reload, (type(self), self._arguments, model)

    def __call__(self, waveform: ArrayLike, sample_rate: int) -> Result:
        """Classifies one waveform as a whole.

        Arguments
        ---------
        waveform : numpy.ndarray
            [samples] or [samples, channels]: floats of -1 to 1, int16, int32
            or uint8.
        sample_rate : int
            Its samples per second.

        Returns
        -------
        Result

        Raises
        ------
        RuntimeError
            ONNX Runtime failed: there is too little memory, say.
        TypeError
            The samples are of another type.
        ValueError
            The waveform is empty, has other axes or holds NaN or infinite
            samples; or the rate is impossible.
        """
        start = time.perf_counter()
        rate = check_rate(sample_rate)
        samples = mono(waveform)
        if len(samples) == 0:
            raise ValueError("The waveform is empty: there is nothing to hear.")
        samples = resample(samples, rate, self.sample_rate)
        log_probabilities = self._run(samples)
        return Result.of(log_probabilities, time.perf_counter() - start)

    def classify_file(self, path: str | os.PathLike[str]) -> Result:
        """Classifies one file as a whole.

        Arguments
        ---------
        path : str or os.PathLike
            WAV; with soundfile installed, what libsndfile reads.

        Returns
        -------
        Result

        Raises
        ------
        UnusableAudio
            It cannot be read; a ValueError.
        RuntimeError
            See ``__call__``.
        """
        with open_file(path) as (rate, chunks):
            return self(join(chunks), rate)

    def stream(
        self,
        chunks: Iterable[ArrayLike],
        sample_rate: int,
        window: float | None = None,
        hop: float | None = None,
        combine: str | None = "mean",
    ) -> Iterator[WindowResult]:
        """Classifies what comes, at every hop: the last window of it.

        Each result is that of the whole-waveform call on the samples of its
        window, at the model's rate. While there is less than a window, there
        are results for what there is; if the end falls between two hops there
        is one more, for the end. Memory does not grow with the stream.

        Arguments
        ---------
        chunks : iterable of numpy.ndarray
            Pieces of the waveform, in order and without gaps, each of any
            length (0, too) and of any kind that a waveform may be.
        sample_rate : int
            Their samples per second.
        window : float, optional
            Seconds of a window. Default: the model's segment in training.
        hop : float, optional
            Seconds from one result to the next. Default: the manifest's.
        combine : str or None
            How the label of all windows so far is found: their ``mean``
            probability, the ``majority`` of their labels, or not at all.

        Returns
        -------
        iterator of WindowResult
            As soon as a window is complete, its result.

        Raises
        ------
        RuntimeError, TypeError, ValueError
            As for a whole waveform; those of the chunks when their turn comes,
            and at the end if they hold no samples at all.
        """
        if isinstance(chunks, np.ndarray):
            raise TypeError(
                "stream() takes chunks, but one array was given: give "
                "[waveform], or pieces of it one after the other."
            )
        if combine not in (None, *COMBINATIONS):
            raise ValueError(
                f"combine is {combine!r}: give {', '.join(COMBINATIONS)} or "
                "None."
            )
        return self._results(
            chunks,
            check_rate(sample_rate),
            Windows(
                self._samples("window", window, "samples", _WINDOW),
                self._samples("hop", hop, "hop_samples", _HOP),
            ),
            Combination(combine, self.labels) if combine else None,
        )

    def _samples(
        self, name: str, seconds: float | None, key: str, default: float
    ) -> int:
        if seconds is None and self.manifest["window"]:
            return int(self.manifest["window"][key])
        seconds = default if seconds is None else seconds
        if not 1 <= seconds * self.sample_rate < float("inf"):
            raise ValueError(
                f"{name} is {seconds} s: give at least one sample, "
                f"{1 / self.sample_rate} s."
            )
        return round(seconds * self.sample_rate)

    def _results(
        self,
        chunks: Iterable[ArrayLike],
        rate: int,
        windows: Windows,
        combination: Combination | None,
    ) -> Iterator[WindowResult]:
        for first, samples in cut_stream(
            chunks, rate, self.sample_rate, windows
        ):
            start = time.perf_counter()
            found = self._run(samples)
            yield WindowResult.of(
                found,
                time.perf_counter() - start,
                start=first / self.sample_rate,
                stop=(first + len(samples)) / self.sample_rate,
                combined=combination and combination.add(found),
            )

    def _run(self, samples: Samples) -> dict[str, float]:
        inputs = {"wavs": samples[None], "wav_lens": self._lens}
        try:
            (output,) = self._session.run(["log_probabilities"], inputs)
        # ONNX Runtime's exceptions have no base class of their own.
        except Exception as error:
            raise RuntimeError(
                f"{self._path} failed on {len(samples) / self.sample_rate:.2f} "
                f"s of sound: {error}. If there is too little memory for so "
                "much at once, let it be streamed, window by window."
            ) from error
        if output.shape != (1, len(self.labels)) or not np.isfinite(
            output.max()
        ):
            raise ValueError(
                f"{self._path} answered {output.tolist()}, not the "
                f"log-probabilities of {len(self.labels)} labels: export the "
                "model again, which verifies it."
            )
        return dict(zip(self.labels, output[0].tolist(), strict=True))


def _reload(
    kind: type[Classifier], arguments: tuple[str, str, int], model: Any
) -> Classifier:
    classifier = kind(*arguments)
    if (classifier.manifest["graphs"], classifier.labels) != model:
        raise ValueError(
            f"{arguments[0]} holds another model than when the classifier "
            "that is copied was made: make it again."
        )
    return classifier
