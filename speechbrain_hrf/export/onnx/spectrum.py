"""Power spectra in ONNX, without its STFT operator and without a dense DFT.

Of a frame x[0] ... x[N - 1], windowed by w, the DFT is::

    X[k] = sum over n of w[n] x[n] exp(-2 pi i n k / N)

Where N = N1 N2, it falls into two short sums (Cooley and Tukey, 1965). Every
n is N2 n1 + n2 and every k is k1 + N1 k2, with n1 and k1 below N1, n2 and k2
below N2. Then n k / N is::

    n k1 / N + n1 k2 + n2 k2 / N2

n1 k2 is whole turns, and drops out. The first term does not know k2, so the
sum over n1 needs to be done only once for all k2::

    Y[n2, k1] = sum over n1 of w[n] x[n] exp(-2 pi i n k1 / N)
    X[k1 + N1 k2] = sum over n2 of Y[n2, k1] exp(-2 pi i n2 k2 / N2)

For N = 400 that is 20 terms twice instead of 400 at once. As x is real,
X[N - k] is X[k] conjugated: k1 = 0 ... N1 / 2 are enough, for N - k belongs
to N1 - k1.

In a graph, the first step takes framing and window along. Where N2 divides
the hop, the signal is cut into blocks of N2 samples; n2 is a sample's place
in its block, n1 the block, and one convolution over blocks, grouped by n2,
with kernels w[n] exp(-2 pi i n k1 / N), gives Y of all frames. The second
step is a product with a matrix. All that has to be stored are the window and
one period of cosine and sine; kernels and matrix are computed from them when
a runtime loads the graph.

Authors
 * The speechbrain_hrf authors 2026
"""

import functools

import numpy as np
from speechbrain.processing.features import STFT

from speechbrain_hrf.export.onnx.graph import Graph

# A step's matrix must stay small; primes up to this are still fine.
LARGEST_FACTOR = 64
# How Fbank sets the STFT up.
_SETTINGS = {
    "center": True,
    "pad_mode": "constant",
    "normalized_stft": False,
    "onesided": True,
}


