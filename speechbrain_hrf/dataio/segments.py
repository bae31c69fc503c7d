"""From audio files to the features of training segments, one or many.

The paper's segments have exactly 500 (IEMOCAP), 400 (M3ED) or 1000 (DAIC-WOZ)
frames: longer utterances are cut, shorter ones zero-filled.

Authors
 * The speechbrain_hrf authors 2026
"""

import contextlib
import itertools
import os
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from speechbrain.dataio.batch import PaddedBatch, PaddedData
from speechbrain.utils.data_utils import batch_pad_right
from speechbrain.utils.logger import get_logger
from torch.utils.data import DataLoader, Dataset, get_worker_info
from tqdm import tqdm

from speechbrain_hrf.dataio.shared_memory import name_shared_memory
from speechbrain_hrf.dataio.sound.audio import read, read_parts
from speechbrain_hrf.dataio.sound.audio_files import UnusableAudio

logger = get_logger(__name__)

# Items that a process takes at a time: neighbours often share a file.
_CHUNK = 8
# Starting a process is not worth it for fewer.
_ITEMS_PER_PROCESS = 32
# After so many seconds, what will take longer than so many is announced: a log
# without a terminal has no progress bar.
_MEASURED_SECONDS = 30
_LONG_SECONDS = 600


class SegmentFeatures:
    """Reads the first ``frames`` frames of a file and computes its features.

    Features are computed for each utterance by itself, so that they are the
    same as in inference whatever it is batched with later, and by one thread,
    so that they are the same on any number of cores.

    Arguments
    ---------
    compute_features : torch.nn.Module
        SpeechBrain's ``Fbank`` or alike: [B, samples] -> [B, T, F], with
        centred frames. A module with other frames says by a method
        ``samples_for(frames)`` how many samples give so many of them.
    frames : int
        Frames of a segment; longer utterances are cut.
    sample_rate : int
        Hz; files at another rate are resampled.
    hop : float
        Seconds from one centred frame to the next.

    Example
    -------
    >>> import soundfile as sf
    >>> from speechbrain.lobes.features import Fbank
    >>> path = getfixture("tmpdir").join("noise.wav").strpath
    >>> sf.write(path, 0.1 * torch.randn(6 * 16000).numpy(), 16000)
    >>> segment = SegmentFeatures(Fbank(n_mels=26, deltas=True), frames=500)
    >>> segment(path).shape
    torch.Size([500, 78])
    >>> segment(path, parts=[[0, 8000], [32000, 40000]]).shape
    torch.Size([101, 78])
    """

    def __init__(
        self,
        compute_features: torch.nn.Module,
        frames: int,
        sample_rate: int = 16000,
        hop: float = 0.01,
    ):
        self.compute_features = compute_features
        self.frames = frames
        self.sample_rate = sample_rate
        # Frame k is centred on k * hop.
        self.samples = round((frames - 1) * hop * sample_rate)
        samples_for: Any = getattr(compute_features, "samples_for", None)
        if samples_for is not None:
            self.samples = samples_for(frames)

    @torch.no_grad()
    def __call__(
        self, path: str, parts: list[list[int]] | None = None
    ) -> torch.Tensor:
        """The features of one file, or of parts of it.

        Arguments
        ---------
        path : str
            Audio file of any rate and number of channels.
        parts : list of list of int, optional
            [start, stop] in samples of the file; what they hold is cut out and
            joined. Default: the file from its start.

        Returns
        -------
        torch.Tensor
            [T, F], T at most ``frames``.

        Raises
        ------
        speechbrain_hrf.dataio.sound.audio_files.UnusableAudio
            If the file cannot be decoded or holds NaN.
        """
        if parts is None:
            seconds = self.samples / self.sample_rate
            wave = read(path, stop=seconds, sample_rate=self.sample_rate)
        else:
            wave = read_parts(path, parts, self.sample_rate)[: self.samples]
        with _one_thread():
            feats: torch.Tensor = self.compute_features(wave.unsqueeze(0))
        return feats.squeeze(0)


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


