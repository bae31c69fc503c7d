"""Our models under SpeechBrain's own tree: ``speechbrain.lobes.models.hrf``.

The name is answered by an import finder, so that neither SpeechBrain nor our
models are imported before somebody asks for it. What it gives is the module
``speechbrain_hrf.lobes.models`` itself, not a copy. Like SpeechBrain's own
lobes it has to be imported, by an import statement or by a YAML.

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
from importlib.machinery import ModuleSpec

_ALIAS = "speechbrain.lobes.models.hrf"
_TARGET = "speechbrain_hrf.lobes.models"


class _AliasFinder:
    """Finder and loader of one name, as ``sys.meta_path`` takes them."""

    def find_spec(self, name, path=None, target=None):
        return ModuleSpec(name, self) if name == _ALIAS else None

    def create_module(self, spec):
        return None  # Python's own, empty one

    def exec_module(self, module):
        # A module may put another one in its place while it is executed:
        # https://docs.python.org/3/reference/import.html#loading
        sys.modules[_ALIAS] = importlib.import_module(_TARGET)


_FINDER = _AliasFinder()


def register_alias():
    """Makes ``speechbrain.lobes.models.hrf`` importable; twice does no harm.

    Example
    -------
    >>> register_alias()
    >>> import speechbrain.lobes.models.hrf
    >>> speechbrain.lobes.models.hrf.__name__
    'speechbrain_hrf.lobes.models'
    """
    if _FINDER not in sys.meta_path:
        # Behind the others: a module of this name in SpeechBrain would win.
        sys.meta_path.append(_FINDER)
