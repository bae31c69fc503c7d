"""The recipes' preparers, which lie outside the package, and what they write.

Authors
 * The speechbrain_hrf authors 2026
"""

import importlib.util
import json
from pathlib import Path

RECIPES = Path(__file__).resolve().parents[1] / "recipes"


def load_preparer(corpus):
    """recipes/<corpus>/<corpus>_prepare.py as a module."""
    name = f"{corpus.lower().replace('-', '_')}_prepare"
    path = RECIPES / corpus / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def load_manifests(folder):
    """Split -> {utterance -> entry} of a folder that a preparer wrote."""
    return {
        path.stem: json.loads(path.read_text())
        for path in Path(folder).glob("*.json")
        if path.stem != "fingerprint"
    }
