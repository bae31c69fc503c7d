"""The templates of a report, and what they may call.

Authors
 * The speechbrain_hrf authors 2026
"""

import base64

import jinja2

from speechbrain_hrf.studies import tables


def join_words(words: list[str], most: int | None = None) -> str:
    """Words in a sentence.

    Arguments
    ---------
    words : list of str
    most : int, optional
        Of more the last ones are only counted.

    Returns
    -------
    str

    Example
    -------
    >>> join_words(["a", "b", "c"]), join_words(["a", "b", "c"], 2)
    ('a, b and c', 'a and 2 more')
    """
    if most and len(words) > most:
        words = [*words[: most - 1], f"{len(words) - most + 1} more"]
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def render(template: str, **content: object) -> str:
    """Fills a template of this folder; one of HTML escapes what it is given.

    Arguments
    ---------
    template : str
        Its name.
    **content
        All that it refers to.

    Returns
    -------
    str

    Raises
    ------
    jinja2.UndefinedError
        If something is lacking.

    Example
    -------
    >>> render("report_terms.md")[:11]
    'Lightweight'
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("speechbrain_hrf", "studies"),
        autoescape=jinja2.select_autoescape(),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.globals |= {"tables": tables, "words": join_words}
    environment.filters["base64"] = lambda png: base64.b64encode(png).decode()
    return environment.get_template(template).render(**content)
