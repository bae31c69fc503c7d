"""Arithmetic of sample ranges: windows over what is joined from several.

Ranges are [start, stop) in whole samples, so that nothing is ever rounded.

Example
-------
>>> speech = [(0, 6), (10, 18)]  # 14 samples when joined
>>> list(windows(speech, length=5, hop=4))
[[[0, 5]], [[4, 6], [10, 13]], [[12, 17]]]

Authors
 * The speechbrain_hrf authors 2026
"""


def windows(ranges, length, hop):
    """Full windows over ranges that are joined end to end.

    There are ``floor((total - length) / hop) + 1`` of them, none if the total
    is below the length; what remains at the end is left out.

    Arguments
    ---------
    ranges : list of (int, int)
        In the order in which they are joined; they may overlap.
    length : int
        Of a window, in samples.
    hop : int
        From one window's start to the next one's.

    Yields
    ------
    list of [int, int]
        The ranges of one window; their lengths add up to ``length``.

    Example
    -------
    >>> list(windows([(100, 104), (50, 53)], length=4, hop=3))
    [[[100, 104]], [[103, 104], [50, 53]]]
    >>> list(windows([(0, 3)], length=4, hop=3))
    []
    """
    total = sum(stop - start for start, stop in ranges)
    for begin in range(0, total - length + 1, hop):
        yield _cut(ranges, begin, begin + length)


def _cut(ranges, begin, end):
    """The part from begin to end of the joined ranges."""
    found, offset = [], 0
    for start, stop in ranges:
        first = max(begin - offset, 0)
        last = min(end - offset, stop - start)
        if first < last:
            found.append([start + first, start + last])
        offset += stop - start
    return found


def without(ranges, gap):
    """Ranges less what lies in a gap.

    Arguments
    ---------
    ranges : list of (int, int)
        In any order.
    gap : (int, int)
        What to take out.

    Returns
    -------
    list of (int, int)
        In the order given; a range around the gap becomes two.

    Example
    -------
    >>> without([(0, 4), (5, 9), (1, 9)], gap=(3, 6))
    [(0, 3), (6, 9), (1, 3), (6, 9)]
    """
    return [
        (start, stop)
        for one, other in ranges
        for start, stop in (
            (one, min(other, gap[0])),
            (max(one, gap[1]), other),
        )
        if start < stop
    ]
