"""A study's progress as text.

Authors
 * The speechbrain_hrf authors 2026
"""


def as_table(progress):
    """A row per arm: how far it is, and its validation score so far.

    Arguments
    ---------
    progress : Progress

    Returns
    -------
    str

    Example
    -------
    >>> from speechbrain_hrf.sweep.progress import Progress
    >>> from speechbrain_hrf.sweep.trial import Trial
    >>> trials = [
    ...     Trial("X", "conformer", "ALL", {"lr": lr, "seed": seed}, "UA")
    ...     for seed in (1, 2) for lr in (0.1, 0.2)]
    >>> progress = Progress(trials, [], "UA", 1, {"seed"}, now=lambda: 0)
    >>> progress.finished(trials[0].id, valid=0.4, seconds=50)
    >>> progress.finished(trials[2].id, valid=0.5, seconds=50)
    >>> print(as_table(progress))
    model      arm  options  done  valid UA
    ---------  ---  -------  ----  -----------
    conformer  ALL  lr 0.1   2/2   .450 ± .071
    conformer  ALL  lr 0.2   0/2
    """
    rows = progress.rows()
    # A column in which nothing stands would only take place.
    extra = [
        (name, [count(row) for row in rows])
        for name, count in (
            ("options", lambda row: row.name[2]),
            ("running", lambda row: row.running or ""),
            ("failed", lambda row: row.failed or ""),
        )
    ]
    options, *states = [
        [(name, cells)] if any(cells) else [] for name, cells in extra
    ]
    columns = [
        ("model", [row.name[0] for row in rows]),
        ("arm", [row.name[1] for row in rows]),
        *options,
        ("done", [f"{row.done}/{row.total}" for row in rows]),
        *[column for state in states for column in state],
        (f"valid {progress.metric}", [_score(row) for row in rows]),
    ]
    return as_columns(columns)


def as_columns(columns):
    """Text in columns.

    Arguments
    ---------
    columns : list of (str, list)
        Heads and cells.

    Returns
    -------
    str

    Example
    -------
    >>> print(as_columns([("a", [1, 22]), ("bcd", ["x", ""])]))
    a   bcd
    --  ---
    1   x
    22
    """
    texts = [[head, *map(str, cells)] for head, cells in columns]
    widths = [max(map(len, cells)) for cells in texts]
    lines = list(zip(*texts, strict=True))
    lines.insert(1, tuple("-" * width for width in widths))
    return "\n".join(
        "  ".join(
            cell.ljust(width) for cell, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in lines
    )


def status(progress):
    """How many trials are in which state, and the time to go.

    Arguments
    ---------
    progress : Progress

    Returns
    -------
    str

    Example
    -------
    >>> from speechbrain_hrf.sweep.progress import Progress
    >>> from speechbrain_hrf.sweep.trial import Trial
    >>> trials = [
    ...     Trial("X", "conformer", "ALL", {"seed": seed}, "UA")
    ...     for seed in (1, 2, 3)]
    >>> progress = Progress(trials, [], "UA", 1, {"seed"}, now=lambda: 0)
    >>> progress.finished(trials[0].id, valid=0.4, seconds=50)
    >>> print(status(progress))
    1 of 3 trials done, 0 running, 2 waiting, 0 failed; 0 s, about 100 s to go
    """
    counts = progress.counts()
    to_go = progress.seconds_to_go()
    return (
        f"{counts['done']} of {progress.total} trials done, "
        f"{counts['running']} running, {counts['waiting']} waiting, "
        f"{counts['failed']} failed; {duration(progress.elapsed())}"
        + ("" if to_go is None else f", about {duration(to_go)} to go")
    )


def duration(seconds):
    """Seconds as a reader says it.

    Arguments
    ---------
    seconds : float

    Returns
    -------
    str

    Example
    -------
    >>> duration(100), duration(200), duration(8000), duration(200_000)
    ('100 s', '3 min', '2 h 13 min', '2 d 8 h')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    hours = round(seconds / 3600)
    return f"{hours // 24} d {hours % 24} h"


def decimals(value):
    """A score with three digits, or a dash.

    Arguments
    ---------
    value : float or None

    Returns
    -------
    str

    Example
    -------
    >>> decimals(0.4567), decimals(1.0), decimals(None)
    ('.457', '1.000', '-')
    """
    return "-" if value is None else f"{value:.3f}".replace("0.", ".", 1)


def _score(row):
    if row.mean is None:
        return "-" if row.done else ""
    text = decimals(row.mean)
    return (
        text if row.deviation is None else f"{text} ± {decimals(row.deviation)}"
    )
