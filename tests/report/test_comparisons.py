"""Which trials are compared with which, and how often chance is called a gain.

Authors
 * The speechbrain_hrf authors 2026
"""

import numpy as np
import pandas
import pytest
from study_lines import PAPER_ARMS, line, study, write_study

from speechbrain_hrf.report.comparisons import (
    ALL_MODELS,
    MATCHED,
    MEAN,
    OVERALL,
    POOLED,
    SAME,
    compare,
)
from speechbrain_hrf.report.effective_steps import step_ratios
from speechbrain_hrf.report.load import Trials, load_trials
from speechbrain_hrf.report.spectra import effective_ranks
from speechbrain_hrf.report.verdict import GAIN, PAIRS_GAIN, TOO_FEW, verdict


@pytest.fixture
def compared(tmp_path):
    """Comparisons of some lines, by UA."""

    def compare_lines(lines):
        trials = load_trials(write_study(tmp_path, lines))
        return compare(trials, ["UA"], resamples=200)

    return compare_lines


def of(comparisons, kind, row):
    """One line of a comparison."""
    table = comparisons.table
    [(_, found)] = table[
        (table["comparison"] == kind) & (table["row"] == row)
    ].iterrows()
    return found


def test_a_known_effect_is_recovered(compared):
    """Of the arm that has it, not of the one that has none."""
    found = compared(study(["FFN1", "FFN2"], {"FFN2": 0.05}))
    gain, none = of(found, SAME, "FFN2"), of(found, SAME, "FFN1")
    assert verdict(gain) == GAIN and verdict(none) != GAIN
    assert gain["n"] == 30 and gain["folds"] == 6
    assert gain["low"] < 0.05 < gain["high"]
    assert gain["difference"] == pytest.approx(0.05, abs=0.02)


def test_only_common_pairs_count(compared):
    """Whichever side lacks a trial."""
    lines = study(folds=(1, 2), seeds=(1, 2, 3))
    gone = {("Lightweight", 1, 1), ("FFN2", 2, 3)}
    lines = [x for x in lines if (x["arm"], x["fold"], x["seed"]) not in gone]
    assert of(compared(lines), SAME, "FFN2")["n"] == 4


def test_pairs_are_of_the_same_fold_and_seed(compared):
    """Differences vanish where both sides of each pair are the same."""
    lines = []
    for fold in (1, 2):
        for seed in (1, 2, 3):
            score = 0.4 + fold / 10 + seed / 100
            for arm in ("FFN2", "Lightweight"):
                where = {"fold": fold, "seed": seed}
                lines.append(line("conformer", arm, score, **where))
    found = of(compared(lines[::-1]), SAME, "FFN2")
    assert found["ties"] == 6 and found["p"] == 1


def test_without_folds(compared):
    """Corpora with one split have seeds alone."""
    found = of(compared(study(folds=(None,))), SAME, "FFN2")
    assert found["n"] == 5 and found["folds"] == 1


def test_same_rate_is_the_papers(compared):
    """Also where others were tried and are better."""
    found = compared(
        study(rates=[0.001, 0.004], rate_effects={("Lightweight", 0.004): 0.1})
    )
    line_ = of(found, SAME, "FFN2")
    assert line_["lr"] == line_["reference_lr"] == 0.001


def test_same_rate_where_the_papers_was_not_tried(compared):
    """The one with the most trials, and a note that says so."""
    found = compared(study(rates=[0.003]))
    assert found.rates == {"convtransformer": 0.003}
    assert "not tried at the paper's" in found.notes[SAME][0]


def test_matched_rates_are_chosen_on_validation(compared):
    """A better test score does not count, nor does the other arm's rate."""
    best = {("Lightweight", 0.002): 0.1, ("FFN2", 0.001): 0.1}
    lines = study(rates=[0.0005, 0.001, 0.002, 0.004], rate_effects=best)
    for some in lines:
        if some["lr"] == 0.004:
            some["test"]["UA"] = 0.9
    found = of(compared(lines), MATCHED, "FFN2")
    assert (found["lr"], found["reference_lr"]) == (0.001, 0.002)


