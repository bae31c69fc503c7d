"""Builds speechbrain-hrf-runtime: the runner alone, without PyTorch.

    python extras/runtime/build.py [FOLDER]

It holds the modules that ``speechbrain_hrf.runtime`` and the command ``hrf``
import, found by following their imports, under the same names as in the whole
package; so install one of the two, not both. Wheel and sdist are left in FOLDER
(default: dist).

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import ast
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "speechbrain_hrf"

SETUP = """
import pathlib

from setuptools import find_packages, setup

setup(
    name="speechbrain-hrf-runtime",
    version="{version}",
    description="Runs speech classifiers that speechbrain-hrf has exported",
    long_description=pathlib.Path("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    author="The speechbrain_hrf authors",
    url="{url}",
    license="Apache-2.0",
    packages=find_packages(),
    package_data={{"speechbrain_hrf": ["py.typed"]}},
    entry_points={{"console_scripts": ["hrf = speechbrain_hrf.cli:main"]}},
    python_requires=">=3.10",
    install_requires=["numpy>=1.24", "onnxruntime>=1.18"],
    extras_require={{"compressed": ["soundfile>=0.12.1"]}},
)
"""


def find_module(name: str) -> pathlib.Path | None:
    """The file of a module of the package.

    Arguments
    ---------
    name : str
        Such as "speechbrain_hrf.runtime".

    Returns
    -------
    pathlib.Path or None
        None if the name is none of a module: a function's, for example.
    """
    path = ROOT.joinpath(*name.split("."))
    found = [path / "__init__.py", path.with_suffix(".py")]
    return next((each for each in found if each.is_file()), None)


def imported_by(path: pathlib.Path) -> set[str]:
    """What a module imports when it is run, also within its functions.

    Arguments
    ---------
    path : pathlib.Path

    Returns
    -------
    set of str
        Names of modules, and of what is taken from them.
    """
    found: set[str] = set()
    waiting: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue  # never run
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        waiting += ast.iter_child_nodes(node)
    return {name for name in found if name.startswith("speechbrain_hrf")}


def find_files() -> list[pathlib.Path]:
    """All of the package that the runner needs.

    Returns
    -------
    list of pathlib.Path
    """
    places = ("cli", "runtime.__main__", "runtime.checksums")
    waiting = [f"speechbrain_hrf.{place}" for place in places]
    found: set[pathlib.Path] = set()
    while waiting:
        name = waiting.pop()
        path = find_module(name)
        if path is None or path in found:
            continue
        found.add(path)
        waiting += imported_by(path)
        if "." in name:  # importing a module imports the packages above it
            waiting.append(name.rpartition(".")[0])
    return sorted(found)


def build(target: pathlib.Path) -> None:
    """Builds wheel and sdist.

    Arguments
    ---------
    target : pathlib.Path
    """
    sys.path.insert(0, str(ROOT))
    from setup import URL, read_version

    with tempfile.TemporaryDirectory() as scratch:
        tree = pathlib.Path(scratch)
        for path in [*find_files(), PACKAGE / "py.typed"]:
            place = tree / path.relative_to(ROOT)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, place)
        here = pathlib.Path(__file__).parent
        text = (here / "README.md").read_text(encoding="utf-8")
        text = text.replace("](../../", f"]({URL}/blob/main/")
        (tree / "README.md").write_text(text, encoding="utf-8")
        shutil.copy(ROOT / "LICENSE", tree)
        text = SETUP.format(version=read_version(), url=URL)
        (tree / "setup.py").write_text(text, encoding="utf-8")
        subprocess.run(
            [sys.executable, "-m", "build", "--outdir", str(target), str(tree)],
            check=True,
        )


if __name__ == "__main__":
    build(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "dist").resolve())
