"""Modules that have moved still answer to the names that they had.

YAMLs and scripts of earlier runs name them. What they get is the module itself,
not a copy; ``python -m`` takes the old names too.

Example
-------
>>> import speechbrain_hrf  # registers the names
>>> from speechbrain_hrf.recipe.checkpoints import AtomicCheckpointer
>>> AtomicCheckpointer.__module__
'speechbrain_hrf.training.checkpoints'

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import ModuleType

FORMER = {
    "speechbrain_hrf.recipe": "speechbrain_hrf.training",
    "speechbrain_hrf.metrics": "speechbrain_hrf.training",
    "speechbrain_hrf.onnx": "speechbrain_hrf.export.onnx",
    "speechbrain_hrf.synthetic": "speechbrain_hrf.dataio.synthetic",
    "speechbrain_hrf.nnet.expanded": "speechbrain_hrf.nnet.kinds.expanded",
    "speechbrain_hrf.nnet.linear": "speechbrain_hrf.nnet.kinds.linear",
    "speechbrain_hrf.nnet.conv": "speechbrain_hrf.nnet.kinds.conv",
    "speechbrain_hrf.nnet.packed": "speechbrain_hrf.nnet.kinds.packed",
    "speechbrain_hrf.dataio.archive": "speechbrain_hrf.dataio.sound.archive",
    "speechbrain_hrf.dataio.audio": "speechbrain_hrf.dataio.sound.audio",
    "speechbrain_hrf.dataio.probe": "speechbrain_hrf.dataio.sound.probe",
    "speechbrain_hrf.dataio.feature_cache": (
        "speechbrain_hrf.dataio.features.cache"
    ),
}


class _Finder:
    """Finds the former names, as ``sys.meta_path`` takes it."""

    def find_spec(
        self, name: str, path: object = None, target: object = None
    ) -> ModuleSpec | None:
        for old, new in FORMER.items():
            if name == old or name.startswith(f"{old}."):
                found = importlib.util.find_spec(new + name[len(old) :])
                if found is None or found.origin is None:
                    return None
                return importlib.util.spec_from_file_location(
                    name,
                    found.origin,
                    loader=_Loader(name, found.origin, found.name),
                    submodule_search_locations=(
                        found.submodule_search_locations
                    ),
                )
        return None


class _Loader(SourceFileLoader):
    """Gives the module of the new name; its code, where it is to be run."""

    def __init__(self, name: str, path: str, target: str):
        super().__init__(name, path)
        self.target = target

    def exec_module(self, module: ModuleType) -> None:
        # A module may put another one in its place while it is executed:
        # https://docs.python.org/3/reference/import.html#loading
        sys.modules[self.name] = importlib.import_module(self.target)


_FINDER = _Finder()


def register_former_names() -> None:
    """Makes the former names importable; twice does no harm.

    Example
    -------
    >>> register_former_names()
    >>> from speechbrain_hrf.metrics.scores import EmotionScores
    >>> EmotionScores.__module__
    'speechbrain_hrf.training.scores'
    """
    if _FINDER not in sys.meta_path:
        # Before Python's own, which would find the file below the new folder
        # and load it a second time.
        sys.meta_path.insert(0, _FINDER)
