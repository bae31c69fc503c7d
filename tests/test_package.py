"""Importing the plugin: light, complete, the same by every route.

Authors
 * The speechbrain_hrf authors 2026
"""

import ast
import importlib
import operator
import pickle
import subprocess
import sys

import pytest

import speechbrain_hrf


def run(code):
    """What a fresh interpreter prints."""
    process = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout.strip()


def test_the_import_is_light():
    """Neither PyTorch nor SpeechBrain, until a name is used."""
    code = """
import sys, speechbrain_hrf
import speechbrain_hrf.runtime
assert "apply_hrf" in dir(speechbrain_hrf)
heavy = {"torch", "speechbrain", "torchaudio", "soundfile", "onnxruntime"}
print(sorted({"numpy", *heavy} & set(sys.modules)))
"""
    assert run(code) == "['numpy']"


# Each in a fresh interpreter would take half a minute: what one import leaves
# behind is taken away before the next one.
ROUTES = """
import sys

def forget():
    sys.meta_path[:] = [
        x for x in sys.meta_path if "speechbrain_hrf" not in type(x).__module__
    ]
    for name in list(sys.modules):
        if name.startswith("speechbrain_hrf") or name.endswith("models.hrf"):
            del sys.modules[name]
    if "speechbrain.lobes.models" in sys.modules:
        for name in ("hrf", "__getattr__"):
            vars(sys.modules["speechbrain.lobes.models"]).pop(name, None)

ROUTES = [
    # The first one finds SpeechBrain not imported yet.
    "import speechbrain_hrf, speechbrain\\n"
    "Conformer = speechbrain.lobes.models.hrf.Conformer",
    "import speechbrain, speechbrain_hrf\\n"
    "Conformer = speechbrain.lobes.models.hrf.Conformer",
    "import speechbrain_hrf; from speechbrain.lobes.models.hrf import Conformer",
    "import speechbrain, speechbrain_hrf\\n"
    "from speechbrain.lobes.models.hrf import Conformer",
    "import speechbrain_hrf, speechbrain.lobes.models.hrf\\n"
    "Conformer = speechbrain.lobes.models.hrf.Conformer",
    "from speechbrain_hrf import Conformer",
    "import speechbrain_hrf; Conformer = speechbrain_hrf.Conformer",
    "from speechbrain_hrf import *",
    "from speechbrain_hrf.lobes.models import Conformer",
    "from speechbrain_hrf.lobes.models.conformer import Conformer",
    "import speechbrain_hrf\\n"
    "Conformer = speechbrain_hrf.lobes.models.Conformer",
    "import speechbrain_hrf\\n"
    "from hyperpyyaml import load_hyperpyyaml as load\\n"
    "Conformer = type(load('m: !new:speechbrain.lobes.models.hrf.Conformer')"
    "['m'])",
    "from hyperpyyaml import load_hyperpyyaml as load\\n"
    "Conformer = type(load('m: !new:speechbrain_hrf.lobes.models.Conformer')"
    "['m'])",
]
for route in ROUTES:
    forget()
    names = {}
    exec(route, names)
    from speechbrain.utils.checkpoints import (
        DEFAULT_TRANSFER_HOOKS, get_default_hook
    )
    hook = get_default_hook(names["Conformer"](), DEFAULT_TRANSFER_HOOKS)
    assert hook.__name__ == "load_merged", route
    assert names["Conformer"].__module__ == (
        "speechbrain_hrf.lobes.models.conformer"
    ), route
forget()
import speechbrain
try:
    import speechbrain.lobes.models.hrf
except ModuleNotFoundError:
    pass  # the negative control: without the plugin there is none
else:
    sys.exit("There is a speechbrain.lobes.models.hrf without the plugin.")
if hasattr(speechbrain.lobes.models, "hrf"):
    sys.exit("The attribute is there without the plugin.")
print(len(ROUTES))
"""


def test_every_route_gives_the_models_and_their_hook():
    """Both names, both orders of import, from Python and from YAML."""
    assert run(ROUTES) == "13"


def test_other_attributes_of_speechbrain_are_missing_as_before():
    """The error that Python gives for modules, and no import of anything."""
    import speechbrain.lobes.models as parent

    with pytest.raises(AttributeError, match="models' has no attribute 'hfr'"):
        operator.attrgetter("hfr")(parent)


def test_the_alias_is_the_module():
    """No copy, whose classes would be others."""
    import speechbrain.lobes.models.hrf as alias

    from speechbrain_hrf.lobes import models

    assert alias is models
    assert models.__name__ == models.__spec__.name
    below = importlib.import_module("speechbrain.lobes.models.hrf.conformer")
    assert below is importlib.import_module(f"{models.__name__}.conformer")
    assert below.Conformer is models.Conformer


@pytest.mark.parametrize("name", speechbrain_hrf.__all__)
def test_public_names(name):
    """Each is there, is listed, and pickles."""
    found = getattr(speechbrain_hrf, name)
    assert found.__name__ == name
    assert name in dir(speechbrain_hrf)
    assert pickle.loads(pickle.dumps(found)) is found


def test_what_type_checkers_read_is_what_there_is():
    """The imports that never run name every public name, and its home."""
    with open(speechbrain_hrf.__file__, encoding="utf-8") as stream:
        tree = ast.parse(stream.read())
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    homes = {
        alias.name: node.module for node in block.body for alias in node.names
    }
    assert sorted(homes) == speechbrain_hrf.__all__
    for name, home in homes.items():
        module = __import__(home, fromlist=[name])
        assert getattr(module, name) is getattr(speechbrain_hrf, name)


def test_unknown_names():
    """The error that Python gives for modules."""
    with pytest.raises(AttributeError, match="speechbrain_hrf.* 'aply_hrf'"):
        operator.attrgetter("aply_hrf")(speechbrain_hrf)
    assert not hasattr(speechbrain_hrf, "torch")
