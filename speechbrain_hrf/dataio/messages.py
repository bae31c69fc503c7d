"""What all preparers say in the same words.

Authors
 * The speechbrain_hrf authors 2026
"""

import os


def shown(names, limit=10):
    """The first few of many names, and how many more there are.

    Arguments
    ---------
    names : list
        Anything with a text.
    limit : int
        How many are shown.

    Returns
    -------
    str

    Example
    -------
    >>> shown(["a", "b"]), shown([1, 2, 3, 4], limit=2)
    ('a, b', '1, 2 and 2 more')
    """
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(map(str, names[:limit])) + more


def found_in(folder):
    """What is in a folder that does not hold what was expected.

    Arguments
    ---------
    folder : str or os.PathLike
        A folder.

    Returns
    -------
    str
        A sentence without its full stop.

    Example
    -------
    >>> folder = getfixture("tmpdir")
    >>> found_in(folder.strpath)
    'Found: an empty folder'
    >>> folder.join("a.txt").write("")
    >>> found_in(folder.strpath)
    'Found: a.txt'
    """
    return f"Found: {shown(sorted(os.listdir(folder))) or 'an empty folder'}"


def other_counts(found, paper):
    """Every count that is not the paper's.

    Arguments
    ---------
    found, paper : dict of dict
        Part of the corpus -> {what is counted -> how many}. What `found`
        lacks counts as 0.

    Returns
    -------
    list of str
        In the order of `paper`.

    Example
    -------
    >>> paper = {"train": {"sad": 839, "angry": 933}}
    >>> other_counts({"train": {"sad": 839, "angry": 900}}, paper)
    ['train angry 900 (paper 933)']
    """
    return [
        f"{part} {what} {found.get(part, {}).get(what, 0)} (paper {count})"
        for part, counts in paper.items()
        for what, count in counts.items()
        if found.get(part, {}).get(what, 0) != count
    ]