def test_no_test_speaker_has_a_part_in_the_choice(compared):
    """Each fold's test speakers validate the fold before, as in RAVDESS."""
    rates = [0.001, 0.002]
    lines = study(rates=rates, folds=(1, 2, 3), noise=0.001)
    for some in lines:
        fold = some["fold"]
        some["split"] = {"test": str(fold), "valid": str(fold % 3 + 1)}
        better = some["lr"] == 0.002
        if some["arm"] == "FFN2":
            # Fold 2's validation speakers, fold 3's test speakers, decide.
            some["valid"]["UA"] = 0.5 + better * {1: -1, 2: 3, 3: -1}[fold] / 10
    found = compared(lines)
    chosen = found.chosen.set_index("row").loc["FFN2"]
    assert chosen["lr"] == 0.002
    assert chosen["by_fold"] == {"1": 0.002, "2": 0.002, "3": 0.001}
    scores = {
        (x["arm"], x["lr"], x["fold"], x["seed"]): x["test"]["UA"]
        for x in lines
    }
    light = found.chosen.set_index("row").loc["Lightweight", "by_fold"]
    by_hand = np.mean(
        [
            scores["FFN2", chosen["by_fold"][str(fold)], fold, seed]
            - scores["Lightweight", light[str(fold)], fold, seed]
            for fold in (1, 2, 3)
            for seed in (1, 2, 3, 4, 5)
        ]
    )
    line_ = of(found, MATCHED, "FFN2")
    assert line_["lr"] == "0.001 / 0.002"
    assert line_["difference"] == pytest.approx(by_hand)


def test_a_rate_with_fewer_trials_is_told(compared):
    """Those that diverged have no line, and would flatter their rate."""
    lines = study(rates=[0.001, 0.002])
    whole = compared(lines).notes[MATCHED]
    assert not any("diverged" in note for note in whole)
    lines = [
        x for x in lines if (x["arm"], x["lr"], x["fold"]) != ("FFN2", 0.002, 1)
    ]
    (note,) = (x for x in compared(lines).notes[MATCHED] if "diverged" in x)
    assert "ConvTransformer FFN2" in note and "Lightweight" not in note


def test_an_edge_of_the_grid_is_told(compared):
    """And the middle is not."""
    best = {("Lightweight", 0.004): 0.1, ("FFN2", 0.002): 0.1}
    rates = [0.001, 0.002, 0.004]
    [note] = compared(study(rates=rates, rate_effects=best)).notes[MATCHED]
    assert "largest tried for ConvTransformer Lightweight:" in note


def test_one_rate_is_no_choice(compared):
    """Such arms are named; so are those whose lightweight model has one."""
    lines = study(["FFN1", "FFN2"], rates=[0.001, 0.002])
    one = [x for x in lines if x["arm"] != "FFN1" or x["lr"] == 0.001]
    found = compared(one)
    assert ("ConvTransformer FFN1", "tried at one learning rate only") in (
        found.left_out[MATCHED]
    )
    assert set(found.table[found.table["comparison"] == MATCHED]["row"]) == {
        "FFN2"
    }
    light = [x for x in lines if x["arm"] != "Lightweight" or x["lr"] == 0.001]
    found = compared(light)
    assert MATCHED not in set(found.table["comparison"])
    assert len(found.left_out[MATCHED]) == 3


def test_rates_are_chosen_over_the_same_runs(compared):
    """A rate that ran on an easy fold only is not better for that."""
    lines = study(rates=[0.001, 0.002], folds=(1, 2), noise=0.001)
    for some in lines:
        if some["fold"] == 2:
            some["valid"]["UA"] += 0.3
    some = [x for x in lines if x["lr"] == 0.001 or x["fold"] == 2]
    found = compared(some).chosen.set_index("row")
    assert found.loc["FFN2", "n"] == 5
    assert abs(np.subtract(*found.loc["FFN2", "valid"])) < 0.01


