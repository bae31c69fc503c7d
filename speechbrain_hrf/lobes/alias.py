"""Our models under SpeechBrain's own tree: ``speechbrain.lobes.models.hrf``.

The name is answered by an import finder, so that neither SpeechBrain nor our
models are imported before somebody asks for it. What it gives is the module
``speechbrain_hrf.lobes.models`` itself, not a copy. It is also an attribute of
``speechbrain.lobes.models``, whether that is imported before this or after.

Example
-------
>>> import speechbrain_hrf  # registers the alias
>>> from speechbrain.lobes.models.hrf import Conformer
>>> Conformer is speechbrain_hrf.Conformer
True

Authors
 * The speechbrain_hrf authors 2026
"""

import importlib
import sys
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any

_PARENT, _NAME = "speechbrain.lobes.models", "hrf"
_ALIAS = f"{_PARENT}.{_NAME}"
_TARGET = "speechbrain_hrf.lobes.models"


def _ours(name: str) -> str:
    return _TARGET + name.removeprefix(_ALIAS)


class _AliasFinder:
    """Finder and loader of one name, as ``sys.meta_path`` takes them."""

    def find_spec(
        self, name: str, path: Any = None, target: object = None
    ) -> ModuleSpec | None:
        return ModuleSpec(name, self) if name == _ALIAS else None

    def create_module(self, spec: ModuleSpec) -> None:
        """Python's own, empty one."""

    def exec_module(self, module: ModuleType) -> None:
        # A module may put another one in its place while it is executed:
        # https://docs.python.org/3/reference/import.html#loading
        name = module.__name__
        sys.modules[name] = importlib.import_module(_ours(name))


class _ModuleFinder(_AliasFinder):
    """The same of what is below the alias.

    Python would find their files, and execute each a second time.
    """

    def find_spec(
        self, name: str, path: Any = None, target: object = None
    ) -> ModuleSpec | None:
        if not name.startswith(f"{_ALIAS}."):
            return None
        is_ours = sys.modules.get(_ALIAS) is sys.modules.get(_TARGET)
        there = is_ours and PathFinder.find_spec(_ours(name), path)
        return ModuleSpec(name, self) if there else None


class _ParentFinder:
    """Finds the package above the alias, and has it know the attribute."""

    def find_spec(
        self, name: str, path: Any = None, target: object = None
    ) -> ModuleSpec | None:
        if name != _PARENT:
            return None
        spec = PathFinder.find_spec(name, path)
        if spec and type(spec.loader) is SourceFileLoader:
            spec.loader = _ParentLoader(name, spec.loader.path)
        return spec


class _ParentLoader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        _know_the_alias(module)


def _know_the_alias(parent: ModuleType) -> None:
    # Only asked for what the module lacks: https://peps.python.org/pep-0562/
    def __getattr__(name: str) -> ModuleType:  # noqa: N807
        if name == _NAME:
            return importlib.import_module(_ALIAS)
        raise AttributeError(f"module {_PARENT!r} has no attribute {name!r}")

    # SpeechBrain's package has no such function of its own.
    parent.__dict__.setdefault("__getattr__", __getattr__)


_LAST, _FIRST = _AliasFinder(), _ParentFinder()
_BELOW = _ModuleFinder()


def register_alias() -> None:
    """Makes ``speechbrain.lobes.models.hrf`` importable; twice does no harm.

    Example
    -------
    >>> register_alias()
    >>> import speechbrain
    >>> speechbrain.lobes.models.hrf.__name__
    'speechbrain_hrf.lobes.models'
    """
    if _LAST in sys.meta_path:
        return
    # Behind the others: a module of this name in SpeechBrain would win.
    sys.meta_path.append(_LAST)
    sys.meta_path.insert(0, _BELOW)
    if _PARENT in sys.modules:
        _know_the_alias(sys.modules[_PARENT])
    else:
        sys.meta_path.insert(0, _FIRST)
