"""One file holds what a model needs, and does what its sources do.

Authors
 * The speechbrain_hrf authors 2026
"""

import importlib
import sys
import textwrap

import pytest
import torch
from speechbrain.inference.classifiers import EncoderClassifier
from speechbrain.utils.superpowers import import_from_path

from speechbrain_hrf.export.bundle import CLASSNAME, HOOK, bundle, is_own
from speechbrain_hrf.lobes import models


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Makes a package of one's own; gives a function that bundles from it."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)

    def make(files, name="start.Net"):
        for path, text in files.items():
            path = tmp_path / "mine" / path
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(text, str):
                text = textwrap.dedent(text).encode()
            path.write_bytes(text)
        (tmp_path / "mine" / "__init__.py").touch()
        importlib.invalidate_caches()
        module, _, attribute = f"mine.{name}".rpartition(".")
        found = getattr(importlib.import_module(module), attribute)
        return bundle({f"mine.{name}": found}, "Net")

    yield make
    for name in set(sys.modules) - before:
        del sys.modules[name]


def run(made, folder):
    """Imports a bundle as SpeechBrain does."""
    path = folder / f"{made.module}.py"
    path.write_text(made.text)
    return import_from_path(path)


@pytest.mark.parametrize(
    "name", ["Conformer", "ConvTransformer", "SpeechFormer"]
)
def test_lobes(tmp_path, name):
    """The bundled model is the model; HRF and the package are not in it."""
    objects = {
        f"speechbrain_hrf.lobes.models.{key}": getattr(models, key)
        for key in (name, "ClassifierHead")
    }
    made = bundle({**objects, "torch.nn.SiLU": torch.nn.SiLU}, name)
    module = run(made, tmp_path)
    assert made.module.startswith(f"hrf_{name.lower()}_")
    assert len(made.names) == 2
    for word in ("speechbrain_hrf", "HRFLinear", "factors", ">>>"):
        assert word not in made.text
    original, bundled = getattr(models, name)(), getattr(module, name)()
    assert type(bundled).__module__ == made.module
    bundled.load_state_dict(original.state_dict())
    feats = torch.randn(2, 70, 78)
    with torch.no_grad():
        assert torch.equal(bundled.eval()(feats), original.eval()(feats))
    assert issubclass(getattr(module, CLASSNAME), EncoderClassifier)


def test_hook_is_strict(tmp_path):
    """What SpeechBrain's own hook only warns about."""
    made = bundle({"speechbrain_hrf.x": models.ClassifierHead}, "Head")
    load = getattr(run(made, tmp_path), HOOK)
    torch.save({"weight": torch.zeros(1)}, tmp_path / "x.ckpt")
    with pytest.raises(RuntimeError, match="Missing key"):
        load(torch.nn.Linear(1, 1), tmp_path / "x.ckpt")


def test_name_follows_the_content(package):
    """Same code, same name; other code, other name."""
    first = package({"start.py": "class Net:\n    a = 1\n"})
    second = package({"start.py": "class Net:\n    a = 1\n"})
    third = package({"start.py": "class Net:\n    a = 2\n"})
    assert first.module == second.module != third.module


def test_installed_classes_stay_where_they_are():
    """No file is needed for a model of stock classes."""
    assert bundle({"torch.nn.Linear": torch.nn.Linear}, "Linear") is None
    # Written in C, it does not know its module.
    assert bundle({"torch.relu": torch.relu}, "relu") is None


def test_ones_own_is_what_nobody_can_install():
    own = ("speechbrain_hrf.lobes", "a_file_beside_the_recipe")
    others = ("speechbrain.lobes", "torch", "os.path", "yaml")
    assert [name for name in own + others if is_own(name)] == list(own)


def test_speechbrain_in_a_checkout_stays_where_it_is(monkeypatch):
    """It loads the file; a checkout that is not installed does so as well."""
    from speechbrain.lobes.models.Xvector import Classifier

    module = importlib.import_module("speechbrain_hrf.export.bundle")
    monkeypatch.setattr(module, "_installed_roots", lambda: {"torch"})
    # As where this code itself lies under speechbrain.*
    monkeypatch.setattr(module, "_OWN_ROOT", "speechbrain")
    assert not is_own("speechbrain.lobes.models.Xvector")
    name = "speechbrain.lobes.models.Xvector.Classifier"
    assert bundle({name: Classifier}, "Classifier") is None