class SegmentBatch(PaddedBatch):  # type: ignore[misc]
    """A batch whose features are zero-filled to exactly ``frames`` frames.

    They are copied once, into their place; SpeechBrain's padding to the
    longest and a filling after it would do so three times.

    Arguments
    ---------
    examples : list of dict
        What a dataset gives, with ``feats`` [T, F], T at most ``frames``.
    frames : int
        Frames of a segment.

    Example
    -------
    >>> examples = [{"feats": torch.rand(n, 78)} for n in (400, 600)]
    >>> feats, lens = SegmentBatch(examples, frames=800).feats
    >>> feats.shape, lens
    (torch.Size([2, 800, 78]), tensor([0.5000, 0.7500]))
    """

    def __init__(self, examples: list[dict[str, Any]], frames: int):
        super().__init__(
            examples,
            padding_func=_pad,
            per_key_padding_kwargs={"feats": {"frames": frames}},
        )
        if get_worker_info() is not None:
            self._share()

    def _share(self) -> None:
        """Moves tensors to shared memory, from which training takes them.

        A worker does so by itself, but later, in a thread: if that fails,
        training waits for the batch for ever.
        """
        parts = [x if isinstance(x, PaddedData) else (x,) for x in self]
        try:
            for part in itertools.chain.from_iterable(parts):
                if isinstance(part, torch.Tensor):
                    part.share_memory_()
        except (RuntimeError, OSError) as error:
            raise RuntimeError(
                f"{name_shared_memory()} has no room for a batch ({error}): "
                "set num_workers to 0, or enlarge it (docker run "
                "--shm-size=1g)."
            ) from None


def _pad(
    values: list[torch.Tensor], frames: int | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    if frames is None:
        filled, lens = batch_pad_right(values)
        return filled, lens
    longest = max(map(len, values))
    if longest > frames:
        raise ValueError(f"{longest} frames do not fit into {frames}.")
    filled = values[0].new_zeros(len(values), frames, values[0].shape[1])
    for row, value in zip(filled, values, strict=True):
        row[: len(value)] = value
    return filled, torch.tensor([len(value) / frames for value in values])


def compute_in_order(
    function: Callable[..., Any],
    arguments: Iterable[tuple[Any, ...]],
    what: str,
    processes: int | None = None,
) -> Iterator[Any]:
    """Results of a function, computed by processes of one thread each.

    Only a few results are held at a time. What takes longer than ten minutes
    is announced in the log. PyTorch's data loader does the
    work, so that processes start as they do in training.

    Arguments
    ---------
    function : callable
        Can be pickled on platforms that spawn processes.
    arguments : iterable of tuple
        Of each call.
    what : str
        For the progress bar.
    processes : int, optional
        Default as many as this process has cores; none for a few items.

    Yields
    ------
    object
        A result; tensors as numpy arrays.

    Raises
    ------
    UnusableAudio
        If the function raises it; other errors as PyTorch passes them on.
    OSError
        If processes cannot be started.

    Example
    -------
    >>> [x.shape for x in compute_in_order(torch.eye, [(1,), (2,)], "", 2)]
    [(1, 1), (2, 2)]
    """
    calls = _Calls(function, arguments)
    if processes is None:
        processes = min(cores(), len(calls) // _ITEMS_PER_PROCESS)
    loader = DataLoader(
        calls,
        batch_size=_CHUNK,
        num_workers=processes if processes > 1 else 0,
        collate_fn=list,
        # It draws a seed; the caller's random numbers are left alone.
        generator=torch.Generator(),
    )
    start = time.monotonic()
    done, announced = 0, False
    try:
        batches = iter(loader)
    except OSError as error:  # there is no room for a lock, of 32 bytes
        raise type(error)(
            f"Processes for {what or 'this'} cannot be started "
            f"({error.strerror}): make room in {name_shared_memory()}, or "
            "enlarge it (docker run --shm-size=1g)."
        ) from error
    with tqdm(total=len(calls), desc=what, disable=None) as bar:
        for results in batches:
            done += len(results)
            seconds = time.monotonic() - start
            if not announced and seconds >= _MEASURED_SECONDS:
                announced = True
                _announce(what, done, len(calls), seconds)
            for result in results:
                if isinstance(result, UnusableAudio):
                    raise result
                yield result
            bar.update(len(results))


def _announce(what: str, done: int, total: int, seconds: float) -> None:
    expected = seconds / done * total
    if expected >= _LONG_SECONDS:
        logger.info(
            "%s: %d of %d after %.0f s, so all will take about %.0f minutes",
            what,
            done,
            total,
            seconds,
            expected / 60,
        )


def cores() -> int:
    """Cores that this process may use.

    Returns
    -------
    int

    Example
    -------
    >>> cores() >= 1
    True
    """
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Calls(Dataset[Any]):
    """What a worker takes from: one item per call."""

    def __init__(
        self, function: Callable[..., Any], arguments: Iterable[tuple[Any, ...]]
    ):
        self.function = function
        self.arguments = list(arguments)

    def __len__(self) -> int:
        return len(self.arguments)

    def __getitem__(self, index: int) -> Any:
        try:
            result = self.function(*self.arguments[index])
        except UnusableAudio as error:
            return error  # the loader would make a traceback of it
        # Tensors would be sent through shared memory, of which containers
        # have little.
        return result.numpy() if torch.is_tensor(result) else result
