"""The answer and its table in short, for a README.

Authors
 * The speechbrain_hrf authors 2026
"""

from speechbrain_hrf.report.answer import answer
from speechbrain_hrf.report.comparisons import (
    MATCHED,
    SAME,
    at_rates,
    compare,
    scores_by_rate,
)
from speechbrain_hrf.report.load import load_trials
from speechbrain_hrf.report.paper import model_name
from speechbrain_hrf.report.verdict import (
    GAIN,
    LOSS,
    PAIRS_GAIN,
    PAIRS_LOSS,
    verdict,
)
from speechbrain_hrf.report.wording import (
    NONE,
    counted,
    interval,
    signed,
    spread,
)

CAPTIONS = {
    SAME: "Same learning rate (the paper's protocol)",
    MATCHED: "Each at its own best learning rate, chosen on validation data",
}
MARKS = {
    **dict.fromkeys((GAIN, LOSS), " \\*"),
    **dict.fromkeys((PAIRS_GAIN, PAIRS_LOSS), " (\\*)"),
}


def short_text(folder):
    """The overall sentences and one table per comparison.

    Arguments
    ---------
    folder : str or os.PathLike
        Of a study.

    Returns
    -------
    str
        Markdown.

    Example
    -------
    >>> short_text("results/none")
    Traceback (most recent call last):
        ...
    FileNotFoundError: There is no folder results/none...
    """
    trials = load_trials(folder)
    comparisons = compare(trials, [trials.metric])
    scores = scores_by_rate(trials, [trials.metric])
    overall = answer(trials, comparisons)[0][1]
    blocks = ["\n".join(f"- {sentence}" for sentence in overall)]
    for kind, caption in CAPTIONS.items():
        lines = comparisons.table
        lines = lines[
            (lines["comparison"] == kind)
            & lines["family"].isin(["paper", "extension"])
        ]
        if len(lines):
            least, most = lines["n"].min(), lines["n"].max()
            pairs = counted(most, "pair")
            pairs = pairs if least == most else f"{least} to {pairs}"
            caption = (
                f"{caption}: mean difference in {trials.metric} to the "
                f"lightweight model, bootstrap 95 % interval, {pairs}; "
                "\\* shown (Holm-corrected p < .05), (\\*) not with each test "
                "set counting once."
            )
            light = [
                _lightweight(scores, lines, comparisons.chosen, model)
                for model in dict.fromkeys(lines["model"])
            ]
            blocks.append(f"{caption}\n\n{_table(lines, light)}")
    return "\n\n".join(blocks)


def _table(lines, light):
    models = list(dict.fromkeys(lines["model"]))
    head = ["row", *map(model_name, models)]
    text = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    text.append(f"| Lightweight | {' | '.join(light)} |")
    by_place = {(x["row"], x["model"]): x for _, x in lines.iterrows()}
    for row in dict.fromkeys(lines["row"]):
        cells = [_cell(by_place.get((row, model))) for model in models]
        text.append(f"| {row} | {' | '.join(cells)} |")
    return "\n".join(text)


def _lightweight(scores, lines, chosen, model):
    """Its score at the learning rates that it is compared at."""
    first = lines[lines["model"] == model].iloc[0]
    row, lr = first["reference"], first["reference_lr"]
    if first["comparison"] == MATCHED:
        best = chosen.set_index(["model", "row"])["by_fold"]
        lr = best[model, row]
    found = at_rates(scores, model, row, lr).iloc[:, 0]
    return spread(found.mean(), found.std())


def _cell(line):
    if line is None:
        return NONE
    mark = MARKS.get(verdict(line), "")
    ends = interval(line["low"], line["high"])
    ends = "" if ends == NONE else f" {ends}"
    return f"{signed(line['difference'])}{ends}{mark}"
