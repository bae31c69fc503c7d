"""Calls in any order: a return code, never undefined behaviour.

Authors
 * The speechbrain_hrf authors 2026
"""

import ctypes
import pathlib
import shutil
import subprocess

import numpy as np
import pytest

from speechbrain_hrf.export.c.library import FLAGS
from speechbrain_hrf.export.c.source import SOURCE, SOURCE_INT8

NO_SAMPLE, WRONG_ORDER, BAD_ARGUMENT = -1, -2, -3
FUZZ = pathlib.Path(__file__).with_name("fuzz.c")
SANITIZE = "-fsanitize=address,undefined"


def test_wrong_order_and_bad_arguments(compiled):
    c = compiled().library.c
    data = np.zeros(400, np.int16).ctypes.data
    out = np.zeros(4, np.float32).ctypes.data
    c.hrf_reset()
    assert c.hrf_finish(None) == BAD_ARGUMENT
    assert c.hrf_finish(out) == NO_SAMPLE
    assert c.hrf_finish(out) == WRONG_ORDER
    assert c.hrf_feed(data, 400) == WRONG_ORDER
    assert c.hrf_again() == WRONG_ORDER
    assert c.hrf_combine(out) == NO_SAMPLE
    c.hrf_reset()
    assert c.hrf_feed(None, 1) == BAD_ARGUMENT
    assert c.hrf_feed(None, 0) == 0
    assert c.hrf_combine(None) == BAD_ARGUMENT
    # The least is a tenth of a window of 60 frames.
    for hop in (0, 160, 961, 2**31):
        assert c.hrf_reset_stream(hop) == BAD_ARGUMENT
    assert c.hrf_feed(data, 400) == 0, "a refused hop changes nothing"
    assert c.hrf_reset_stream(960) == 0
    assert c.hrf_feed(data, 400) == WRONG_ORDER
    assert c.hrf_feed_stream(None, None, out) == BAD_ARGUMENT
    place, left = ctypes.c_void_p(None), ctypes.c_size_t(1)
    rest = ctypes.byref(place), ctypes.byref(left)
    assert c.hrf_feed_stream(*rest, out) == BAD_ARGUMENT
    assert c.hrf_finish(out) == NO_SAMPLE


def test_nothing_but_the_mathematical_library(compiled):
    found = compiled("Conformer")
    text = found.files[SOURCE] + found.files["hrf_model.h"]
    includes = {x for x in text.splitlines() if x.startswith("#include")}
    assert includes == {
        "#include <math.h>",
        '#include "hrf_model.h"',
        "#include <stddef.h>",
        "#include <stdint.h>",
    }
    if shutil.which("nm"):
        library = found.folder / "hrf_model.so"
        listing = subprocess.run(
            ["nm", "-D", "--undefined-only", library],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        names = {
            line.split()[-1].split("@")[0]
            for line in listing.split("\n")
            if line
        }
        names = {n for n in names if not n.startswith("_")}
        assert names <= {
            *("expf", "logf", "log10f", "sqrtf", "erff"),
            *("memcpy", "memmove", "memset"),
        }


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("SpeechFormer", SOURCE),
        pytest.param("ConvTransformer", SOURCE, marks=pytest.mark.slow),
        pytest.param("Conformer", SOURCE_INT8, marks=pytest.mark.slow),
    ],
)
def test_fuzzed_calls_under_sanitizers(
    compiled, compiler, tmp_path, name, source
):
    found = compiled(name, int8=source == SOURCE_INT8)
    for file, text in found.files.items():
        (tmp_path / file).write_text(text, encoding="utf-8")
    program = tmp_path / "fuzz"
    built = subprocess.run(
        [*compiler, *FLAGS, "-g", SANITIZE, "-fno-sanitize-recover=all"]
        + ["-I.", source, FUZZ, "-o", program, "-lm"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    if "asan" in built.stderr:
        pytest.skip(f"{compiler[0]} has no sanitizers")
    assert built.returncode == 0, built.stderr
    ran = subprocess.run(
        [program, "1", "400"], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "results" in ran.stdout
    assert int(ran.stdout.split()[0]) > 20, "calls that gave a result"
