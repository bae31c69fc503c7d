"""The statistics: by hand, and on made-up studies whose effects are known.

Authors
 * The speechbrain_hrf authors 2026
"""

import itertools

import numpy as np
import pandas
import pytest
from made_up import RUN, SPEAKER, TALENT, line, study, test_set, write_study
from scipy import stats
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.sandwich_covariance import cov_cluster_2groups

from speechbrain_hrf.studies.results import read_results, scores_of
from speechbrain_hrf.studies.statistics import (
    ALL_MODELS,
    BEST,
    GAIN,
    LOSS,
    NOTHING,
    SAME,
    TOO_FEW,
    choose_rates,
    compare,
    holm,
    interval,
    judged,
    paired,
)
from speechbrain_hrf.studies.trial import digest

pytestmark = pytest.mark.usefixtures("few_resamples")
UTTERANCES = 60


def pairs(differences):
    """Differences [folds, speakers, seeds] as ``paired`` takes them."""
    differences = np.asarray(differences, dtype=float)
    index = pandas.MultiIndex.from_tuples(
        [
            (str(fold), seed, f"{fold}-{speaker}")
            for fold, speaker, seed in np.ndindex(differences.shape)
        ],
        names=["fold", "seed", "speaker"],
    )
    return pandas.Series(differences.ravel(), index)


def drawn(rng, arms, effect=0.0, folds=6, speakers=4, seeds=4, run=RUN):
    """Arm minus lightweight: speakers, runs and utterances are random."""
    talent = rng.normal(0.4, TALENT, (folds, speakers, 1))

    def scores(effect):
        chance = talent + effect + rng.normal(0, run, (folds, 1, seeds))
        chance = chance + rng.normal(0, SPEAKER, (folds, speakers, 1))
        return rng.binomial(UTTERANCES, chance.clip(0, 1)) / UTTERANCES

    light = scores(0)
    return [pairs(scores(effect) - light) for _ in range(arms)]


def verdicts(studies):
    """Of one family of arms."""
    key = {"comparison": SAME, "family": "ours", "model": "conformer"}
    lines = [{**key, "row": k, **paired(x)} for k, x in enumerate(studies)]
    return judged(lines)["verdict"].tolist()


def test_without_an_effect_a_gain_is_rarely_shown():
    """In at most 5 % of studies of four arms, with more of runs' luck."""
    rng = np.random.default_rng(1)
    found = [verdicts(drawn(rng, 4, run=1.5 * RUN)) for _ in range(60)]
    wrong = np.mean([GAIN in some for some in found])
    assert wrong <= 0.05


def test_an_effect_is_shown():
    """.08 with realistic noise over 24 speakers, among four arms."""
    rng = np.random.default_rng(2)
    found = [verdicts(drawn(rng, 4, 0.08)) for _ in range(20)]
    shown = np.mean([verdict == GAIN for some in found for verdict in some])
    assert shown >= 0.9
    lost = verdicts(drawn(rng, 4, -0.08))
    assert lost.count(LOSS) >= 3


def test_holm_as_statsmodels_has_it():
    p_values = np.random.default_rng(8).random(9) / 5
    expected = multipletests(p_values, 0.05, "holm")[1]
    assert holm(p_values).tolist() == pytest.approx(expected)


@pytest.mark.parametrize("random", [0, 1])
def test_both_clusters_as_statsmodels_has_them(random):
    """The standard error behind p: of both, never less than of one alone."""
    [values] = drawn(np.random.default_rng(random), 1, 0.03)
    frame = values.rename("d").reset_index()
    speaker = frame["speaker"].factorize()[0]
    run = (frame["fold"] + " " + frame["seed"].astype(str)).factorize()[0]
    fit = OLS(frame["d"].to_numpy(), np.ones(len(frame))).fit()
    variances = cov_cluster_2groups(fit, speaker, run)
    error = np.sqrt(max(each.item() for each in variances))
    t = stats.t.isf(paired(values)["p_runs"] / 2, 23)
    assert abs(values.mean()) / t == pytest.approx(error, rel=1e-6)


def test_speakers_alone_would_show_too_much():
    """Negative control: why runs have to vary as well."""
    rng = np.random.default_rng(3)
    studies = [drawn(rng, 4, run=1.5 * RUN) for _ in range(40)]
    wrong = [
        # Bonferroni's correction shows even less than Holm's.
        min(paired(x)["p"] for x in some) < 0.05 / 4
        for some in studies
    ]
    assert np.mean(wrong) > 0.1


