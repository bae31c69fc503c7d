"""Renders a report and puts it into its study's folder, file by whole file.

Authors
 * The speechbrain_hrf authors 2026
"""

import base64
import os
import pathlib

import jinja2

from speechbrain_hrf.dataio.partial_folder import (
    partial_folder,
    remove_abandoned,
)
from speechbrain_hrf.report.content import build
from speechbrain_hrf.report.load import load_trials

PREFIX = "report"
PAGES = {"report.md": "page.md", "report.html": "page.html"}


def write(folder):
    """Writes a study's report.

    Everything is made aside and moved to its place when it is complete. What
    an earlier report left (``report_*``) and this one does not have goes.

    Arguments
    ---------
    folder : str or os.PathLike

    Returns
    -------
    list of pathlib.Path

    Example
    -------
    >>> write("results/none")
    Traceback (most recent call last):
        ...
    FileNotFoundError: There is no folder results/none...
    """
    trials = load_trials(folder)
    folder = pathlib.Path(folder)
    remove_abandoned(folder)
    with partial_folder(folder / PREFIX) as aside:
        content = build(trials, aside)
        for name, table in content.data.items():
            (aside / name).write_text(as_csv(table), encoding="utf-8")
        for name, template in PAGES.items():
            text = render(content, template, aside)
            (aside / name).write_text(text, encoding="utf-8")
        new = sorted(path.name for path in aside.iterdir())
        for name in new:
            os.replace(aside / name, folder / name)
    for path in folder.glob(f"{PREFIX}_*"):
        if path.name not in new and path.suffix in (".csv", ".png"):
            path.unlink()
    first = list(PAGES)
    return [
        folder / name
        for name in (*first, *(name for name in new if name not in first))
    ]


def render(content, template, folder):
    """Fills in one of the package's templates.

    Arguments
    ---------
    content : Content
    template : str
        ``page.md`` or ``page.html``.
    folder : pathlib.Path
        Where the pictures lie.

    Returns
    -------
    str

    Example
    -------
    >>> from speechbrain_hrf.report.content import Content
    >>> answer = [("Overall", ["Nothing."])]
    >>> content = Content("A <b>", "", False, [], answer, [], {})
    >>> "<h1>A &lt;b&gt;</h1>" in render(content, "page.html", None)
    True
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(pathlib.Path(__file__).parent),
        autoescape=jinja2.select_autoescape(["html"]),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["cell"] = lambda text: text.replace("|", "\\|")
    environment.globals["embedded"] = lambda file: _data_uri(folder / file)
    return environment.get_template(template).render(content=content)


def _data_uri(path):
    content = base64.b64encode(path.read_bytes()).decode()
    return f"data:image/png;base64,{content}"


def as_csv(table):
    """A table as CSV text; the numbers of a list are set apart by spaces.

    Arguments
    ---------
    table : pandas.DataFrame

    Returns
    -------
    str

    Example
    -------
    >>> import pandas
    >>> as_csv(pandas.DataFrame({"row": ["FFN2"], "tried": [[0.1, 0.2]]}))
    'row,tried\\nFFN2,0.1 0.2\\n'
    """
    table = table.map(
        lambda x: " ".join(map(str, x)) if isinstance(x, list) else x
    )
    return table.to_csv(index=False, float_format="%.6g", lineterminator="\n")
