"""The sentences, for each thing that a study can show or fail to show.

Authors
 * The speechbrain_hrf authors 2026
"""

import pytest
from study_lines import PAPER_ARMS, study, write_study

from speechbrain_hrf.report.answer import answer
from speechbrain_hrf.report.comparisons import compare
from speechbrain_hrf.report.load import load_trials

RATES = [0.0005, 0.001, 0.002]
MODEL = "ConvTransformer"


@pytest.fixture
def answered(tmp_path):
    """The answer to some lines: overall and of the first model, as texts."""

    def answer_lines(lines):
        trials = load_trials(write_study(tmp_path, lines))
        parts = answer(trials, compare(trials, ["UA"], resamples=500))
        return tuple(" ".join(sentences) for _, sentences in parts)[:2]

    return answer_lines


def test_a_gain_at_both(answered):
    """The only case in which HRF is said to beat the lightweight model."""
    overall, model = answered(study(effects={"FFN2": 0.06}, rates=RATES))
    assert (
        "beats the lightweight model, at the same learning rate and with each "
        f"at its best one: {MODEL} FFN2."
    ) in overall
    assert model.count("A gain is shown for FFN2 (+.0") == 2
    assert "stays when learning rates are matched" in model


def test_a_gain_that_goes_when_rates_are_matched(answered):
    """The lightweight model at its own best rate is as good."""
    better = {("FFN2", 0.001): 0.06, ("Lightweight", 0.002): 0.06}
    overall, model = answered(study(rates=RATES, rate_effects=better))
    assert f"at the same learning rate for {MODEL} FFN2" in overall
    assert "with each at its own best learning rate, that is not shown" in (
        overall
    )
    assert "one of that size is ruled out there: the longer steps" in model
    assert "stays" not in model


def test_a_gain_that_matching_leaves_open(answered):
    """Not shown any more is not the same as gone."""
    lines = study(rates=[0.001], effects={"FFN2": 0.05}, noise=0.03)
    lines += study(
        rates=[0.0005, 0.002],
        rate_effects={("Lightweight", 0.002): 0.02, ("FFN2", 0.002): 0.06},
        noise=0.09,
        folds=(1, 2),
        seeds=(1, 2, 3),
        random=3,
    )
    _, model = answered(lines)
    assert "not shown any more when rates are matched, nor is it" in model


def test_a_gain_without_other_rates(answered):
    """Whether it is the learning rate's stays open, and is said to."""
    overall, model = answered(study(effects={"FFN2": 0.06}))
    assert "not all of these were compared with each at its own" in overall
    assert "stays open" in model
    assert "Whether the gain of FFN2 is one of the learning rate" in model


def test_a_gain_only_at_matched_rates(answered):
    """Not the paper's protocol, and told apart from it."""
    better = {("FFN2", 0.002): 0.06}
    overall, _ = answered(study(rates=RATES, rate_effects=better))
    assert "FFN2, but not at the same one" in overall


def test_a_loss(answered):
    """As plain as a gain."""
    overall, model = answered(study(effects={"FFN2": -0.06}))
    assert "no gain of HRF as published is shown" in overall
    assert f"A loss is shown at the same learning rate: {MODEL} FFN2" in overall
    assert "A loss is shown for FFN2 (−.0" in model


def lucky_in_two_folds(factor):
    """A study whose arm gains much from two test sets, else hardly."""
    lines = study(noise=0.005)
    for some in lines:
        if some["arm"] == "FFN2":
            some["test"]["UA"] += factor * (0.15 if some["fold"] < 3 else 0.01)
    return lines


def test_a_gain_of_some_test_speakers(answered):
    """Great in some folds, little in others: the speakers' or the arm's?"""
    overall, model = answered(lucky_in_two_folds(1))
    assert "may be of these test speakers alone" in overall
    assert "not shown when each of the 6 test sets counts once" in model
    assert "beats" not in overall


def test_a_loss_of_some_test_speakers(answered):
    """The same on the other side."""
    overall, _ = answered(lucky_in_two_folds(-1))
    assert "A loss that may be of these test speakers alone" in overall


def test_nothing_shown(answered):
    """With the size of gain that is ruled out, and without more."""
    overall, model = answered(study(PAPER_ARMS))
    assert "no gain of HRF as published is shown" in overall
    assert "No gain and no loss is shown for any of the 7 rows" in model
    assert "For each row by itself, gains above .0" in model
    assert "are ruled out at 95 %" in overall
    assert "beats" not in overall and "A gain" not in model


def test_too_few_pairs(answered):
    """Six pairs and seven rows: no data could have shown a gain."""
    lines = study(PAPER_ARMS, {"FFN2": 0.2}, seeds=(1,))
    overall, model = answered(lines)
    assert "these runs cannot tell for any single model whether HRF" in overall
    assert (
        "6 pairs can show neither a gain nor a loss, whatever they are: the "
        "smallest p-value that the test can give is .0312, .219 after Holm's "
        "correction for 7 tests. It takes 9 pairs."
    ) in model
    assert "A gain" not in model


def test_too_few_pairs_at_one_of_the_comparisons(answered):
    """What the other one shows is not denied."""
    better = {("Lightweight", 0.002): 0.3}
    lines = study(PAPER_ARMS, seeds=(1,))
    lines += study(rates=[0.0005, 0.002], rate_effects=better, seeds=(1,))
    overall, _ = answered(lines)
    assert "A loss is shown with each at its own best" in overall
    assert "cannot tell" not in overall
    assert "too few pairs to show any at the same learning rate" in overall