def test_by_hand():
    """Two folds of three speakers, two seeds: means, counts, Wilcoxon."""
    differences = [
        [[0.1, 0.3], [0.1, 0.1], [0.0, 0.1]],
        [[0.4, 0.2], [0.5, 0.3], [-0.2, -0.1]],
    ]
    found = paired(pairs(differences))
    # Speakers: .2, .1, .05, .3, .4, -.15; ranks 4, 2, 1, 5, 6 and 3 (down).
    assert found["difference"] == pytest.approx(0.15)
    assert (found["speakers"], found["up"]) == (6, 5)
    signs = itertools.product([0, 1], repeat=6)
    sums = [np.dot(sign, [1, 2, 3, 4, 5, 6]) for sign in signs]
    exact = 2 * np.mean([x <= 3 for x in sums])
    assert found["p"] == pytest.approx(exact)
    assert (found["folds"], found["folds_up"], found["runs"]) == (2, 2, 4)
    assert np.isnan(found["fold_low"])  # of two folds


def test_folds_by_hand():
    """Means .1, .2, .3: a t interval of .2 +- 4.303 * .1 / sqrt(3)."""
    found = paired(pairs([[[0.1, 0.1]], [[0.2, 0.2]], [[0.3, 0.3]]]))
    assert found["fold_low"] == pytest.approx(0.2 - 4.3027 * 0.057735, abs=1e-4)
    assert found["fold_high"] == pytest.approx(
        0.2 + 4.3027 * 0.057735, abs=1e-4
    )


def test_clusters_by_hand():
    """Two folds of two speakers and two seeds: t with one degree of freedom."""
    differences = np.array(
        [[[0.1, 0.3], [0.2, 0.2]], [[0.5, 0.3], [0.4, 0.4]]]
    )  # folds, speakers, seeds; the mean is .3
    rest = (differences - 0.3) / 8
    # Four speakers, four runs (fold and seed), eight of both: sums of squares
    # with the corrections 4 / 3, 4 / 3 and 8 / 7.
    by_speaker = (rest.sum(axis=2) ** 2).sum() * 4 / 3
    by_run = (rest.sum(axis=1) ** 2).sum() * 4 / 3
    variance = max(by_speaker + by_run - (rest**2).sum() * 8 / 7, by_run)
    expected = 2 * stats.t.sf(0.3 / np.sqrt(variance), 3)
    assert paired(pairs(differences))["p_runs"] == pytest.approx(expected)


@pytest.mark.parametrize("values", [[], [1.0]])
def test_too_few_values_have_no_interval(values):
    assert np.isnan(interval(np.array(values))).all()


def test_holm_by_hand():
    """Three arms of a model: p times 3, 2, 1, and never less than before."""
    key = {"comparison": SAME, "family": "ours", "model": "conformer"}
    line = paired(pairs(np.full((6, 4, 2), 0.1)))
    p_values = {"p": [0.01, 0.04, 0.03], "p_runs": [0.02, 0.01, 0.9]}
    lines = [
        {**line, **key, **{name: x[k] for name, x in p_values.items()}}
        for k in range(3)
    ]
    table = judged(lines)
    assert table["p_holm"].tolist() == pytest.approx([0.03, 0.06, 0.06])
    assert table["p_runs_holm"].tolist() == pytest.approx([0.04, 0.03, 0.9])


def test_nothing_but_equal_scores():
    """No difference at all has p = 1, and no error."""
    found = paired(pairs(np.zeros((6, 4, 2))))
    assert (found["p"], found["p_runs"], found["difference"]) == (1, 1, 0)
    assert verdicts([pairs(np.zeros((6, 4, 2)))]) == [NOTHING]


def test_one_run_shows_nothing():
    """Fifty speakers, one trained model each: what one run's luck is."""
    assert verdicts([pairs(np.full((1, 50, 1), 0.1))]) == [TOO_FEW]
    assert verdicts([pairs(np.full((5, 1, 4), 0.1))]) == [TOO_FEW]


def test_scores_of_a_speaker():
    """Against scikit-learn, over the classes that there are."""
    from sklearn.metrics import f1_score, recall_score

    rng = np.random.default_rng(6)
    true, found = rng.integers(0, 3, 50), rng.integers(0, 4, 50)
    counts = np.zeros((4, 4), int)
    np.add.at(counts, (true, found), 1)
    scores = scores_of(counts, np.array([1, 1, 1, 0]) / 3)
    options = {"labels": [0, 1, 2], "zero_division": 0}
    for name, expected in (
        ("UA", recall_score(true, found, average="macro", **options)),
        ("MF1", f1_score(true, found, average="macro", **options)),
        ("WF1", f1_score(true, found, average="weighted", **options)),
        ("WA", np.mean(true == found)),
    ):
        assert scores[name] == pytest.approx(expected), name


