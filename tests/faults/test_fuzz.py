"""Coverage-guided fuzzing of the parsers, bounded; and what it has found.

Seeds, and inputs that once broke a parser, are in ``seeds/<reader>/``.

Authors
 * The speechbrain_hrf authors 2026
"""

import pathlib
import re
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).parent
SECONDS = 8
PARSERS = {
    "IEMOCAP labels": "iemocap_labels",
    "M3ED annotation": "m3ed_annotation",
    "DAIC-WOZ transcript": "transcript",
    "DAIC-WOZ list": "daic_list",
    "WAV to classify": "wav",
    "manifest.json": "manifest",
}


@pytest.mark.parametrize("reader", PARSERS)
def test_nothing_that_fuzzing_invents_breaks_a_parser(tmp_path, count, reader):
    pytest.importorskip(
        "atheris", reason="atheris has no wheel for this Python or platform"
    )
    seeds = HERE / "seeds" / PARSERS[reader]
    assert any(seeds.iterdir())
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    done = subprocess.run(
        [
            *(sys.executable, HERE / "fuzz.py", reader, corpus, seeds),
            *(f"-max_total_time={SECONDS}", "-timeout=20", "-seed=1"),
            *("-max_len=4096", "-rss_limit_mb=4096", "-verbosity=1"),
        ],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=300,
    )
    found = [
        (path.name, path.read_bytes()[:500])
        for pattern in ("crash-*", "timeout-*", "oom-*", "leak-*")
        for path in tmp_path.glob(pattern)
    ]
    runs = re.findall(r"^(?:Done|#)\s*(\d+)", done.stdout, re.MULTILINE)
    count("fuzzed", tried=max(map(int, runs), default=0), lost=len(found))
    assert not found, f"{found}\n{done.stdout[-3000:]}"
    assert done.returncode == 0, done.stdout[-3000:]
    assert runs and int(runs[-1]) > 20, done.stdout[-2000:]