def factors(n_fft: int, hop: int) -> tuple[int, int]:
    """The two factors of a DFT.

    Arguments
    ---------
    n_fft : int
        N
    hop : int
        Samples from frame to frame.

    Returns
    -------
    int
        N1
    int
        N2; a divisor of the hop if that makes neither factor much larger.

    Raises
    ------
    ValueError
        N has no two factors of a useful size.

    Example
    -------
    >>> factors(400, 160), factors(512, 160), factors(441, 160)
    ((20, 20), (32, 16), (21, 21))
    """
    pairs = [
        (n_fft // second, second)
        for second in range(2, LARGEST_FACTOR + 1)
        if n_fft % second == 0 and n_fft // second <= LARGEST_FACTOR
    ]
    if not pairs:
        raise ValueError(
            f"n_fft is {n_fft}, which is no product of two numbers up to "
            f"{LARGEST_FACTOR}: its spectrum would need a table of "
            f"{n_fft * n_fft * 4 // 1024:,} KiB. Train with another n_fft, "
            "such as 400 or 512."
        )
    return min(pairs, key=lambda p: (sum(p) if hop % p[1] else 0, sum(p)))


class Spectrum:
    """The two steps for the frames of SpeechBrain's ``STFT``.

    Arguments
    ---------
    stft : speechbrain.processing.features.STFT
        Centred frames, zeros beyond the signal's ends.

    Raises
    ------
    ValueError
        It is set up in another way.

    Example
    -------
    >>> from speechbrain.processing.features import STFT
    >>> spectrum = Spectrum(STFT(sample_rate=16000))
    >>> spectrum.n1, spectrum.n2, spectrum.bins.shape
    (20, 20, (11, 20))
    >>> int(spectrum.bins[3, 2])
    43
    """

    def __init__(self, stft: STFT) -> None:
        self.n_fft, self.hop = stft.n_fft, stft.hop_length
        for name, value in _SETTINGS.items():
            if getattr(stft, name) != value:
                raise ValueError(
                    f"STFT with {name}={getattr(stft, name)!r} cannot be "
                    f"exported to ONNX, only with {value!r}, as Fbank has it."
                )
        if stft.win_length > self.n_fft:
            raise ValueError(
                f"The window of {stft.win_length} samples is longer than "
                f"n_fft, {self.n_fft}: raise n_fft, or shorten win_length."
            )
        left = (self.n_fft - stft.win_length) // 2
        self.window = np.zeros(self.n_fft, np.float32)
        window = stft.window.detach().float().cpu().numpy()
        self.window[left : left + stft.win_length] = window
        self.n1, self.n2 = factors(self.n_fft, self.hop)
        self.k1 = self.n1 // 2 + 1
        # Index of the one-sided spectrum by (k1, k2); the same bin may come
        # twice, as X[N - k] is X[k] conjugated.
        k = np.arange(self.k1)[:, None] + self.n1 * np.arange(self.n2)
        self.bins = np.minimum(k, self.n_fft - k)

    def power(self, graph: Graph, wavs: str) -> str:
        """Adds the power spectrum to a graph.

        Arguments
        ---------
        graph : Graph
        wavs : str
            [B, samples]

        Returns
        -------
        str
            [B, K1 * N2, T], in the order of ``bins``.
        """
        g, n2, k1 = functools.partial(graph, part="t"), self.n2, self.k1
        # One period of cosine and sine; rounded once, from float64.
        angle = 2 * np.pi * np.arange(self.n_fft) / self.n_fft
        cosine = graph.constant(np.cos(angle).astype(np.float32), "t")
        sine = graph.constant(np.sin(angle).astype(np.float32), "t")
        y = self._first_step(graph, wavs, cosine, sine)  # [B, N2, K1 * 2, T]
        y = g("Reshape", y, [0, n2, k1, 2, -1])
        y = g("Transpose", y, perm=[0, 2, 3, 1, 4])
        y = g("Reshape", y, [0, k1, 2 * n2, -1])
        # [K1, 2 * N2, T] of each signal, from the left [2 * N2, 2 * N2]
        x = g("MatMul", self._second_matrix(graph, cosine, sine), y)
        x = g("Reshape", x, [0, k1, 2, n2, -1])
        x = g("ReduceSum", g("Mul", x, x), [2], keepdims=0)
        return g("Reshape", x, [0, k1 * n2, -1])

    def _first_step(self, g: Graph, wavs: str, cosine: str, sine: str) -> str:
        # Y of all frames, [B, N2, K1 * 2, T]; real and imaginary in turn.
        kernels = self._kernels(g, cosine, sine)  # [N2, K1, 2, N1]
        # Frame t is centred on sample t * hop, with zeros around the signal:
        # so many samples lie between the first frame's end and the last
        # possible one. An odd n_fft has one zero less than a frame.
        span = g.size(wavs, 1)
        if self.n_fft % 2:
            span = g("Sub", span, [1])
        if self.hop % self.n2:
            return self._of_frames(g, wavs, kernels, span)
        return self._of_blocks(g, wavs, kernels, span)

    def _kernels(self, graph: Graph, cosine: str, sine: str) -> str:
        g = functools.partial(graph, part="t")
        k1 = graph("Unsqueeze", _range(graph, self.k1), [1])  # [K1, 1]
        n = graph("Unsqueeze", self._samples(graph), [1])  # [N2, 1, N1]
        turn = graph("Mod", graph("Mul", n, k1), self.n_fft)
        window = g("Gather", self.window, n)
        real = g("Mul", g("Gather", cosine, turn), window)
        imag = g("Neg", g("Mul", g("Gather", sine, turn), window))
        real, imag = (g("Unsqueeze", value, [2]) for value in (real, imag))
        return g("Concat", real, imag, axis=2)

    def _samples(self, g: Graph) -> str:
        # n = N2 n1 + n2, [N2, N1]
        n2 = g("Unsqueeze", _range(g, self.n2), [1])
        return g("Add", n2, g("Mul", _range(g, self.n1), self.n2))

    def _of_blocks(
        self, graph: Graph, wavs: str, kernels: str, span: str
    ) -> str:
        # Zeros around the signal, up to a multiple of N2 samples.
        g = functools.partial(graph, part="t")
        n2, half = self.n2, self.n_fft // 2
        right = graph("Sub", [half], graph("Mod", span, [n2]))
        wavs = g("Pad", wavs, graph("Concat", [0, half, 0], right, axis=0))
        blocks = g("Reshape", wavs, [0, -1, n2])
        blocks = g("Transpose", blocks, perm=[0, 2, 1])
        kernels = g("Reshape", kernels, [n2 * self.k1 * 2, 1, self.n1])
        return g("Conv", blocks, kernels, group=n2, strides=[self.hop // n2])

    def _of_frames(
        self, graph: Graph, wavs: str, kernels: str, span: str
    ) -> str:
        # The hop is no multiple of N2: samples of frames are copied out.
        g = functools.partial(graph, part="t")
        half = self.n_fft // 2
        wavs = g("Pad", wavs, [0, half, 0, half])
        frames = graph("Add", graph("Div", span, [self.hop]), [1])
        start = graph("Range", 0, graph("Squeeze", frames), 1)
        start = graph("Mul", start, self.hop)  # [T]
        n = graph("Unsqueeze", self._samples(graph), [2])  # [N2, N1, 1]
        x = g("Gather", wavs, graph("Add", n, start), axis=1)  # [B, N2, N1, T]
        kernels = g("Reshape", kernels, [self.n2, self.k1 * 2, self.n1])
        return g("MatMul", kernels, x)

    def _second_matrix(self, graph: Graph, cosine: str, sine: str) -> str:
        # Complex numbers as pairs: rows are the real parts of all k2, then
        # the imaginary ones; columns are those of all n2. The turns n2 k2 / N2
        # are every N1-th of the tables.
        g = functools.partial(graph, part="t")
        index = _range(graph, self.n2)
        turn = graph("Mul", index, graph("Unsqueeze", index, [1]))
        turn = graph("Mul", graph("Mod", turn, self.n2), self.n1)
        real = g("Gather", cosine, turn)
        imag = g("Gather", sine, turn)  # minus the imaginary part
        top = g("Concat", real, imag, axis=1)
        bottom = g("Concat", g("Neg", imag), real, axis=1)
        return g("Concat", top, bottom, axis=0)


def _range(g: Graph, stop: int) -> str:
    return g("Range", 0, stop, 1)