def test_speakers_of_one_class(tmp_path):
    """33 are well and 14 are not: an arm that says well of all gains nothing.

    Over the speakers of a class, .5 and .5 become 1 and 0: the mean recall
    stays, though most speakers are found more often.
    """
    of_fold = test_set(1, speakers=47, utterances=6)
    ill = {f"{k:02d}" for k in range(34, 48)}
    content = {key: x for key, x in of_fold.items() if key != "id"}
    content["truth"] = "".join(str(int(w in ill)) for w in content["speakers"])
    of_fold = {"id": digest(content), **content}
    lines = [
        line("conformer", arm, of_fold, 0, metric="MF1", predicted=predicted)
        for arm, predicted in (
            ("Lightweight", "01" * (3 * 47)),
            ("ALL", "0" * 6 * 47),
        )
    ]
    results, _, table = compared(tmp_path, lines, [of_fold])
    found = table.loc[(SAME, "Conformer", "ALL")]
    assert results.compared == "UA" and results.metric == "MF1"
    assert found["difference"] == pytest.approx(0, abs=1e-9)
    assert (found["speakers"], found["up"]) == (47, 33)


def test_an_arm_of_some_models_is_not_one_of_all(tmp_path):
    lines, sets = study(["ALL"], models=("conformer", "speechformer"))
    some = [
        x for x in lines if (x["model"], x["arm"]) != ("speechformer", "ALL")
    ]
    for kept, there in ((lines, True), (some, False)):
        _, _, table = compared(tmp_path / str(there), kept, sets)
        assert ((SAME, ALL_MODELS, "ALL") in table.index) == there


def compared(tmp_path, lines, sets):
    results = read_results(write_study(tmp_path / "study", lines, sets))
    comparisons = compare(results)
    table = comparisons.table.set_index(["comparison", "model", "row"])
    return results, comparisons, table


def test_a_whole_study(tmp_path):
    """Pairs are made of the right runs: an effect of .3 is found as .3."""
    lines, sets = study(
        ["ALL"], {"ALL": 0.3}, models=("conformer", "speechformer")
    )
    results, _, table = compared(tmp_path, lines, sets)
    for model in ("Conformer", "SpeechFormer", ALL_MODELS):
        found = table.loc[(SAME, model, "ALL")]
        assert found["verdict"] == GAIN
        assert found["difference"] == pytest.approx(0.3, abs=0.06)
        assert (found["speakers"], found["folds_up"]) == (24, 6)
    assert results.rates == {"Conformer": 0.001, "SpeechFormer": 0.001}


def test_only_seeds_that_both_have_count(tmp_path):
    """An arm's lucky third seed has no part in the comparison."""
    lines, sets = study(["ALL"], seeds=2)
    lucky = [line("convtransformer", "ALL", s, 1.0, seed=3) for s in sets]
    _, _, with_lucky = compared(tmp_path / "a", lines + lucky, sets)
    _, _, without = compared(tmp_path / "b", lines, sets)
    key = (SAME, "ConvTransformer", "ALL")
    assert with_lucky.loc[key, "runs"] == 6 * 2
    assert with_lucky.loc[key, "difference"] == without.loc[key, "difference"]


def test_another_test_set_is_not_paired(tmp_path):
    """The corpus changed between the arm's runs and the lightweight's."""
    lines, sets = study([], seeds=1)
    other = [{**test_set(k, utterances=54)} for k in range(1, 7)]
    lines += [line("convtransformer", "ALL", s, 0.5) for s in other]
    results, comparisons, _ = compared(tmp_path, lines, sets + other)
    assert not len(comparisons.table)
    assert "different test sets" in results.warnings[0]


def test_one_test_set_of_all_seeds(tmp_path):
    """As M3ED has: no folds, many speakers, runs are the seeds."""
    sets = [test_set(1, speakers=30)]
    rng = np.random.default_rng(7)
    lines = [
        line("conformer", arm, sets[0], 0.4 + effect + rng.normal(0, 0.02, 30),
             rng, seed=seed, fold=None)
        for arm, effect in (("Lightweight", 0), ("ALL", 0.15))
        for seed in range(1, 6)
    ]  # fmt: skip
    _, _, table = compared(tmp_path, lines, sets)
    found = table.loc[(SAME, "Conformer", "ALL")]
    assert (found["speakers"], found["runs"], found["folds"]) == (30, 5, 1)
    assert found["verdict"] == GAIN