def test_without_validation_nothing_is_matched(compared):
    """The paper's own protocol has no validation set."""
    found = compared(study(rates=[0.001, 0.002], valid=None))
    assert MATCHED not in set(found.table["comparison"])
    assert "validation" in found.left_out[MATCHED][0][1]


def test_unequal_grids_are_told(compared):
    """More rates to choose from are an advantage."""
    lines = study(rates=[0.001, 0.002, 0.004])
    lines = [x for x in lines if x["arm"] == "FFN2" or x["lr"] != 0.004]
    assert any("advantage" in note for note in compared(lines).notes[MATCHED])


def test_without_a_lightweight_model(compared):
    """There is nothing to compare with, which is said."""
    lines = [x for x in study() if x["arm"] != "Lightweight"]
    found = compared(lines)
    assert len(found.table) == 0
    assert found.left_out[SAME] == [
        ("ConvTransformer FFN2", "no Lightweight trial has finished")
    ]


def test_families_are_corrected_apart(compared):
    """Eight rows of the paper, one arm beyond, the original by itself."""
    lines = study([*PAPER_ARMS, "FRONT", "Original"])
    table = compared(lines).table
    tests = table.groupby("family")["tests"].first().to_dict()
    assert tests == {"paper": 7, "extension": 1, "original": 1, MEAN: 1}
    paper = table[table["family"] == "paper"]
    assert (paper["p_holm"] >= paper["p"]).all()
    least = paper["p"].min()
    assert paper["p_holm"].min() == pytest.approx(min(1, 7 * least))


def test_the_smallest_corrected_p_is_the_familys(compared):
    """Few pairs of one row are no bar to a row with many."""
    lines = study(["FFN1", "FFN2"], {"FFN2": 0.2, "FFN1": 0.2})
    some = [x for x in lines if x["arm"] != "FFN1" or x["seed"] == 1]
    table = compared(some).table.set_index("row")
    few, many = table.loc["FFN1"], table.loc["FFN2"]
    # FFN1's six pairs stand behind FFN2's thirty: they are not corrected.
    assert few["smallest_p_holm"] == few["p_holm"] == 0.03125
    assert verdict(few) == verdict(many) == GAIN
    both = [x for x in lines if x["seed"] == 1]
    table = compared(both).table.set_index("row")
    assert (table.loc[["FFN1", "FFN2"], "smallest_p_holm"] == 0.0625).all()
    assert verdict(table.loc["FFN2"]) == TOO_FEW


def test_means_over_rows_and_models(compared):
    """By pairs that all rows of all models have."""
    models = ("convtransformer", "conformer")
    lines = study(["FFN1", "FFN2"], {"FFN2": 0.04}, models, noise=1e-4)
    del lines[-1]
    table = compared(lines).table.set_index(["family", "model"])
    overall = table.loc[(OVERALL, ALL_MODELS)]
    assert overall["n"] == 29 and overall["tests"] == 1
    assert overall["difference"] == pytest.approx(0.02, abs=1e-3)
    assert table.loc[(MEAN, "conformer"), "tests"] == 2


def test_rows_are_pooled_over_the_models_that_have_them(compared):
    """FFN_M1 stands in one model only; the others count 2 x 30 pairs."""
    lines = study(["FFN1", "FFN2"], {"FFN2": 0.04}, ("convtransformer",))
    lines += study(
        ["FFN1", "FFN2", "FFN_M1"], {"FFN2": 0.02}, ("conformer",), random=1
    )
    table = compared(lines).table
    pooled = table[table["family"] == POOLED["paper"]].set_index("row")
    assert set(pooled.index) == {"FFN1", "FFN2"}
    assert pooled.loc["FFN2", "n"] == 60 and pooled.loc["FFN2", "folds"] == 6
    assert pooled.loc["FFN2", "difference"] == pytest.approx(0.03, abs=0.01)
    assert set(pooled["model"]) == {ALL_MODELS}
    assert set(pooled["tests"]) == {2}


