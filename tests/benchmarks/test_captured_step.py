"""The script that measures captured steps runs, and says what it found."""

import pathlib
import sys

import pytest

BENCHMARKS = pathlib.Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def captured_step():
    """The benchmark, imported as its script imports the others."""
    before = set(sys.modules)
    sys.path.insert(0, str(BENCHMARKS))
    try:
        import captured_step

        yield captured_step
    finally:
        sys.path.remove(str(BENCHMARKS))
        for name in ("captured_step", "interleaved", "models", "report"):
            if name not in before:
                sys.modules.pop(name, None)


def test_on_a_cpu_every_row_runs(captured_step, capsys):
    captured_step.main(
        "--device cpu --models SpeechFormer --batch 2 --rounds 2 "
        "--seconds 0.001".split()
    )
    out = capsys.readouterr().out
    for row in captured_step.ROWS:
        assert f"SpeechFormer {row} " in out
    assert "SpeechFormer: nothing is captured on a CPU." in out
    assert "written" not in out


def test_verdicts(captured_step):
    def said(eager, hrf):
        ratios = {
            captured_step.ONE_BY_ONE: {"median": eager},
            captured_step.ALL: {"median": hrf},
        }
        return captured_step.verdicts("Conformer", ratios, "cuda")

    assert said(2.5, 1.12) == [
        "Conformer: one by one a step takes 2.50 times as long as captured; "
        "aim: at least 2.0: reached.",
        "Conformer: with ALL, ratio 8, a captured step takes 1.12 times as "
        "long; aim: at most 1.1: not reached.",
    ]
    assert said(1.9, 1.1)[0].endswith("not reached.")
    assert said(1.9, 1.1)[1].endswith("1.1: reached.")
