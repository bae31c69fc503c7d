"""The pictures of a report, as PNG of few colours.

Colours are Okabe and Ito's, which people with any colour vision can tell
apart. Figures keep their white ground on a dark page.

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import dataclasses
import io
import itertools
from typing import Any

import numpy as np
import pandas
import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from speechbrain_hrf.studies.answer import headline
from speechbrain_hrf.studies.paper import place
from speechbrain_hrf.studies.results import Results, name_rows
from speechbrain_hrf.studies.statistics import (
    ALL_MODELS,
    BEST,
    SAME,
    Comparisons,
)
from speechbrain_hrf.studies.tables import signed
from speechbrain_hrf.studies.trial import LIGHTWEIGHT

# Blue and orange first; from the twelfth arm on they are used again.
COLOURS = (
    *("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"),
    *("#8A6D00", "#000000", "#7B3294", "#A6D854", "#A50026"),
)
GREY = "#6E6E6E"  # of the lightweight model
AXES = {
    "ratio": ("expansion ratio", ", like the paper's Figures 4-6"),
    "layers": ("extra layers", ", like the paper's Figures 7-9"),
    "activation": ("activation", ", like the paper's Figures 10-12"),
    "lr": ("learning rate", ""),
}


@dataclasses.dataclass(frozen=True)
class Picture:
    """A figure that was drawn.

    Arguments
    ---------
    png : bytes
    caption : str
        What is seen and how to read it.
    alt : str
        What it shows, for those who do not see it.
    narrow : bytes, optional
        The same for a phone.

    Example
    -------
    >>> Picture(b"", "A line.", "It goes up.").narrow is None
    True
    """

    png: bytes
    caption: str
    alt: str
    narrow: bytes | None = None


def make_panels(
    number: int, width: float, height: float, columns: int = 3, **options: Any
) -> tuple[Figure, list[Axes]]:
    """A figure with small panels, row by row.

    Arguments
    ---------
    number : int
    width, height : float
        Of one panel, inches.
    columns : int
        At most.
    **options
        For ``Figure.subplots``, such as ``sharey``.

    Returns
    -------
    matplotlib.figure.Figure
    list of matplotlib.axes.Axes
        As many as panels.

    Example
    -------
    >>> figure, axes = make_panels(4, 2, 2)
    >>> len(axes), figure.get_size_inches().tolist()
    (4, [6.0, 4.0])
    """
    columns = min(columns, number)
    rows = -(-number // columns)
    # The figure object alone: pyplot would switch the whole process's backend.
    figure = Figure((width * columns, height * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, **options).ravel()
    for unused in axes[number:]:
        unused.set_axis_off()
    for used in axes[:number]:
        used.tick_params(labelsize=8, labelbottom=True)
        used.spines[["top", "right"]].set_visible(False)
    return figure, list(axes[:number])


def draw_png(figure: Figure) -> bytes:
    """A figure as PNG of at most 96 colours, a third of the usual size.

    Arguments
    ---------
    figure : matplotlib.figure.Figure

    Returns
    -------
    bytes

    Example
    -------
    >>> draw_png(make_panels(1, 2, 2)[0])[:4]
    b'\\x89PNG'
    """
    drawn, small = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, dpi=110, format="png")
    image = Image.open(drawn).convert("RGB")
    image = image.quantize(96, Image.Quantize.MAXCOVERAGE)
    image.save(small, format="PNG", optimize=True)
    return small.getvalue()


def draw_differences(
    results: Results, comparisons: Comparisons
) -> Picture | None:
    """The differences with intervals: a row per arm, a column per model.

    Arguments
    ---------
    results : Results
    comparisons : Comparisons

    Returns
    -------
    Picture or None
        None if nothing was compared.

    Example
    -------
    >>> nothing = pandas.DataFrame({"model": [], "family": [], "low": []})
    >>> draw_differences(None, Comparisons(nothing, {}, None)) is None
    True
    """
    table = comparisons.table
    table = table[
        (table["model"] != ALL_MODELS) & (table["family"] != "original")
    ]
    if not len(table):
        return None
    models = [m for m in results.models if m in set(table["model"])]
    rows = sorted(set(table["row"]), key=place)
    height = 1.0 + 0.33 * len(rows)
    drawn = []
    for columns, width in ((3, 2.4), (1, 4.0)):
        figure, axes = make_panels(
            len(models), width, height, columns, sharey=True, sharex=True
        )
        if columns > 1:  # room for the arms' names
            figure.set_size_inches(width * len(models) + 1.9, height)
        for panel, model in zip(axes, models, strict=True):
            _draw_model(panel, table[table["model"] == model], rows)
            panel.set_title(model, fontsize=10)
        figure.supxlabel(
            f"difference in {results.compared} to {LIGHTWEIGHT}", fontsize=9
        )
        _draw_legend(figure, axes[0], "upper")
        drawn.append(draw_png(figure))
    ends = table.sort_values("difference").iloc[[0, -1]].to_dict("records")
    low, high = (
        f"{signed(x['difference'])} ({x['model']}, {x['row']})" for x in ends
    )
    return Picture(
        drawn[0],
        f"Difference in {results.compared} to the lightweight model, mean over "
        "test speakers with its 95 % interval. Right of zero is better.",
        f"Differences go from {low} to {high}; the table has all of them.",
        drawn[1],
    )


def _draw_model(panel, lines, rows):
    several = lines["comparison"].nunique() > 1
    for k, comparison in enumerate((SAME, BEST)):
        some = lines[lines["comparison"] == comparison]
        centre = some["difference"]
        error = np.array([centre - some["low"], some["high"] - centre])
        places = some["row"].map(rows.index).astype(float)
        panel.errorbar(
            centre,
            places + several * (0.3 * k - 0.15),
            xerr=np.nan_to_num(error).clip(min=0),
            fmt="oD"[k],
            label=comparison,
            markersize=5,
            capsize=2.5,
            color=COLOURS[k],
        )
    panel.axvline(0, color="black", linewidth=0.8)
    panel.set_yticks(range(len(rows)), rows)
    panel.set_ylim(len(rows) - 0.5, -0.5)
    panel.locator_params(axis="x", nbins=5)
    panel.grid(axis="x", alpha=0.3)


def _draw_legend(figure, panel, where):
    handles, names = panel.get_legend_handles_labels()
    options = {"ncols": min(len(names), 4), "fontsize": 8, "frameon": False}
    figure.legend(handles, names, loc=f"outside {where} center", **options)


def draw_epochs(results: Results, runs: pandas.DataFrame) -> list[Picture]:
    """Test scores at some epochs, training loss, validation scores.

    Arguments
    ---------
    results : Results
    runs : pandas.DataFrame
        Of ``runs_at``.

    Returns
    -------
    list of Picture
        Those that lines have values for.

    Example
    -------
    >>> runs = pandas.DataFrame({"family": []})
    >>> draw_epochs(Results(None, [{"metric": "UA"}], None, [], [], []), runs)
    []
    """
    metric = results.metric
    points = []
    for run in runs[runs["family"] != "original"].to_dict("records"):
        line = results.lines[run["line"]]
        at = {int(epoch): x[metric] for epoch, x in line["test_at"].items()}
        at |= {line["epoch"]: line["test"][metric]} if at else {}
        found = {f"test {metric}": (list(at), list(at.values()))}
        for key in ("train_loss", f"valid_{metric}"):
            found[key] = line["curves"]["epoch"], line["curves"].get(key, [])
        points += [
            (what, run["model"], run["row"], epoch, y)
            for what, (epochs, values) in found.items()
            for epoch, y in zip(epochs, values, strict=False)
        ]
    columns = ["what", "panel", "row", "x", "y"]
    table = pandas.DataFrame(points, columns=columns).dropna()
    words = {"train_": "training ", "valid_": "validation "}
    return [
        _draw_lines(
            some,
            "epoch",
            pandas.Series(what).replace(words, regex=True).item(),
            "Means over runs, at the same learning rate. Test scores are to be "
            "looked at only: nothing was chosen by them.",
        )
        for what, some in table.groupby("what", sort=False)
    ]


def draw_settings(
    results: Results, runs: pandas.DataFrame
) -> dict[str, Picture]:
    """Test scores over a setting, like the paper's Figures 4 to 12.

    Arguments
    ---------
    results : Results
    runs : pandas.DataFrame
        Of ``runs_at``.

    Returns
    -------
    dict of str: Picture
        By setting: those that some arm was run with several values of.

    Example
    -------
    >>> table = pandas.DataFrame({"family": []})
    >>> draw_settings(Results(None, [{"metric": "UA"}], table, [], [], []), table)
    {}
    """
    pictures = {}
    for key, (name, like) in AXES.items():
        source = results.table if key == "lr" else runs
        source = source[source["family"] != "original"]
        if not len(source):
            continue
        source = source.assign(
            row=name_rows(source, without=key),
            panel=source["model"],
            x=source[key],
            y=source[results.metric],
        )
        several = source.groupby(["model", "row"])["x"].transform("nunique") > 1
        if several.any():
            pictures[name] = _draw_lines(
                source[several],
                name,
                f"test {results.metric}",
                f"Means over runs{like}.",
            )
    return pictures


def _draw_lines(points, x, y, caption, columns=3, size=(3.2, 2.7)):
    """A panel per model (or layer), a line per arm."""
    rows = sorted(set(points["row"]), key=place)
    others = [row for row in rows if row != LIGHTWEIGHT]
    colours = dict(zip(others, itertools.cycle(COLOURS), strict=False))
    names = list(points["panel"].unique())
    figure, axes = make_panels(len(names), *size, columns, sharex=True)
    for panel, name in zip(axes, names, strict=True):
        some = points[points["panel"] == name]
        seaborn.lineplot(
            some,
            x="x",
            y="y",
            hue="row",
            hue_order=rows,
            palette={**colours, LIGHTWEIGHT: GREY},
            marker="o" if some["x"].nunique() < 9 else "",
            markersize=4,
            linewidth=1.4,
            errorbar=None,
            ax=panel,
        )
        panel.set(xlabel=x, ylabel="")
        panel.set_title(name, fontsize=9)
        panel.grid(alpha=0.3)
        if x in ("expansion ratio", "learning rate"):
            panel.set_xscale("log")
            panel.minorticks_off()
            ticks = sorted(some["x"].unique())
            panel.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    _draw_legend(figure, axes[0], "lower")
    for panel in axes:
        panel.get_legend().remove()
    figure.supylabel(y, fontsize=9)
    alt = f"{y} by {x}: {', '.join(rows)}."
    return Picture(draw_png(figure), caption, alt)


def draw_confusion(results: Results, runs: pandas.DataFrame) -> Picture | None:
    """Which class was taken for which: Lightweight and one arm per model.

    Arguments
    ---------
    results : Results
    runs : pandas.DataFrame
        Of ``runs_at``.

    Returns
    -------
    Picture or None
        None if there are neither.

    Example
    -------
    >>> draw_confusion(None, pandas.DataFrame({"model": [], "row": []}))
    """
    shares = {}
    for model, of_model in runs.groupby("model", sort=False):
        arms = of_model[of_model["family"].isin(["paper", "ours"])]
        chosen = [*headline(arms["row"]), *arms["row"]][:1]
        valid = arms.groupby("row")["valid"].mean().dropna()
        if len(valid):
            chosen = [valid.idxmax()]
        of_chosen = arms[arms["row"].isin(chosen)]["reference"]
        for row in [*of_chosen.dropna()[:1], *chosen] or [LIGHTWEIGHT]:
            lines = of_model["line"][of_model["row"] == row]
            if len(lines):
                total = sum(sum(results.counts[x].values()) for x in lines)
                share = total / total.sum(axis=1, keepdims=True).clip(min=1)
                shares[f"{model}: {row}"] = 100 * share
    if not shares:
        return None
    size = 0.9 + 0.3 * len(results.labels)
    figure, axes = make_panels(
        len(shares), size + 0.4, size + 0.3, 2, sharey=True
    )
    for panel, (name, share) in zip(axes, shares.items(), strict=True):
        seaborn.heatmap(
            pandas.DataFrame(share, results.labels, results.labels),
            vmin=0,
            vmax=100,
            cmap="Blues",
            cbar=False,
            annot=True,
            fmt=".0f",
            annot_kws={"fontsize": 7},
            ax=panel,
        )
        panel.tick_params(labelsize=7)
        panel.set_title(name, fontsize=8)
    figure.supxlabel("found", fontsize=9)
    figure.supylabel("true", fontsize=9)
    return Picture(
        draw_png(figure),
        "Percent of each true class that was found as which, over all runs at "
        "the same learning rate: the lightweight model and, of each model, the "
        "arm that validation prefers (without validation, one of the answer).",
        f"Matrices of {', '.join(shares)}.",
    )


def draw_spectra(
    results: Results, runs: pandas.DataFrame, model: str
) -> Picture | None:
    """Singular values of the merged weights, a panel per layer.

    Arguments
    ---------
    results : Results
    runs : pandas.DataFrame
        Of ``runs_at``.
    model : str

    Returns
    -------
    Picture or None
        None if lines hold none.

    Example
    -------
    >>> runs = pandas.DataFrame(columns=["model", "arm", "row", "line"])
    >>> draw_spectra(Results(None, [], runs, [], [], []), runs, "Conformer")
    """
    arms = [LIGHTWEIGHT, *headline(runs["arm"])]
    some = runs[(runs["model"] == model) & runs["arm"].isin(arms)]
    points = [
        (layer.removeprefix("embedding_model."), row, k / (len(values) - 1), y)
        for row, line in zip(some["row"], some["line"], strict=True)
        for layer, values in results.lines[line]["spectra"].items()
        if len(values) > 1
        for k, y in enumerate(values)
    ]
    if not points:
        return None
    return _draw_lines(
        pandas.DataFrame(points, columns=["panel", "row", "x", "y"]),
        "place",
        "share of the largest",
        f"{model}: singular values of each layer's merged weights, "
        "from the first (0) to the last (1), means over runs.",
        4,
        (2.4, 1.7),
    )
