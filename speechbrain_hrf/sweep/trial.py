"""One run of a study: which recipe with which options.

Authors
 * The speechbrain_hrf authors 2026
"""

import dataclasses
import hashlib
import json

# The activations of the paper's Figures 10-12 by the names used in studies.
ACTIVATIONS = {
    "relu": "torch.nn.ReLU",
    "gelu": "torch.nn.GELU",
    "swish": "torch.nn.SiLU",
    "relu2": "speechbrain_hrf.SquaredReLU",
}


@dataclasses.dataclass(frozen=True)
class Trial:
    """What one run of a recipe differs in from the others of its study.

    Arguments
    ---------
    recipe : str
        Name of the recipe's folder, such as "RAVDESS".
    model : str
        The recipe's YAML is hparams/<model>_hrf.yaml.
    arm : str
        The row's name: "Original", "Lightweight", "FFN2", ...
    options : dict
        Everything that the recipe's YAML is overridden with and that the
        result depends on: modules, ratio, seed, epochs, but no folders.
    metric : str
        The score that the study is about.
    fold : int, optional
        Stands in the options too, by the name that the recipe has for it.
    teacher : str, optional
        Id of the trial that this one learns from; stands in the options too.

    Example
    -------
    >>> trial = Trial("RAVDESS", "conformer", "FFN2",
    ...     {"hrf_modules": ["FFN2"], "lr": 0.001, "fold": 2, "seed": 1}, "UA",
    ...     fold=2)
    >>> trial.lr, trial.label, len(trial.id)
    (0.001, 'conformer FFN2, lr 0.001, fold 2, seed 1', 12)
    """

    recipe: str
    model: str
    arm: str
    options: dict
    metric: str
    fold: int | None = None
    teacher: str | None = None

    @property
    def id(self):
        """Twelve digits that tell what was run, whatever study asked for it."""
        identity = [self.recipe, self.model, self.options]
        content = json.dumps(identity, sort_keys=True).encode()
        return hashlib.sha256(content).hexdigest()[:12]

    @property
    def seed(self):
        """The recipe's seed."""
        return self.options.get("seed")

    @property
    def lr(self):
        """The learning rate."""
        return self.options.get("lr")

    @property
    def modules(self):
        """The expanded rows, [] for a plain model."""
        return self.options.get("hrf_modules", [])

    @property
    def label(self):
        """What tells the trial from others, for a reader."""
        parts = [f"{self.model} {self.arm}", f"lr {self.lr}"]
        for key, name in ("hrf_ratio", "ratio"), ("hrf_layers", "layers"):
            if self.modules and key in self.options:
                parts.append(f"{name} {self.options[key]}")
        if "activation" in self.options:
            parts.append(self.options["activation"].rpartition(".")[2])
        if self.fold is not None:
            parts.append(f"fold {self.fold}")
        return ", ".join([*parts, f"seed {self.seed}"])

    def __hash__(self):
        return hash(self.id)
