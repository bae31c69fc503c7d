"""The mean difference of every arm to its lightweight model, with intervals.

Authors
 * The speechbrain_hrf authors 2026
"""

import numpy as np

from speechbrain_hrf.report.comparisons import MATCHED, SAME
from speechbrain_hrf.report.paper import model_name
from speechbrain_hrf.report.pictures import BLUE, ORANGE, Picture, panels, save
from speechbrain_hrf.report.wording import signed

LOOK = {
    SAME: {"color": BLUE, "marker": "o", "offset": -0.17},
    MATCHED: {"color": ORANGE, "marker": "D", "offset": 0.17},
}
FAMILIES = ("paper", "extension")


def draw_differences(trials, comparisons, folder):
    """Draws report_differences.png.

    Arguments
    ---------
    trials : Trials
    comparisons : Comparisons
    folder : pathlib.Path

    Returns
    -------
    list of Picture
        Empty if nothing was compared.

    Example
    -------
    >>> import pandas
    >>> from speechbrain_hrf.report.comparisons import Comparisons
    >>> from speechbrain_hrf.report.load import Trials
    >>> trials = Trials(None, [{"metric": "UA"}], None, [], [])
    >>> columns = ["metric", "family", "n", "model"]
    >>> nothing = pandas.DataFrame(columns=columns)
    >>> draw_differences(trials, Comparisons(nothing, {}, None, {}, {}), None)
    []
    """
    table = comparisons.table
    table = table[
        (table["metric"] == trials.metric)
        & table["family"].isin(FAMILIES)
        & (table["n"] > 0)
    ]
    models = list(dict.fromkeys(table["model"]))
    if not models:
        return []
    most = max(table[table["model"] == m]["row"].nunique() for m in models)
    figure, axes = panels(
        len(models), 4.2, 1.1 + 0.36 * most, columns=3, sharex=True
    )
    for panel, model in zip(axes, models, strict=True):
        _draw_model(panel, table[table["model"] == model])
        panel.set_title(model_name(model), fontsize=10)
        panel.tick_params(labelbottom=True)
        panel.locator_params(axis="x", nbins=5)  # labels stay apart
    figure.supxlabel(f"mean difference in {trials.metric}", fontsize=9)
    handles = {
        text: handle
        for panel in axes
        for handle, text in zip(*panel.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        handles.values(), handles, loc="outside upper center", ncols=2,
        fontsize=9, frameon=False,
    )  # fmt: skip
    extremes = table.sort_values("difference")
    worst, best = extremes.iloc[0], extremes.iloc[-1]
    return [
        Picture(
            save(figure, folder, "report_differences.png"),
            f"Mean paired difference in {trials.metric} to the lightweight "
            "model, with bootstrap 95 % intervals: at the same learning rate "
            "(circles) and each at its own best one (diamonds). Right of zero "
            "is better than the lightweight model. Bars are not corrected for "
            "the number of rows.",
            f"Differences in {trials.metric} go from "
            f"{signed(worst['difference'])} ({model_name(worst['model'])} "
            f"{worst['row']}, {worst['comparison']}) to "
            f"{signed(best['difference'])} ({model_name(best['model'])} "
            f"{best['row']}, {best['comparison']}). The tables of "
            "comparisons hold all of them.",
        )
    ]


def _draw_model(axes, lines):
    rows = list(dict.fromkeys(lines["row"]))
    for comparison, look in LOOK.items():
        some = lines[lines["comparison"] == comparison]
        if not len(some):
            continue
        centre = some["difference"].to_numpy()
        axes.errorbar(
            centre,
            np.array([rows.index(row) for row in some["row"]]) + look["offset"],
            xerr=np.nan_to_num(
                [centre - some["low"], some["high"] - centre]
            ).clip(min=0),
            fmt=look["marker"],
            color=look["color"],
            markersize=5,
            capsize=2.5,
            label={
                SAME: "same learning rate",
                MATCHED: "each at its best learning rate",
            }[comparison],
        )
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_yticks(range(len(rows)), rows)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.grid(axis="x", alpha=0.3)
