"""Small models as C, compiled once for all tests that run them.

Authors
 * The speechbrain_hrf authors 2026
"""

import pathlib
from types import SimpleNamespace

import pytest
from c_models import LABELS, make_modules

from speechbrain_hrf.export.c.library import compile_library, find_compiler
from speechbrain_hrf.export.c.source import (
    SOURCE,
    SOURCE_INT8,
    make_sources,
)


@pytest.fixture(scope="session")
def compiler():
    """The host's C compiler, or a skip."""
    found = find_compiler()
    if not found:
        pytest.skip("there is no C compiler (cc, or what CC names)")
    return found


@pytest.fixture(scope="session")
def compiled(compiler, tmp_path_factory):
    """Gives modules, sources and library of a model, by name."""
    made = {}

    def get(name="SpeechFormer", int8=False):
        key = (name, int8)
        if key not in made:
            modules = make_modules(name)
            files = make_sources(modules, LABELS, int8)
            folder = pathlib.Path(tmp_path_factory.mktemp("c"))
            library = compile_library(
                compiler,
                files,
                SOURCE_INT8 if int8 else SOURCE,
                len(LABELS),
                folder,
            )
            made[key] = SimpleNamespace(
                modules=modules, files=files, library=library, folder=folder
            )
        return made[key]

    return get