def test_imports_of_every_kind(package, tmp_path):
    """Relative, renamed, re-exported, in a function, in a cycle."""
    made = package(
        {
            "start.py": '''
                """Docstring.

                >>> from mine import start
                """

                from __future__ import annotations

                import math as m
                import os.path
                from math import (
                    pi,  # why
                    tau as full,
                )

                from mine.parts import Base as Parent
                from .parts.deep import VALUE, double

                __all__ = ["Net"]

                # About the net.
                class Net(Parent):
                    """A net.

                    Example
                    -------
                    >>> Net()
                    net

                    Note
                    ----
                    Kept.
                    """

                    def use(self):
                        from mine.parts.late import late as later

                        return later(double(VALUE)) + m.floor(pi) + full * 0

                    def nothing(self):
                        from mine.parts.late import late

                        return os.path.basename("a/b")
            ''',
            "parts/__init__.py": "from .deep import Original as Base\n",
            "parts/deep.py": """
                import os
                VALUE, OTHER = 3, 4


                class Original:
                    name: str = os.sep


                def double(x):
                    return 2 * x
            """,
            "parts/late.py": """
                def late(x):
                    from mine.start import Net

                    return x + (1 if Net else 0)
            """,
        }
    )
    module = run(made, tmp_path)
    assert module.Net().use() == 10
    assert module.Net().nothing() == "b"
    assert "mine" not in made.text
    assert "Kept." in made.text and "Example" not in made.text
    assert "# About the net." in made.text
    assert module.__doc__.startswith("Net, for SpeechBrain alone.")
    assert made.names == {"mine.start.Net": f"{made.module}.Net"}


@pytest.mark.parametrize(
    "docstring",
    [
        "'''Doubles.\n\n    Example\n    -------\n    >>> scale(1)\n    2\n    '''",
        '"""Doubles.\n\n    Example\n    -------\n    >>> scale(1)\n    2"""',
        '"""Doubles.\n\n    Example\n    -------\n    >>> scale(1)\n    2\n'
        '    """  # see offset',
        "'''Doubles.\n\n    Example\n    -------\n    >>> scale(1)\n    2''' \"\"\"\"\"\"",
    ],
    ids=["apostrophes", "quotes at once", "comment", "joined"],
)
def test_an_example_ends_with_its_docstring(package, tmp_path, docstring):
    """However that is quoted; the code of the next function is not in it."""
    text = f"""\
# -*- coding: latin-1 -*-
from mine.other import ONE
\f
def scale(x):
    {docstring}
    return 2 * x


def offset(x):
    '''Adds.

    Arguments
    ---------
    x : int
    '''
    return x + 2 + ONE


EXAMPLE = '''

Example
-------
kept



all of it: é
'''


class Net:
    def use(self):
        return scale(offset(2))
"""
    files = {"start.py": text.encode("latin-1"), "other.py": b"ONE = 1\n"}
    module = run(package(files), tmp_path)
    assert module.Net().use() == 10
    assert module.EXAMPLE.endswith("kept\n\n\n\nall of it: é\n")


def test_equal_lines_may_repeat(package, tmp_path):
    """Each module may have its own logger, and spell its imports its way."""
    line = "from logging import getLogger\nlogger = getLogger(__name__)\n"
    made = package(
        {
            "start.py": line + "import torch.nn as nn\n"
            "from mine.other import x\nclass Net: pass\n",
            "other.py": line + "from torch import nn\nx = 1\n",
        }
    )
    assert run(made, tmp_path).logger.name == made.module


@pytest.mark.parametrize(
    "files, says",
    [
        ({"start.py": "import mine.other\nclass Net: pass\n"}, "import mine"),
        (
            {"start.py": "from mine import other\nclass Net: pass\n"},
            "defines no other",
        ),
        (
            {"start.py": "from mine.other import *\nclass Net: pass\n"},
            r"import \*",
        ),
        (
            {
                "start.py": "from mine.other import y\n"
                "def x(): pass\nclass Net: pass\n"
            },
            "x is one thing in .*other.py and another in .*start.py",
        ),
        (
            {
                "start.py": "from mine.other import y\n"
                "from math import sqrt as y2\nfrom cmath import sqrt\n"
                "class Net: pass\n"
            },
            "sqrt is one thing",
        ),
        (
            {
                "start.py": "import typing\n"
                "if typing.TYPE_CHECKING: from mine.other import x\n"
                "class Net: pass\n"
            },
            "'from mine.other import x' shares its line",
        ),
        (
            {
                "start.py": "import math; from mine.other import x  # why\n"
                "class Net: pass\n"
            },
            "'from mine.other import x' shares its line",
        ),
        (
            {"start.py": "__all__ = ['Net']; y = 1\nclass Net: pass\n"},
            r"start.py: '__all__ = \['Net'\]' shares its line",
        ),
    ],
)
def test_what_cannot_be_joined(package, files, says):
    """Refused with the file and the line, never joined wrongly."""
    other = "from math import sqrt\nx = 1\ny = 2\n"
    with pytest.raises(ValueError, match=says):
        package({**files, "other.py": other})
