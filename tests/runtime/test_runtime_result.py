"""One label for many windows.

Authors
 * The speechbrain_hrf authors 2026
"""

import numpy as np
import pytest

from speechbrain_hrf.runtime.result import COMBINATIONS, Combination

LABELS = ["a", "b", "c"]


@pytest.mark.parametrize("kind", COMBINATIONS)
def test_against_numpy(kind):
    """Of all windows so far, at each of them."""
    random = np.random.default_rng(0)
    probabilities = random.dirichlet(np.ones(3), size=50)
    combination = Combination(kind, LABELS)
    for n, row in enumerate(probabilities, start=1):
        found = combination.add(dict(zip(LABELS, np.log(row), strict=True)))
        seen = probabilities[:n]
        if kind == "mean":
            scores = seen.mean(0)
            best = scores.argmax()
        else:
            scores = np.bincount(seen.argmax(1), minlength=3) / n
            best = np.lexsort((seen.sum(0), scores))[-1]
        assert found.windows == n
        assert found.label == LABELS[best]
        assert found.probability == pytest.approx(scores[best])


def test_they_differ():
    """Two narrow votes, one clear one."""
    windows = np.log([[0.51, 0.49], [0.51, 0.49], [0.01, 0.99]])
    found = {}
    for kind in COMBINATIONS:
        combination = Combination(kind, ["a", "b"])
        for window in windows:
            last = combination.add(dict(zip("ab", window, strict=True)))
        found[kind] = last.label
    assert found == {"mean": "b", "majority": "a"}
