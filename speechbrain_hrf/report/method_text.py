"""How the report was computed, for a reader who wants to check it.

Authors
 * The speechbrain_hrf authors 2026
"""

from speechbrain_hrf.report.paired import ALPHA, FEWEST_FOLDS
from speechbrain_hrf.report.verdict import ENOUGH_FOR_INTERVAL

METHOD = (
    "Arms are compared with the Lightweight model of the same model and "
    "activation, paired over fold and seed: a pair has the same training, "
    "validation and test utterances and the same seed. Only pairs that both "
    "sides have count.",
    "Intervals are bootstrap 95 % intervals of the mean (scipy, BCa, 9999 "
    "resamples). Tests are two-sided Wilcoxon signed-rank tests (scipy; pairs "
    "without a difference are left out). Effect sizes are the matched-pairs "
    "rank-biserial correlation and Cohen's d_z (pingouin): mean difference "
    "by standard deviation of the differences.",
    "Holm's correction (pingouin) acts within a family: one model's rows "
    "of the paper, or its arms beyond the paper, or its original, in one of "
    "the two comparisons, by one score; the rows that several models have, "
    "each with the pairs of all of them; the mean over its rows, one of each "
    "model; the mean over all models. Each family has a chance of its own, up "
    f"to {ALPHA:g}, that it shows a gain or loss that is none: of a report "
    "with many families, some may.",
    "The smallest p-value that n pairs can give is 2 / 2^n: .0625 for 5, "
    ".031 for 6, .002 for 10. Where that, corrected for the family, is not "
    f"below {ALPHA:g}, the test cannot say yes, and the report says so.",
    "Seeds share the test speakers of their fold, and folds share training "
    "speakers: pairs are not wholly independent, so that p-values over all "
    f"pairs are somewhat too small. With {FEWEST_FOLDS} or more folds of "
    "several seeds each, a second look lets every fold count once, by its "
    "mean difference (t test, Holm-corrected). A gain or loss is called shown "
    "only if both looks and the interval agree.",
    "Same learning rate: every arm at the lightweight model's, the paper's "
    "protocol. Matched: each arm, the lightweight model too, in every fold at "
    "the rate with the best mean score on the validation sets, over those "
    "pairs that all of its rates have. No test score has a part in the choice, "
    "nor has a test speaker: where a fold's test speakers validate another "
    "fold, that one is left out of the choice for this fold.",
    "What is ruled out is what lies outside the widest of the bootstrap "
    "interval, Student's t interval over pairs and, where there is one, over "
    f"folds. With fewer than {ENOUGH_FOR_INTERVAL} pairs nothing is ruled out.",
    "The answer at the top uses the study's own score; the other scores are "
    "in report_comparisons.csv, each a family of its own.",
)