def test_rates_are_not_chosen_by_a_folds_own_test_speakers(tmp_path):
    """Fold 2's test speakers validate fold 1: it may scream, fold 2 is deaf."""
    lines, sets = study(["ALL"], rates=(0.001, 0.003))
    for x in lines:
        slow = x["lr"] == 0.001
        x["valid"] = {"UA": 0.5 + 0.01 * slow, "loss": 1.0}
        if x["fold"] == 1:  # for the fast one, by far
            x["valid"]["UA"] = 0.0 if slow else 1.0
    _, comparisons, table = compared(tmp_path, lines, sets)
    chosen = comparisons.chosen.set_index("row").loc["ALL", "by_fold"]
    assert chosen == {
        "1": 0.003, "2": 0.001, "3": 0.003, "4": 0.003, "5": 0.003, "6": 0.003,
    }  # fmt: skip
    assert (BEST, "ConvTransformer", "ALL") in table.index


def test_without_scores_the_validation_loss_chooses(tmp_path):
    lines, sets = study(["ALL"], rates=(0.001, 0.003))
    for x in lines:
        x["valid"] = {"loss": 1.0 if x["lr"] == 0.003 else 2.0}
    results, _, _ = compared(tmp_path, lines, sets)
    for rates in choose_rates(results)["by_fold"]:
        assert set(rates.values()) == {0.003}


def test_without_validation_no_rate_is_chosen(tmp_path):
    lines, sets = study(["ALL"], rates=(0.001, 0.003), valid=None)
    _, comparisons, table = compared(tmp_path, lines, sets)
    assert not len(comparisons.chosen)
    assert set(table.index.get_level_values("comparison")) == {SAME}


def test_test_scores_choose_nothing(tmp_path):
    """Rates and pairs are the same when all test scores are turned round."""
    lines, sets = study(["ALL"], rates=(0.001, 0.003))
    straight, before, _ = compared(tmp_path / "a", lines, sets)
    for x in lines:
        x["predicted"] = x["predicted"][::-1]
        x["test"] = {key: 1 - value for key, value in x["test"].items()}
    turned, after, _ = compared(tmp_path / "b", lines, sets)
    assert turned.rates == straight.rates
    assert after.chosen.equals(before.chosen)


def test_the_rate_of_most_lightweight_runs_is_the_same_rate(tmp_path):
    lines, sets = study(["ALL"], rates=(0.001, 0.003))
    kept = [x for x in lines if x["lr"] == 0.003 or x["fold"] < 3]
    results, _, _ = compared(tmp_path, kept, sets)
    assert results.rates == {"ConvTransformer": 0.003}


def test_of_equally_frequent_rates_that_of_most_arms_counts(tmp_path):
    """The smallest one has fewer arms, which would take the others' place."""
    lines, sets = study(["FFN2", "ALL"], rates=(0.0005, 0.001, 0.002), seeds=1)
    kept = [x for x in lines if x["arm"] != "FFN2" or x["lr"] == 0.001]
    results, _, table = compared(tmp_path, kept, sets)
    assert results.rates == {"ConvTransformer": 0.001}
    assert (SAME, "ConvTransformer", "FFN2") in table.index
    assert results.warnings == []


def test_few_speakers_beside_many(tmp_path):
    """Holm's correction is less than times all tests where others have more."""
    many = paired(pairs(np.full((6, 4, 2), 0.1)))
    few = paired(pairs(np.full((2, 4, 2), 0.1)))
    key = {"comparison": SAME, "family": "ours", "model": "conformer"}
    table = judged([{**key, **x} for x in [many] * 6 + [few]])
    assert table["smallest_p_holm"].iloc[-1] == 7 * 2 / 2**8 > 0.05
    assert table["p_holm"].iloc[-1] < 0.05
    assert table["verdict"].iloc[-1] == GAIN


def test_families_are_corrected_apart(tmp_path):
    """The paper's rows and ours, one model by one."""
    arms = ["FFN1", "FFN2", "ALL", "ALL, normalised"]
    lines, sets = study(arms, {"ALL, normalised": 0.1})
    _, _, table = compared(tmp_path, lines, sets)
    ours = table.loc[(SAME, "ConvTransformer", "ALL, normalised")]
    assert ours["family"] == "ours" and ours["p_holm"] == ours["p"]
    rows = table.loc[[(SAME, "ConvTransformer", row) for row in arms[:3]]]
    assert rows["p_holm"].min() == pytest.approx(min(1, 3 * rows["p"].min()))
