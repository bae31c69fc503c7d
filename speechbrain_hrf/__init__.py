"""HRF for SpeechBrain: train wider linear layers, ship the small model.

Importing the plugin also makes its models reachable as SpeechBrain lobes,
``speechbrain.lobes.models.hrf.Conformer`` and so on.

The names below are imported when they are first used: whoever only runs an
exported model, with ``speechbrain_hrf.runtime``, needs neither PyTorch nor
SpeechBrain.

Example
-------
>>> import torch, speechbrain_hrf
>>> from speechbrain.lobes.models.hrf import Conformer
>>> model = Conformer(num_blocks=1, d_model=16, d_ffn=2)
>>> report = speechbrain_hrf.apply_hrf(model, ["FFN_M1"], ratio=8)
>>> merged = speechbrain_hrf.merge_hrf(model)
>>> speechbrain_hrf.count_parameters(merged) == report.before
True

Authors
 * The speechbrain_hrf authors 2026
"""

import importlib
from typing import TYPE_CHECKING

from speechbrain_hrf.former_names import register_former_names
from speechbrain_hrf.lobes.alias import register_alias

if TYPE_CHECKING:  # what editors and type checkers read
    from speechbrain_hrf.inference.profile import profile
    from speechbrain_hrf.lobes.models import (
        ClassifierHead,
        Conformer,
        ConvTransformer,
        SpeechFormer,
        SquaredReLU,
    )
    from speechbrain_hrf.nnet import (
        HRFLinear,
        apply_hrf,
        collapse,
        count_parameters,
        merge_hrf,
        merged_state_dict,
    )

__version__ = "0.1.0"

__all__ = [
    "ClassifierHead",
    "Conformer",
    "ConvTransformer",
    "HRFLinear",
    "SpeechFormer",
    "SquaredReLU",
    "apply_hrf",
    "collapse",
    "count_parameters",
    "merge_hrf",
    "merged_state_dict",
    "profile",
]

_HOMES = {
    "lobes.models": {
        "ClassifierHead",
        "Conformer",
        "ConvTransformer",
        "SpeechFormer",
        "SquaredReLU",
    },
    "nnet": {
        "HRFLinear",
        "apply_hrf",
        "collapse",
        "count_parameters",
        "merge_hrf",
        "merged_state_dict",
    },
    "inference.profile": {"profile"},
}
_SUBPACKAGES = ("inference", "nnet")

# So that a YAML's !new:speechbrain.lobes.models.hrf.Conformer finds it.
register_alias()
register_former_names()


def __getattr__(name):
    # Python asks for what is not there yet: https://peps.python.org/pep-0562/
    if name in _SUBPACKAGES:
        return importlib.import_module(f"{__name__}.{name}")
    for home, names in _HOMES.items():
        if name in names:
            module = importlib.import_module(f"{__name__}.{home}")
            # Kept, so that this function is asked once a name.
            globals()[name] = getattr(module, name)
            return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *__all__, *_SUBPACKAGES})
