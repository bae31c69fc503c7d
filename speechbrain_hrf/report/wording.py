"""Figures as text: scores without a leading zero, a true minus sign.

Authors
 * The speechbrain_hrf authors 2026
"""

import math

MINUS = "\N{MINUS SIGN}"
NONE = "-"


def score(value, digits=3):
    """``.428``; ``-`` where there is none.

    Arguments
    ---------
    value : float or None
    digits : int

    Returns
    -------
    str

    Example
    -------
    >>> score(0.4284), score(1.0), score(float("nan"))
    ('.428', '1.000', '-')
    """
    if value is None or math.isnan(value):
        return NONE
    text = f"{abs(value):.{digits}f}"
    if text.startswith("0."):
        text = text[1:]
    return MINUS + text if value < 0 and float(text) else text


def signed(value, digits=3):
    """``+.012``, for differences.

    Arguments
    ---------
    value : float or None
    digits : int

    Returns
    -------
    str

    Example
    -------
    >>> signed(0.0124), signed(0.0)
    ('+.012', '.000')
    """
    text = score(value, digits)
    rounds_up = value is not None and value > 0 and float(text)
    return "+" + text if rounds_up else text


def interval(low, high):
    """``[+.004, +.020]``.

    Arguments
    ---------
    low, high : float

    Returns
    -------
    str

    Example
    -------
    >>> interval(0.004, 0.02)
    '[+.004, +.020]'
    """
    if math.isnan(low) or math.isnan(high):
        return NONE
    return f"[{signed(low)}, {signed(high)}]"


def probability(value):
    """``.031``, or ``< .001``.

    Arguments
    ---------
    value : float

    Returns
    -------
    str

    Example
    -------
    >>> probability(0.03125), probability(0.0625), probability(1e-9)
    ('.031', '.062', '< .001')
    """
    if math.isnan(value):
        return NONE
    return "< .001" if value < 0.0005 else score(value)


def spread(mean, deviation):
    """``.428 ± .052``; the mean alone where there is one value.

    Arguments
    ---------
    mean, deviation : float

    Returns
    -------
    str

    Example
    -------
    >>> spread(0.428, 0.052), spread(0.428, float("nan"))
    ('.428 ± .052', '.428')
    """
    text = score(mean)
    return text if math.isnan(deviation) else f"{text} ± {score(deviation)}"


def listed(words):
    """``a, b and c``.

    Arguments
    ---------
    words : list of str

    Returns
    -------
    str

    Example
    -------
    >>> listed(["a", "b", "c"]), listed(["a"])
    ('a, b and c', 'a')
    """
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def counted(number, noun):
    """``1 pair``, ``3 pairs``.

    Arguments
    ---------
    number : int
    noun : str
        In the singular; its plural ends in s.

    Returns
    -------
    str

    Example
    -------
    >>> counted(1, "pair"), counted(3, "pair")
    ('1 pair', '3 pairs')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
