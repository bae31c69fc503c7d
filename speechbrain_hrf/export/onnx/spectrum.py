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

import numpy as np
import torch

# A step's matrix must stay small; primes up to this are still fine.
LARGEST_FACTOR = 64


def factors(n_fft, hop):
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
    return min(pairs, key=lambda p: (hop % p[1] != 0 and sum(p), sum(p)))


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

    def __init__(self, stft):
        self.n_fft, self.hop = stft.n_fft, stft.hop_length
        for name, value in (
            ("center", True),
            ("pad_mode", "constant"),
            ("normalized_stft", False),
            ("onesided", True),
        ):
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
        window = stft.window.detach().to(torch.float32).cpu().numpy()
        self.window[left : left + stft.win_length] = window
        self.n1, self.n2 = factors(self.n_fft, self.hop)
        self.k1 = self.n1 // 2 + 1
        # Index of the one-sided spectrum by (k1, k2); the same bin may come
        # twice, as X[N - k] is X[k] conjugated.
        k = np.arange(self.k1)[:, None] + self.n1 * np.arange(self.n2)
        self.bins = np.minimum(k, self.n_fft - k)

    def power(self, graph, wavs):
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
        g, n2, k1 = graph, self.n2, self.k1
        cosine, sine = self._tables(g)
        y = self._first_step(g, wavs, cosine, sine)  # [B, N2, K1 * 2, T]
        y = g("Reshape", y, g.constant([0, n2, k1, 2, -1]), part="t")
        y = g("Transpose", y, perm=[0, 2, 3, 1, 4], part="t")
        y = g("Reshape", y, g.constant([0, k1, 2 * n2, -1]), part="t")
        # [K1, 2 * N2, T] of each signal, from the left [2 * N2, 2 * N2]
        x = g("MatMul", self._second_matrix(g, cosine, sine), y, part="t")
        x = g("Reshape", x, g.constant([0, k1, 2, n2, -1]), part="t")
        x = g("Mul", x, x, part="t")
        x = g("ReduceSum", x, g.constant([2]), keepdims=0, part="t")
        return g("Reshape", x, g.constant([0, k1 * n2, -1]), part="t")

    def _tables(self, g):
        # One period each; rounded once, from float64.
        angle = 2 * np.pi * np.arange(self.n_fft) / self.n_fft
        return (
            g.constant(np.cos(angle).astype(np.float32), "t"),
            g.constant(np.sin(angle).astype(np.float32), "t"),
        )

    def _first_step(self, g, wavs, cosine, sine):
        # Y of all frames, [B, N2, K1 * 2, T]; real and imaginary in turn.
        kernels = self._kernels(g, cosine, sine)  # [N2, K1, 2, N1]
        # Frame t is centred on sample t * hop, with zeros around the signal:
        # so many samples lie between the first frame's end and the last
        # possible one. An odd n_fft has one zero less than a frame.
        span = g.size(wavs, 1)
        if self.n_fft % 2:
            span = g("Sub", span, g.constant([1]))
        if self.hop % self.n2:
            return self._of_frames(g, wavs, kernels, span)
        return self._of_blocks(g, wavs, kernels, span)

    def _kernels(self, g, cosine, sine):
        k1 = g("Unsqueeze", _range(g, self.k1), g.constant([1]))  # [K1, 1]
        n = g("Unsqueeze", self._samples(g), g.constant([1]))  # [N2, 1, N1]
        turn = g("Mod", g("Mul", n, k1), g.constant(self.n_fft))
        window = g("Gather", g.constant(self.window, "t"), n, part="t")
        real = g("Mul", g("Gather", cosine, turn, part="t"), window, part="t")
        imag = g("Mul", g("Gather", sine, turn, part="t"), window, part="t")
        imag = g("Neg", imag, part="t")
        real, imag = (
            g("Unsqueeze", value, g.constant([2]), part="t")
            for value in (real, imag)
        )
        return g("Concat", real, imag, axis=2, part="t")

    def _samples(self, g):
        # n = N2 n1 + n2, [N2, N1]
        return g(
            "Add",
            g("Unsqueeze", _range(g, self.n2), g.constant([1])),
            g("Mul", _range(g, self.n1), g.constant(self.n2)),
        )

    def _of_blocks(self, g, wavs, kernels, span):
        # Zeros around the signal, up to a multiple of N2 samples.
        n2, half = self.n2, self.n_fft // 2
        excess = g("Mod", span, g.constant([n2]))
        right = g("Sub", g.constant([half]), excess)
        pads = g("Concat", g.constant([0, half, 0]), right, axis=0)
        wavs = g("Pad", wavs, pads, part="t")
        blocks = g("Reshape", wavs, g.constant([0, -1, n2]), part="t")
        blocks = g("Transpose", blocks, perm=[0, 2, 1], part="t")
        shape = g.constant([n2 * self.k1 * 2, 1, self.n1])
        return g(
            "Conv",
            blocks,
            g("Reshape", kernels, shape, part="t"),
            group=n2,
            strides=[self.hop // n2],
            part="t",
        )

    def _of_frames(self, g, wavs, kernels, span):
        # A hop that is no multiple of N2: the frames are copied out.
        half = self.n_fft // 2
        wavs = g("Pad", wavs, g.constant([0, half, 0, half]), part="t")
        frames = g("Div", span, g.constant([self.hop]))
        frames = g("Squeeze", g("Add", frames, g.constant([1])))
        start = g("Range", g.constant(0), frames, g.constant(1))
        start = g("Mul", start, g.constant(self.hop))  # [T]
        n = g("Unsqueeze", self._samples(g), g.constant([2]))  # [N2, N1, 1]
        index = g("Add", n, start)  # [N2, N1, T]
        x = g("Gather", wavs, index, axis=1, part="t")
        shape = g.constant([self.n2, self.k1 * 2, self.n1])
        kernels = g("Reshape", kernels, shape, part="t")
        return g("MatMul", kernels, x, part="t")

    def _second_matrix(self, g, cosine, sine):
        # Complex numbers as pairs: rows are the real parts of all k2, then
        # the imaginary ones; columns are those of all n2. The turns n2 k2 / N2
        # are every N1-th of the tables.
        n2 = self.n2
        index = _range(g, n2)
        turn = g("Mul", index, g("Unsqueeze", index, g.constant([1])))
        turn = g("Mod", turn, g.constant(n2))
        turn = g("Mul", turn, g.constant(self.n1))
        real = g("Gather", cosine, turn, part="t")
        imag = g("Gather", sine, turn, part="t")  # minus the imaginary part
        top = g("Concat", real, imag, axis=1, part="t")
        bottom = g("Concat", g("Neg", imag, part="t"), real, axis=1, part="t")
        return g("Concat", top, bottom, axis=0, part="t")


def _range(g, stop):
    return g("Range", g.constant(0), g.constant(stop), g.constant(1))
