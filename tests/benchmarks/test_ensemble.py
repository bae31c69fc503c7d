"""The script that measures ensembles runs, and says what it found.

Authors
 * The speechbrain_hrf authors 2026
"""

import pathlib
import sys

import pytest
import torch

BENCHMARKS = pathlib.Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def ensemble():
    """The benchmark, imported as its script imports the others."""
    before, threads = set(sys.modules), torch.get_num_threads()
    sys.path.insert(0, str(BENCHMARKS))
    try:
        import ensemble

        yield ensemble
    finally:
        torch.set_num_threads(threads)
        sys.path.remove(str(BENCHMARKS))
        names = "ensemble captured_step interleaved models report".split()
        for name in set(names) - before:
            sys.modules.pop(name, None)


def test_on_a_cpu_every_arm_runs(ensemble, capsys):
    ensemble.main(
        "--device cpu --models SpeechFormer --at_once 4 --batch 2 --rounds 2 "
        "--seconds 0.001".split()
    )
    out = capsys.readouterr().out
    for arm in ensemble.ARMS:
        assert f"SpeechFormer {arm} " in out
        assert f"SpeechFormer, {arm}: 4 together are " in out
    assert "written" not in out


def test_models_together_are_models(ensemble):
    """Each learns: the loss on its batch falls."""
    step = ensemble.together("SpeechFormer", "lightweight", 3, 4, "cpu")
    first = step()
    for _ in range(20):
        last = step()
    assert (last < first).all()


def test_verdicts(ensemble):
    def said(median):
        ratio = {"median": median}
        return ensemble.verdict("Conformer", "lightweight", ratio, 96, "cuda")

    assert said(9.16) == (
        "Conformer, lightweight: 96 together are 9.2 times as fast; "
        "aim: 8: reached."
    )
    assert said(7.9).endswith("aim: 8: not reached.")
