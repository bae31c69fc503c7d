"""One source file that holds a model's classes, for use without this package.

SpeechBrain's ``foreign_class`` runs a Python file that lies in the model's
folder. ``bundle`` makes such a file: it follows, in the syntax trees, the
imports from one's own packages, starting at the classes that the model's YAML
names, and joins the modules it meets in the order in which they need each
other. Imports of anything else stay imports.

The file's name ends in a hash of its content: two models whose files had one
name would silently share the code of the first one loaded.

Authors
 * The speechbrain_hrf authors 2026
"""

import hashlib
import re
from typing import NamedTuple

from speechbrain_hrf.export.source import is_own, source

CLASSNAME = "BundledEncoderClassifier"
HOOK = "load_strict"

_HEADER = '''"""{title}, for SpeechBrain alone.

    from speechbrain.inference.interfaces import foreign_class

    classifier = foreign_class(
        source="path/to/this/folder",
        hparams_file="hyperparams_standalone.yaml",
        pymodule_file="<the name of this file>",
        classname="{classname}",
    )

Joined from the sources of the model by the export of speechbrain-hrf.
"""

'''
_FOOTER = '''\
def load_strict(obj, path):
    """Loads all parameters of a module, or raises."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    obj.load_state_dict(state, strict=True)


class {classname}(EncoderClassifier):
    """``EncoderClassifier`` for the model that this file defines."""
'''
_FOOTER_IMPORTS = (
    "import torch",
    "from speechbrain.inference.classifiers import EncoderClassifier",
)


class Bundle(NamedTuple):
    """A single-file source.

    Arguments
    ---------
    module : str
        Its unique module name; the file is ``<module>.py``.
    text : str
        Its content.
    names : dict
        Dotted name inside it by the dotted name of what was bundled.

    Example
    -------
    >>> Bundle("hrf_a_0", "class A: pass", {"my.A": "hrf_a_0.A"}).module
    'hrf_a_0'
    """

    module: str
    text: str
    names: dict


def bundle(objects, model_name):
    """Joins the sources of classes and functions into one file.

    Arguments
    ---------
    objects : dict
        Class or function by dotted name. Those that an installed package
        other than this one provides are left where they are.
    model_name : str
        Goes into the name of the file.

    Returns
    -------
    Bundle or None
        None if there is nothing to join: the model's YAML then loads
        wherever those other packages are installed.

    Raises
    ------
    ValueError
        The sources use their modules in a way that does not survive joining.

    Example
    -------
    >>> from speechbrain_hrf.lobes.models.classifier import ClassifierHead
    >>> name = "speechbrain_hrf.lobes.models.classifier.ClassifierHead"
    >>> single = bundle({name: ClassifierHead}, "Head")
    >>> single.module.rpartition("_")[0], "speechbrain_hrf" in single.text
    ('hrf_head', False)
    >>> single.names[name] == f"{single.module}.ClassifierHead"
    True
    >>> bundle({"torch.nn.Linear": __import__("torch").nn.Linear}, "Linear")
    """
    own = {
        name: found for name, found in objects.items() if is_own(_home(found))
    }
    if not own:
        return None
    sources = {}
    for found in own.values():
        _collect(found.__module__, sources)
    imports, bound = set(_FOOTER_IMPORTS), {}
    for part in sources.values():
        _check_names(part, bound)
        imports |= part.imports
    text = "\n\n\n".join(
        [
            _HEADER.format(title=model_name, classname=CLASSNAME)
            + "\n".join(sorted(imports, key=_import_order)),
            *(part.body for part in sources.values()),
            _FOOTER.format(classname=CLASSNAME),
        ]
    )
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    stem = re.sub(r"\W", "_", model_name).lower()
    module = f"hrf_{stem}_{digest}"
    names = {
        name: f"{module}.{found.__qualname__}" for name, found in own.items()
    }
    return Bundle(module, text, names)


def _home(found):
    # Some functions that are written in C do not say.
    return getattr(found, "__module__", None) or "builtins"


def _collect(module, sources):
    # Depth first: what a module needs stands before it.
    if module in sources:
        return
    sources[module] = None  # a cycle ends here
    for need in source(module).needs:
        _collect(need, sources)
    del sources[module]  # so that it stands behind those
    sources[module] = source(module)


def _check_names(part, bound):
    for name, stands_for in part.bound.items():
        other, known = bound.setdefault(name, (part.path, stands_for))
        if known != stands_for:
            raise ValueError(
                f"{name} is one thing in {other} and another in "
                f"{part.path}: the two cannot be bundled into one file. "
                "Rename one of them."
            )


def _import_order(line):
    # As isort has it: __future__, then plain imports, then the others.
    return ("__future__" not in line, line.startswith("from"), line)
