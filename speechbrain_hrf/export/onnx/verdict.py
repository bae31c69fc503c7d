"""Is another version of a graph better? Size, time and accuracy say.

A claim is made only for what was measured: times against the scatter of one
and the same file, accuracy on labelled recordings.

Authors
 * The speechbrain_hrf authors 2026
"""

from typing import NamedTuple

# A smaller difference is not worth a second file.
LEAST = 0.05
# What WA or UA may lose, as a share. On a test set of 240 recordings, two.
LOSS = 0.01
# Among fewer labelled recordings, such a loss is less than one of them.
FEWEST = round(1 / LOSS)
SECONDS = 5  # of the signal that is timed


class Comparison(NamedTuple):
    """A graph before and after.

    Arguments
    ---------
    bytes : tuple of int
        Before, after.
    milliseconds : tuple of float
        For 5 s of audio on one thread: medians.
    time_ratio, control : tuple of float
        Quartiles and median of the ratio of times, round by round: after to
        before, and of a second copy of before to before.
    n : int
        Recordings that were compared.
    agree : int
        On so many of them the labels are the same.
    max_difference : float
        Largest one of a log-probability.
    audio : str
        What was compared.
    n_labelled : int
        Recordings whose true label is known.
    WA, UA : tuple of float, or None
        On those, before and after; None if there are none.

    Example
    -------
    >>> gain, sentence = EXAMPLE.verdict()
    >>> gain
    True
    >>> slower = EXAMPLE._replace(time_ratio=(1.2, 1.3, 1.4))
    >>> print(slower.verdict()[1])
    No gain: 1.30 times the time.
    >>> print(EXAMPLE._replace(UA=(0.5, 0.4)).verdict()[1])
    No gain: UA falls by 10.0 points.
    >>> print(EXAMPLE._replace(bytes=(50, 49)).verdict()[1])
    No gain: as large, and the same time within noise.
    """

    bytes: tuple
    milliseconds: tuple
    time_ratio: tuple
    control: tuple
    n: int
    agree: int
    max_difference: float
    audio: str
    n_labelled: int
    WA: tuple
    UA: tuple

    def verdict(self):
        """Whether the change is a gain: better in something, worse in nothing.

        Returns
        -------
        bool
        str
            A sentence that says why.
        """
        size = self.bytes[1] / self.bytes[0]
        low, ratio, high = self.time_ratio
        # As one file scatters against itself, two files may.
        least, _, most = self.control
        smaller, larger = size <= 1 - LEAST, size >= 1 + LEAST
        faster = ratio <= 1 - LEAST and high < least
        slower = ratio >= 1 + LEAST and low > most
        losses = {
            name: before - after
            for name, (before, after) in (
                ("WA", self.WA or (0, 0)),
                ("UA", self.UA or (0, 0)),
            )
        }
        against = []
        if larger:
            against.append(f"{size:.2f} times the size")
        if slower:
            against.append(f"{ratio:.2f} times the time")
        for name, loss in losses.items():
            if loss > LOSS:
                against.append(f"{name} falls by {100 * loss:.1f} points")
        if against:
            return False, f"No gain: {', '.join(against)}."
        of_size = f"{100 * (1 - size):.0f} % smaller" if smaller else "as large"
        of_time = (
            f"{ratio:.2f} times the time"
            if faster
            else "the same time within noise"
        )
        if not (smaller or faster):
            return False, f"No gain: {of_size}, and {of_time}."
        if self.n_labelled < FEWEST:
            return False, (
                f"No gain is claimed: {of_size}, and {of_time}, but how "
                "accurate it is is not known: labelled recordings of the test "
                f"set at hand: {self.n_labelled}, needed: {FEWEST}."
            )
        return True, (
            f"A gain: {of_size}, and {of_time}, at "
            "WA {:.4f} -> {:.4f}, ".format(*self.WA)
            + "UA {:.4f} -> {:.4f}, ".format(*self.UA)
            + f"{self.agree} of {self.n} labels unchanged."
        )

    def lines(self):
        """The figures, for people.

        Returns
        -------
        list of str

        Example
        -------
        >>> for line in EXAMPLE.lines():
        ...     print(line)
        size      50,000 -> 25,000 bytes
        time      2.00 -> 2.00 ms (5 s, one thread), 0.98-1.02 times; the same
                  file against itself 0.98-1.02
        labels    239 of 240 agree, log-probabilities within 3.0e-02
        WA        0.5000 -> 0.5000
        UA        0.4900 -> 0.4950
        audio     240 recordings, 240 of them labelled
        """
        low, _, high = self.time_ratio
        least, _, most = self.control
        lines = [
            "size      {:,} -> {:,} bytes".format(*self.bytes),
            "time      {:.2f} -> {:.2f} ms".format(*self.milliseconds)
            + f" ({SECONDS} s, one thread), {low:.2f}-{high:.2f} times; the "
            f"same file against itself {least:.2f}-{most:.2f}",
            f"labels    {self.agree} of {self.n} agree, log-probabilities "
            f"within {self.max_difference:.1e}",
        ]
        for name, scores in (("WA", self.WA), ("UA", self.UA)):
            if scores:
                lines.append(
                    f"{name}        {scores[0]:.4f} -> {scores[1]:.4f}"
                )
            else:
                lines.append(f"{name}        not known")
        labelled = f", {self.n_labelled} of them labelled"
        return [*lines, f"audio     {self.audio}{labelled}"]


EXAMPLE = Comparison(
    bytes=(50000, 25000),
    milliseconds=(2.0, 2.0),
    time_ratio=(0.98, 1.0, 1.02),
    control=(0.98, 1.0, 1.02),
    n=240,
    agree=239,
    max_difference=0.03,
    audio="240 recordings",
    n_labelled=240,
    WA=(0.5, 0.5),
    UA=(0.49, 0.495),
)
