"""Imports modules where PyTorch is not: what they need is made up.

SpeechBrain supports Python 3.8.1, for which there may be no PyTorch at hand.
This runs there, and finds what fails while a module is imported: syntax, and
types that are computed.

    python3.8 contrib/import_with_stand_ins.py FOLDER PACKAGE [PACKAGE ...]

Authors
 * The speechbrain_hrf authors 2026
"""

import importlib
import importlib.abc
import importlib.machinery
import os
import sys
import types


class HasEveryName(type):
    """What is looked up in a class of this kind is such a class."""

    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return HasEveryName(name, (Anything,), {})


class Anything(metaclass=HasEveryName):
    """A class that may be called, subclassed, and used as a decorator."""

    def __init__(self, *args, **kwargs):
        pass

    def __call__(self, function=None, *args, **kwargs):
        """Decorates nothing."""
        return function


class StandIn(types.ModuleType):
    """A module that has every name."""

    __path__ = []  # a package

    def __getattr__(self, name):
        return getattr(Anything, name)


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Makes up what is neither there nor to be tested.

    Arguments
    ---------
    packages : list of str
        What is to be tested.
    """

    def __init__(self, packages):
        self.packages = packages

    def find_spec(self, name, path=None, target=None):
        """Everything of PyTorch, NumPy and SpeechBrain but the packages."""
        if name.partition(".")[0] not in ("torch", "speechbrain", "numpy"):
            return None
        if any(name == x or name.startswith(x + ".") for x in self.packages):
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        """A module that has every name."""
        module = StandIn(spec.name)
        # The packages themselves are found below it.
        module.__path__ = [os.path.join(sys.argv[1], *spec.name.split("."))]
        return module

    def exec_module(self, module):
        """There is nothing to run."""


def main(folder, *packages):
    """Imports all modules of the packages.

    Arguments
    ---------
    folder : str
        Where the packages are.
    *packages : str
        Dotted names.
    """
    sys.meta_path.insert(0, Finder(packages))
    for package in packages:
        names = os.listdir(os.path.join(folder, *package.split(".")))
        for name in sorted(names):
            stem, extension = os.path.splitext(name)
            if extension == ".py" and stem != "__init__":
                importlib.import_module(package + "." + stem)


if __name__ == "__main__":
    main(*sys.argv[1:])
