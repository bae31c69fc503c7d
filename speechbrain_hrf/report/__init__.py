"""What a study's trials say: tables, tests, figures and a plain sentence.

    python -m speechbrain_hrf.report <study folder>

reads ``trials.jsonl`` (load.py), compares arms (comparisons.py, paired.py),
puts the result into words (answer.py) and writes ``report.md``,
``report.html`` and their tables and figures (write.py) into the same folder.

Authors
 * The speechbrain_hrf authors 2026
"""

from speechbrain_hrf.extras import require

_PACKAGES = ("pandas", "scipy", "pingouin", "jinja2")

__all__ = ["readme_text", "write_report"]


def write_report(folder):
    """Writes report.md, report.html, report_*.csv and report_*.png.

    Arguments
    ---------
    folder : str or os.PathLike
        Of a study, with trials.jsonl.

    Returns
    -------
    list of pathlib.Path
        What was written.

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or no finished trial in it.
    ValueError
        If its lines are no trials, or cannot be compared: which, and the fix.
    ImportError
        If what the extra ``sweep`` installs is missing.

    Example
    -------
    >>> write_report("results/none")
    Traceback (most recent call last):
        ...
    FileNotFoundError: There is no folder results/none...
    """
    require("sweep", _PACKAGES, "The report")
    from speechbrain_hrf.report.write import write

    return write(folder)


def readme_text(folder):
    """The answer and its table in short, as Markdown.

    Arguments
    ---------
    folder : str or os.PathLike
        As for ``write_report``, with the same errors. Nothing is written.

    Returns
    -------
    str

    Example
    -------
    >>> readme_text("results/none")
    Traceback (most recent call last):
        ...
    FileNotFoundError: There is no folder results/none...
    """
    require("sweep", _PACKAGES, "The report")
    from speechbrain_hrf.report.readme import short_text

    return short_text(folder)
