"""The pictures of a report.

Authors
 * The speechbrain_hrf authors 2026
"""

import numpy as np
import pandas
import seaborn

from speechbrain_hrf.studies import panels, paper, statistics, tables
from speechbrain_hrf.studies.answer import headline
from speechbrain_hrf.studies.results import Results
from speechbrain_hrf.studies.rows import name_rows
from speechbrain_hrf.studies.trial import LIGHTWEIGHT

AXES = {
    "ratio": ("expansion ratio", ", like the paper's Figures 4-6"),
    "layers": ("extra layers", ", like the paper's Figures 7-9"),
    "activation": ("activation", ", like the paper's Figures 10-12"),
    "lr": ("learning rate", ""),
}


def draw_differences(
    results: Results, comparisons: statistics.Comparisons
) -> panels.Picture | None:
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
    >>> draw_differences(None, statistics.Comparisons(nothing, None)) is None
    True
    """
    table = comparisons.table.query(
        f"model != '{statistics.ALL_MODELS}' and family != 'original'"
    )
    if not len(table):
        return None
    models = table.groupby("model", sort=False)
    rows = sorted(set(table["row"]), key=paper.place)
    height = 1.0 + 0.33 * len(rows)
    drawn = []
    for columns, width in ((3, 2.4), (1, 4.0)):
        figure, axes = panels.make_panels(
            len(models), width, height, columns, sharey=True, sharex=True
        )
        if columns > 1:  # room for the arms' names
            figure.set_figwidth(figure.get_figwidth() + 1.9)
        for panel, (model, lines) in zip(axes, models, strict=True):
            _draw_model(panel, lines, rows)
            panel.set_title(model, fontsize=10)
        figure.supxlabel(
            f"difference in {results.compared} to {LIGHTWEIGHT}", fontsize=9
        )
        if table["comparison"].nunique() > 1:
            panels.draw_legend(figure, axes[0], "upper")
        drawn.append(panels.draw_png(figure))
    return panels.Picture(
        drawn[0],
        f"Difference in {results.compared} to the lightweight model, mean over "
        f"test {tables.plural(results.common['unit'])} with its 95 % interval. Right "
        "of zero is better.",
        "Differences with their intervals: all of them are in the table.",
        drawn[1],
    )


def _draw_model(panel, lines, rows):
    several = lines["comparison"].nunique() > 1
    markers = {statistics.SAME: "o", statistics.BEST: "D"}
    for k, (comparison, marker) in enumerate(markers.items()):
        some = lines[lines["comparison"] == comparison]
        centre = some["difference"]
        error = np.array([centre - some["low"], some["high"] - centre])
        places = some["row"].map(rows.index).astype(float)
        panel.errorbar(
            centre,
            places + several * (0.3 * k - 0.15),
            xerr=np.nan_to_num(error).clip(min=0),
            fmt=marker,
            label=comparison,
            markersize=5,
            capsize=2.5,
            color=panels.COLOURS[k],
        )
    panel.axvline(0, color="black", linewidth=0.8)
    panel.set_yticks(range(len(rows)), rows)
    panel.set_ylim(len(rows) - 0.5, -0.5)
    panel.locator_params(axis="x", nbins=5)
    panel.grid(axis="x", alpha=0.3)


def draw_epochs(results: Results) -> list[panels.Picture]:
    """Test scores at some epochs, training loss, validation scores.

    Arguments
    ---------
    results : Results

    Returns
    -------
    list of Picture
        Those that lines have values for.

    Example
    -------
    >>> table = pandas.DataFrame([{"model": "Conformer", "row": "ALL",
    ...     "arm": "ALL", "family": "paper", "lr": 0.1, "metric": "UA",
    ...     "test_at": {}, "curves": {"epoch": [1], "train_loss": [2.0]}}])
    >>> [picture.alt for picture in draw_epochs(Results(None, table, []))]
    ['training loss by epoch: ALL.']
    """
    metric, points = results.metric, []
    curves = {"train_loss": "training loss"}
    curves[f"valid_{metric}"] = f"validation {metric}"
    for run in results.arms.to_dict("records"):
        at = {int(epoch): x[metric] for epoch, x in run["test_at"].items()}
        at |= {run["epoch"]: run[metric]} if at else {}
        found = {f"test {metric}": at.items()}
        for key, what in curves.items():
            x, y = (run["curves"].get(k, []) for k in ("epoch", key))
            found[what] = zip(x, y, strict=False)
        points += [
            (what, run["model"], run["row"], *point)
            for what, line in found.items()
            for point in line
        ]
    columns = ["what", "panel", "row", "x", "y"]
    table = pandas.DataFrame(points, columns=columns).dropna()
    return [
        panels.draw_lines(
            some,
            "epoch",
            what,
            "Means over runs, at the same learning rate. Test scores are to be "
            "looked at only: nothing was chosen by them.",
        )
        for what, some in table.groupby("what", sort=False)
    ]


def draw_settings(results: Results) -> dict[str, list[panels.Picture]]:
    """Test scores over a setting, like the paper's Figures 4 to 12.

    Arguments
    ---------
    results : Results

    Returns
    -------
    dict of str: list of Picture
        By title: of settings that some arm was run with several values of.

    Example
    -------
    >>> table = pandas.DataFrame([{"model": "Conformer", "row": "ALL",
    ...     "arm": "ALL", "family": "paper", "lr": 0.1, "ratio": 8, "layers": 1,
    ...     "activation": "ReLU", "epochs": 9, "usual": 9, "metric": "UA",
    ...     "UA": 0.5}])
    >>> draw_settings(Results(None, table, []))
    {}
    """
    pictures = {}
    for key, (name, like) in AXES.items():
        runs = results.table if key == "lr" else results.arms
        runs = runs.assign(row=name_rows(runs, without=key))
        several = runs.groupby(["model", "row"])[key].transform("nunique") > 1
        if several.any():
            as_axes = {"model": "panel", key: "x", results.metric: "y"}
            picture = panels.draw_lines(
                runs[several].rename(columns=as_axes),
                name,
                f"test {results.metric}",
                f"Means over runs{like}.",
            )
            pictures[f"By {name}"] = [picture]
    return pictures


def draw_confusion(results: Results) -> panels.Picture | None:
    """Which class was taken for which: Lightweight and one arm per model.

    Arguments
    ---------
    results : Results

    Returns
    -------
    Picture or None
        None if there are neither.

    Example
    -------
    >>> table = pandas.DataFrame([{"model": "Conformer", "row": "Lightweight",
    ...     "arm": "Lightweight", "family": "lightweight", "lr": 0.1,
    ...     "valid": 0.5, "reference": None, "classes": ["sad", "calm"],
    ...     "counts": {"01": np.eye(2, dtype=int)}}])
    >>> draw_confusion(Results(None, table, [])).alt
    'Matrices of Conformer: Lightweight.'
    """
    shares = {}
    for model, of_model in results.runs.groupby("model", sort=False):
        arms = of_model[of_model["family"].isin(["paper", "ours"])]
        valid = arms.groupby("row")["valid"].mean().dropna().nlargest(1)
        chosen = [*valid.index, *headline(arms["row"]), *arms["row"]][:1]
        of_chosen = arms[arms["row"].isin(chosen)]["reference"]
        for row in [*of_chosen.dropna()[:1], *chosen] or [LIGHTWEIGHT]:
            counts = of_model["counts"][of_model["row"] == row]
            if len(counts):
                total = sum(sum(speakers.values()) for speakers in counts)
                share = total / total.sum(axis=1, keepdims=True).clip(min=1)
                shares[f"{model}: {row}"] = 100 * share
    if not shares:
        return None
    labels = results.common["classes"]
    percent = {"vmin": 0, "vmax": 100, "cmap": "Blues", "cbar": False}
    numbers = {"annot": True, "fmt": ".0f", "annot_kws": {"fontsize": 7}}
    size = 0.9 + 0.3 * len(labels)
    figure, axes = panels.make_panels(
        len(shares), size + 0.4, size + 0.3, 2, sharey=True
    )
    for panel, (name, share) in zip(axes, shares.items(), strict=True):
        matrix = pandas.DataFrame(share, labels, labels)
        seaborn.heatmap(matrix, **percent, **numbers, ax=panel)
        panel.tick_params(labelsize=7)
        panel.set_title(name, fontsize=8)
    figure.supxlabel("found", fontsize=9)
    figure.supylabel("true", fontsize=9)
    return panels.Picture(
        panels.draw_png(figure),
        "Percent of each true class that was found as which, over all runs at "
        "the same learning rate: the lightweight model and, of each model, the "
        "arm that validation prefers (without validation, one of the answer).",
        f"Matrices of {', '.join(shares)}.",
    )


def draw_spectra(results: Results, model: str) -> panels.Picture | None:
    """Singular values of the merged weights, a panel per layer.

    Arguments
    ---------
    results : Results
    model : str

    Returns
    -------
    Picture or None
        None if lines hold none.

    Example
    -------
    >>> table = pandas.DataFrame([{"model": "Conformer", "row": "ALL",
    ...     "arm": "ALL", "family": "paper", "lr": 0.1,
    ...     "spectra": {"embedding_model.x": [1.0, 0.5]}}])
    >>> draw_spectra(Results(None, table, []), "Conformer").alt
    'share of the largest by place: ALL.'
    """
    arms = [LIGHTWEIGHT, *headline(results.runs["arm"])]
    some = results.runs.query(f"arm in {arms} and model == @model")
    points = [
        (layer.removeprefix("embedding_model."), row, x, y)
        for row, spectra in zip(some["row"], some["spectra"], strict=True)
        for layer, values in spectra.items()
        for x, y in zip(np.linspace(0, 1, len(values)), values, strict=True)
    ]
    if not points:
        return None
    return panels.draw_lines(
        pandas.DataFrame(points, columns=["panel", "row", "x", "y"]),
        "place",
        "share of the largest",
        f"{model}: singular values of each layer's merged weights, "
        "from the first (0) to the last (1), means over runs.",
        4,
        (2.4, 1.7),
    )
