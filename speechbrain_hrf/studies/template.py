"""The templates of a report, and what they may call.

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import base64
import pathlib
import re
from collections.abc import Sequence
from typing import Any

import jinja2
import markupsafe  # of jinja2's own

from speechbrain_hrf.studies import tables


def join_words(words: Sequence[str]) -> str:
    """Words in a sentence.

    Arguments
    ---------
    words : sequence of str

    Returns
    -------
    str

    Example
    -------
    >>> join_words(["a", "b", "c"]), join_words(["a"])
    ('a, b and c', 'a')
    """
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def render(template: str, **content: Any) -> str:
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
        loader=jinja2.FileSystemLoader(pathlib.Path(__file__).parent),
        autoescape=jinja2.select_autoescape(["html"]),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.globals |= {"tables": tables, "words": join_words}
    environment.filters["one_line"] = lambda text: " ".join(text.split())
    environment.filters["uri"] = lambda png: (
        f"data:image/png;base64,{base64.b64encode(png).decode()}"
    )
    environment.filters["code"] = lambda text: markupsafe.Markup(
        re.sub("`(.+?)`", r"<code>\1</code>", str(markupsafe.escape(text)))
    )
    return environment.get_template(template).render(**content)
