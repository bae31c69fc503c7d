"""Diagnostics by layer: effective rank, spectrum, length of the step.

Authors
 * The speechbrain_hrf authors 2026
"""

import numpy as np

from speechbrain_hrf.report.arms import arms_at_base
from speechbrain_hrf.report.paper import model_name
from speechbrain_hrf.report.pictures import (
    DASHES,
    GREY,
    Picture,
    panels,
    save,
    styles,
)
from speechbrain_hrf.report.spectra import mean_spectra
from speechbrain_hrf.report.wording import listed

# Purple is below the lightweight model, green above, white the same; no dark
# ends, so that black numbers stay legible.
COLOUR_MAP = "PRGn"
DEPTH = 0.6


def draw_ranks(ranks, folder):
    """Draws the effective rank against the lightweight model's, per model.

    Arguments
    ---------
    ranks : pandas.DataFrame
        Of ``effective_ranks``.
    folder : pathlib.Path

    Returns
    -------
    list of Picture

    Example
    -------
    >>> import pandas
    >>> draw_ranks(pandas.DataFrame({"model": [], "row": []}), None)
    []
    """
    pictures = []
    for model, table in ranks.groupby("model", sort=False):
        table = table[table["ratio"].notna() & (table["ratio"] != 1)]
        if not len(table):
            continue
        shown = [("effective rank / lightweight's", "ratio")]
        file = f"report_effective_rank_{model}.png"
        _heat_maps(table, shown, model_name(model), folder, file)
        lowest = table.loc[table["ratio"].idxmin()]
        highest = table.loc[table["ratio"].idxmax()]
        pictures.append(
            Picture(
                file,
                f"{model_name(model)}: effective rank of the merged weights "
                "(exponential of the entropy of normalised singular values) "
                "divided by the lightweight model's; 1 is the same.",
                f"The ratio goes from {lowest['ratio']:.2f} ({lowest['row']}, "
                f"{lowest['layer']}) to {highest['ratio']:.2f} "
                f"({highest['row']}, {highest['layer']}).",
            )
        )
    return pictures


def draw_steps(ratios, folder):
    """Draws how much longer effective steps are, per model.

    Arguments
    ---------
    ratios : pandas.DataFrame
        Of ``step_ratios``.
    folder : pathlib.Path

    Returns
    -------
    list of Picture

    Example
    -------
    >>> import pandas
    >>> draw_steps(pandas.DataFrame({"model": []}), None)
    []
    """
    pictures = []
    for model, table in ratios.groupby("model", sort=False):
        shown = [("first step", "first"), ("median of training", "median")]
        file = f"report_effective_step_{model}.png"
        _heat_maps(table, shown, model_name(model), folder, file)
        longest = table.loc[table["first"].idxmax()]
        pictures.append(
            Picture(
                file,
                f"{model_name(model)}: length of the effective optimiser step "
                "(change of the merged weight) divided by the lightweight "
                "model's of the same fold and seed, at the same learning "
                "rate; medians over pairs.",
                f"The longest first step is {longest['first']:.1f} times the "
                f"lightweight model's ({longest['row']}, {longest['layer']}); "
                f"the median over training goes up to "
                f"{table['median'].max():.1f}.",
            )
        )
    return pictures


def _heat_maps(table, shown, title, folder, file):
    """Layers down, rows of the tables across, a map per quantity."""
    rows, layers = (list(table[key].unique()) for key in ("row", "layer"))
    width = 0.6 + 0.46 * len(rows) + (1.7 if len(shown) == 1 else 1.0)
    figure, axes = panels(
        len(shown), width, 1.5 + 0.24 * len(layers), sharey=True
    )
    for panel, (name, key) in zip(axes, shown, strict=True):
        grid = table.pivot(index="layer", columns="row", values=key)
        grid = grid.reindex(index=layers, columns=rows).to_numpy()
        colours = np.log2(grid)
        # At least a factor of two, lest noise be painted as a difference.
        reach = max(1.0, np.nanmax(np.abs(colours))) / DEPTH
        panel.imshow(
            colours, cmap=COLOUR_MAP, vmin=-reach, vmax=reach, aspect="auto"
        )
        for (i, j), value in np.ndenumerate(grid):
            if np.isfinite(value):
                text = f"{value:.2f}" if value < 9.95 else f"{value:.0f}"
                panel.text(j, i, text, ha="center", va="center", fontsize=7)
        panel.set_title(name, fontsize=9)
        panel.set_xticks(
            range(len(rows)), rows, rotation=45, ha="right", fontsize=8
        )
        panel.set_yticks(range(len(layers)), layers, fontsize=8)
        panel.spines[:].set_visible(False)
    figure.suptitle(title, fontsize=10)
    save(figure, folder, file)


def draw_spectra(trials, rates, folder):
    """Draws normalised singular values, a panel per layer, per model.

    Arguments
    ---------
    trials : Trials
    rates : dict of str: float
        The learning rate of "same lr", by model.
    folder : pathlib.Path

    Returns
    -------
    list of Picture

    Example
    -------
    >>> import pandas
    >>> from speechbrain_hrf.report.load import Trials
    >>> table = pandas.DataFrame({"model": ["conformer"], "lr": 0.001,
    ...     "row": "FFN2", "family": "paper", "line": 0})
    >>> draw_spectra(Trials(None, [{"spectra": {}}], table, [], []), {}, None)
    []
    """
    pictures = []
    for model in trials.models:
        arms = arms_at_base(trials, rates, model)
        spectra = {
            row: mean_spectra(trials, group)
            for row, group in arms.items()
            if group["family"].iloc[0] != "original"
        }
        light = {
            row
            for row, group in arms.items()
            if group["family"].iloc[0] == "lightweight"
        }
        layers = list(
            dict.fromkeys(x for some in spectra.values() for x in some)
        )
        if layers:
            file = f"report_spectrum_{model}.png"
            _lines(spectra, light, layers, model_name(model), folder, file)
            pictures.append(_spectrum_picture(file, model, list(spectra)))
    return pictures


def _spectrum_picture(file, model, rows):
    return Picture(
        file,
        f"{model_name(model)}: singular values of the merged weights, divided "
        "by the largest, means over folds and seeds at the same learning "
        "rate. Grey, broad: the lightweight model.",
        f"Falling curves of singular values, one panel per layer, for "
        f"{listed(rows)}. Their effective ranks are in "
        "report_effective_rank.csv.",
    )


def _lines(spectra, light, layers, title, folder, file):
    figure, axes = panels(len(layers), 2.3, 1.8, columns=4, sharey=True)
    for panel, layer in zip(axes, layers, strict=True):
        style = styles()
        for row, of_row in spectra.items():
            look = (
                {"color": GREY, "linewidth": 3.5, "alpha": 0.6}
                if row in light
                else {**next(style), "linewidth": 1.1, "markersize": 3}
            )
            if row not in light:
                look["linestyle"] = DASHES[0]
            if layer in of_row:
                values = of_row[layer]
                panel.plot(range(1, len(values) + 1), values, label=row, **look)
        panel.set_title(layer, fontsize=7.5)
        panel.tick_params(labelsize=7, labelbottom=True)
        panel.set_ylim(0, 1.05)
        panel.xaxis.get_major_locator().set_params(integer=True)
    handles = {
        text: handle
        for panel in axes
        for handle, text in zip(*panel.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        handles.values(),
        handles,
        loc="outside lower center",
        ncols=5,
        fontsize=8,
        frameon=False,
    )
    figure.supylabel("singular value / largest", fontsize=9)
    figure.suptitle(title, fontsize=10)
    save(figure, folder, file)
