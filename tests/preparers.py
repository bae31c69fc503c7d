"""The recipes' preparers, which lie outside the package, and what they write.

Authors
 * The speechbrain_hrf authors 2026
"""

import importlib.util
import json
import sys
from pathlib import Path

RECIPES = Path(__file__).resolve().parents[1] / "recipes"


def load_preparer(corpus):
    """recipes/<corpus>/<corpus>_prepare.py as a module."""
    return load_module(corpus, f"{corpus.lower().replace('-', '_')}_prepare")


def load_module(corpus, name):
    """recipes/<corpus>/<name>.py as a module; it may import others there."""
    path = RECIPES / corpus / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(path.parent))
    return module


def load_manifests(folder):
    """Split -> {utterance -> entry} of a folder that a preparer wrote."""
    return {
        path.stem: json.loads(path.read_text())
        for path in Path(folder).glob("*.json")
        if path.stem != "fingerprint"
    }