def null_study(rng, fold_noise):
    """The table of a study in which no arm differs from the lightweight."""
    folds, seeds = np.repeat(range(6), 5), np.tile(range(5), 6)
    arms = ["Lightweight", *PAPER_ARMS]
    return pandas.concat(
        pandas.DataFrame(
            {
                "model": "conformer",
                "row": arm,
                "lr": 0.001,
                "family": "lightweight" if arm == "Lightweight" else "paper",
                "reference": "Lightweight",
                "fold": folds.astype(str),
                "seed": seeds,
                "UA": rng.normal(0.4, 0.03, 30)
                + rng.normal(0, fold_noise, 6)[folds],
                "valid": 0.4,
            }
        )
        for arm in arms
    )


@pytest.mark.parametrize(
    "studies, fold_noise, most, by_pairs",
    [
        # Of n studies at 5 %, more than this are found with p < .03.
        (20, 0.05, 3, 2),
        pytest.param(300, 0.0, 22, 1, marks=pytest.mark.slow),
        pytest.param(300, 0.05, 22, 50, marks=pytest.mark.slow),
    ],
)
def test_chance_is_seldom_called_a_gain(studies, fold_noise, most, by_pairs):
    """In at most about 5 % of studies, any of seven arms.

    Also where arms do better or worse on some test speakers: then pairs are
    not independent, and the second look, by folds, has to hold it.
    """
    rng = np.random.default_rng(0)
    gains, over_pairs = 0, 0
    for _ in range(studies):
        trials = Trials(None, [], null_study(rng, fold_noise), [], [])
        table = compare(trials, ["UA"], resamples=100).table
        paper = table[table["family"] == "paper"]
        found = {verdict(some) for _, some in paper.iterrows()}
        gains += GAIN in found
        over_pairs += bool(found & {GAIN, PAIRS_GAIN})
    assert gains <= most
    # Negative control: what the test over pairs alone would have claimed.
    assert over_pairs >= by_pairs


def test_diagnostics_are_against_the_same_activation(tmp_path):
    """Not against the lightweight model of another one."""
    lines = []
    for activation, length in ("GELU", 1.0), ("ReLU", 10.0):
        for arm, factor in ("Lightweight", 1.0), ("FFN2", 3.0):
            steps = [factor * length]
            lines.append(
                line(
                    "convtransformer",
                    arm,
                    0.4,
                    activation=activation,
                    effective_steps={
                        "step": [1],
                        "layers": {"a": {"length": steps, "weight": [1.0]}},
                    },
                    spectra={"a": [1.0, length if arm == "FFN2" else 1.0]},
                )
            )
    trials = load_trials(write_study(tmp_path, lines))
    rates = {"convtransformer": 0.001}
    steps = step_ratios(trials, rates)
    assert steps["row"].tolist() == ["FFN2, GELU", "FFN2, ReLU"]
    assert steps["first"].tolist() == pytest.approx([3.0, 3.0])
    ranks = effective_ranks(trials, rates).set_index("row")["ratio"]
    assert ranks["FFN2, GELU"] == pytest.approx(1.0)
    assert ranks["FFN2, ReLU"] < 1


def test_steps_of_normalised_chains_are_left_out(tmp_path):
    """Their merged weight moves by running averages, not as it trains."""
    steps = {"step": [1], "layers": {"a": {"length": [1.0], "weight": [1.0]}}}
    lines = [
        line("convtransformer", arm, 0.4, effective_steps=steps, **more)
        for arm, more in (
            ("Lightweight", {}),
            ("ALL", {}),
            ("ALL, inner norm", {"overrides": {"hrf_inner_norm": True}}),
        )
    ]
    trials = load_trials(write_study(tmp_path, lines))
    found = step_ratios(trials, {"convtransformer": 0.001})
    assert found["row"].tolist() == ["ALL"]
