"""The benchmark of what a model costs on a device, at its smallest.

Authors
 * The speechbrain_hrf authors 2026
"""

import pathlib
import statistics
import sys

import numpy as np
import pytest
import soundfile

BENCHMARKS = pathlib.Path(__file__).resolve().parents[2] / "benchmarks"
MODULES = (
    *("first_label", "interleaved", "models", "on_device"),
    *("on_device_figure", "pipeline", "report"),
)
pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")


@pytest.fixture(scope="module")
def benchmark():
    """The benchmark's own modules, as its script imports them."""
    sys.path.insert(0, str(BENCHMARKS))
    try:
        import on_device

        yield on_device
    finally:
        sys.path.remove(str(BENCHMARKS))
        for name in MODULES:
            sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def folder(benchmark, tmp_path_factory):
    """A merged model, exported as the benchmark exports it."""
    scratch = tmp_path_factory.mktemp("on_device")
    return benchmark.exported(scratch, "SpeechFormer", modules=("ALL",))


@pytest.mark.slow  # a whole export
def test_all_arms_compute_the_same(benchmark, folder):
    """Times of different results would say nothing."""
    generator = np.random.default_rng(0)
    samples = 0.1 * generator.standard_normal(16000, np.float32)
    calls = benchmark.calls(folder, samples)
    eager = calls["eager, waveform"]()[0].numpy().ravel()
    from_features = calls["eager, features"]().numpy().ravel()
    runner = calls["ONNX, waveform"]().log_probabilities
    session = calls["ONNX, features"]()[0].ravel()
    assert eager == pytest.approx(from_features, abs=1e-4)
    assert eager == pytest.approx(list(runner.values()), abs=1e-4)
    assert eager == pytest.approx(session, abs=1e-4)
    assert np.ptp(eager) > 1e-3  # not one and the same for any input


@pytest.mark.slow
def test_latency_has_percentiles_and_ratios(benchmark, folder):
    samples = np.zeros(80000, np.float32)
    found = benchmark.latency({"merged": folder}, samples, rounds=2, repeats=3)
    assert len(found) == 4
    for arm, cost in found.items():
        assert 0 < cost["median_ms"] <= cost["p95_ms"], arm
    assert found["merged, eager, waveform"]["to_eager"]["median"] == 1
    assert found["merged, ONNX, waveform"]["to_lightweight"]["median"] == 1


def test_single_calls_take_turns(benchmark):
    order = []
    arms = {name: lambda name=name: order.append(name) for name in "ab"}
    times = benchmark.single_calls(arms, rounds=2, calls=2)
    assert "".join(order) == "aaabbb" + "bbbaaa"  # one each is not counted
    assert [len(turn) for turns in times.values() for turn in turns] == [2] * 4
    assert statistics.median(times["a"][0]) >= 0


def test_a_fresh_process_starts_and_says_its_memory(
    benchmark, onnx_folder, tmp_path
):
    if not pathlib.Path("/proc/self/status").exists():
        pytest.skip("only Linux says what a process has held at most")
    file = tmp_path / "a.wav"
    soundfile.write(file, np.zeros(16000), 16000)
    seconds, memory = benchmark.start("ONNX", onnx_folder, file)
    assert 0 < seconds < 60
    assert 20e6 < memory < 200e6
    with pytest.raises(RuntimeError, match="ONNX .* failed"):
        benchmark.start("ONNX", tmp_path, file)


def test_the_table_and_the_picture_have_a_row_each(benchmark, tmp_path):
    figures = {}
    ratio = {"median": 0.5, "low": 0.4, "high": 0.6, "milliseconds": 1}
    for size in benchmark.SIZES:
        for engine in benchmark.ENGINES:
            for given in ("waveform", "features"):
                figures[f"M, {size}, {engine}, {given}"] = {
                    "median_ms": 2.0,
                    "p95_ms": 3.0,
                    "to_eager": ratio,
                    "bytes": 2048,
                }
            figures[f"M, {size}, {engine}"] = {
                "median_start_s": 1.0,
                "peak_bytes": 70_000_000,
            }
    head, rows = benchmark._table(figures)
    assert [row[1:3] for row in rows] == [
        [size, engine]
        for size in benchmark.SIZES
        for engine in benchmark.ENGINES
    ]
    assert all(len(row) == len(head) for row in rows)
    path = tmp_path / "figure.png"
    benchmark.draw(figures, ["M"], benchmark.SIZES, path)
    assert path.read_bytes()[:4] == b"\x89PNG"