def test_five_seeds_alone(answered):
    """The paper's own number of runs, for one row."""
    _, model = answered(study(effects={"FFN2": 0.2}, folds=(1,)))
    assert "FFN2: 5 pairs can show neither" in model
    assert ".0625" in model and "It takes 6 pairs" in model


def test_few_test_sets(answered):
    """Two folds say little about other speakers, however many the seeds."""
    lines = study(effects={"FFN2": 0.1}, folds=(1, 2))
    overall, model = answered(lines)
    assert "Over seeds there is a gain for FFN2" in model
    assert "2 test sets cannot show" in model and "is shown" not in model
    assert "A gain that may be of these test speakers alone" in overall
    assert "All this is of 2 test sets" in overall and "beats" not in overall
    _, model = answered(study(effects={"FFN2": 0.1}, folds=(None,)))
    assert "All this is of 1 test set:" in model
    overall, model = answered(study(effects={"FFN2": 0.1}))
    assert "All this" not in overall + model


def test_too_few_pairs_to_rule_out(answered):
    """Three runs exclude nothing."""
    _, model = answered(study(folds=(1,), seeds=(1, 2, 3)))
    assert "From so few pairs no interval rules anything out" in model


def test_extensions_are_told_apart(answered):
    """FRONT's gain is not the paper's."""
    lines = study(["FFN2", "FRONT"], {"FRONT": 0.06})
    overall, model = answered(lines)
    assert "no gain of HRF as published is shown" in overall
    assert (
        "Arms that are not in the paper, at the same learning rate: a gain is "
        f"shown for {MODEL} FRONT."
    ) in overall
    assert "Beyond the paper, at the same learning rate: A gain" in model


def test_extensions_without_a_gain(answered):
    """Nor is its loss."""
    overall, _ = answered(study(["FFN2", "FRONT"]))
    assert "at the same learning rate: no gain is shown." in overall
    overall, _ = answered(study(["FFN2", "FRONT"], {"FRONT": -0.06}))
    assert f"a loss is shown for {MODEL} FRONT" in overall


def test_only_extensions(answered):
    """Then nothing is said for or against the paper's method."""
    overall, _ = answered(study(["FRONT"], {"FRONT": 0.06}))
    assert overall.startswith("HRF as published was not compared")
    assert "a gain is shown for" in overall


def test_an_arm_without_effect(answered):
    """Equal to the last digit is a mistake rather than a result."""
    lines = study()
    light = {(x["fold"], x["seed"]): x["test"] for x in lines[:30]}
    for some in lines[30:]:
        some["test"] = light[some["fold"], some["seed"]]
    overall, model = answered(lines)
    assert "every run equals its lightweight model's" in overall
    assert "FFN2 equals the lightweight model in every pair" in model


def test_a_single_pair(answered):
    """Nothing can be tested."""
    overall, model = answered(study(folds=(1,), seeds=(1,)))
    assert "cannot tell" in overall
    assert "With 1 pair of runs nothing can be tested for FFN2" in model


def test_a_single_trial(answered):
    """Nothing can even be compared."""
    overall, model = answered(study(folds=(1,), seeds=(1,))[:1])
    assert overall.startswith("HRF as published was not compared")
    assert model.startswith("No arm of HRF has finished")


def test_no_lightweight(answered):
    """What is missing is named."""
    lines = [x for x in study() if x["arm"] != "Lightweight"]
    overall, model = answered(lines)
    assert overall.startswith("HRF as published was not compared")
    assert model.startswith("No Lightweight trial of this model")


def test_synthetic_data(answered):
    """First of all."""
    overall, _ = answered(study(effects={"FFN2": 0.06}, synthetic=True))
    assert overall.startswith("These trials are of generated signals")


def test_an_edge_is_told(answered):
    """At the top, too: the best rate may not have been tried."""
    lines = study(rates=RATES, rate_effects={("FFN2", 0.002): 0.05})
    _, model = answered(lines)
    assert f"{MODEL} FFN2: a better one may lie beyond" in model


def test_the_mean_over_models(answered):
    """One test over all rows, which six pairs can pass."""
    models = ("convtransformer", "conformer")
    effects = dict.fromkeys(PAPER_ARMS, 0.05)
    overall, model = answered(study(PAPER_ARMS, effects, models, seeds=(1,)))
    assert "(6 pairs, a test of its own): a gain." in overall
    assert (
        "these runs cannot tell for any single model" in overall
    )  # of any single row
    assert "Mean of its rows of the paper, same learning rate: +.0" in model


def test_rows_over_all_models(answered):
    """What six pairs of each model are too few for, 18 of three can show."""
    models = ("convtransformer", "conformer", "speechformer")
    effects = {"FFN2": 0.05, "ALL": -0.05}
    lines = study(PAPER_ARMS, effects, models, seeds=(1,), rates=[0.001])
    overall, model = answered(lines)
    assert "2 pairs" not in overall
    assert (
        "Rows over all models that have them, at the same learning rate: "
        "A gain is shown for FFN2 (+.0"
    ) in overall
    assert "of 18 pairs up)" in overall
    assert "A loss is shown for ALL (−.0" in overall
    assert "A gain is shown" not in model


def test_rows_of_one_model_are_not_pooled(answered):
    overall, _ = answered(study(PAPER_ARMS))
    assert "over all models that have them" not in overall
