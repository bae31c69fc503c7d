"""Checks of the options that several preparers have, before any work.

Options come from a YAML file or a command line, where `0.1` may turn out to be
text, and `True` counts as 1 in Python.

Authors
 * The speechbrain_hrf authors 2026
"""


def check_choice(name, value, choices):
    """Refuses what is not one of a few words.

    Arguments
    ---------
    name : str
        What the option is called.
    value : object
        What was given.
    choices : iterable of str
        What may be given.

    Raises
    ------
    ValueError

    Example
    -------
    >>> check_choice("protocol", "random", ["paper", "held_out"])
    Traceback (most recent call last):
    ...
    ValueError: protocol is one of paper, held_out, not 'random'
    """
    if value not in tuple(choices):
        raise ValueError(
            f"{name} is one of {', '.join(choices)}, not {value!r}"
        )


def check_number(name, value, last, what="a whole number"):
    """Refuses what is no whole number from 1 on: 1.0 and True are none.

    Arguments
    ---------
    name : str
        What the option is called.
    value : object
        What was given.
    last : int
        The largest that may be given.
    what : str
        What it is the number of, for the error.

    Raises
    ------
    ValueError

    Example
    -------
    >>> check_number("fold", 6, 6)
    >>> check_number("fold", True, 6)
    Traceback (most recent call last):
    ...
    ValueError: fold is a whole number, 1 to 6, not True
    """
    if type(value) is not int or not 1 <= value <= last:
        raise ValueError(f"{name} is {what}, 1 to {last}, not {value!r}")


def check_share(value, name="max_unusable"):
    """Refuses what is no share of a whole.

    Arguments
    ---------
    value : object
        What was given.
    name : str
        What the option is called.

    Raises
    ------
    ValueError

    Example
    -------
    >>> check_share(0.01), check_share(0), check_share(1)
    (None, None, None)
    >>> check_share("0.1")
    Traceback (most recent call last):
    ...
    ValueError: max_unusable is a share, a number from 0 to 1, not '0.1'
    """
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 <= value <= 1:
        raise ValueError(
            f"{name} is a share, a number from 0 to 1, not {value!r}"
        )
