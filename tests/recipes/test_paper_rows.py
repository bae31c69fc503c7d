"""Every row of the paper's tables is one command, and merges to the small model.

docs/recipes.md's table is read, each row's overrides are loaded with each YAML that it
is for, and the model that comes out is trained by a step and merged: it must
have the keys and shapes of the same YAML without HRF. Then the grid that the
rows span, by the same calls.

Authors
 * The speechbrain_hrf authors 2026
"""

import itertools
import re
import shlex
from pathlib import Path
from types import SimpleNamespace

import pytest
import speechbrain as sb
import torch
from hyperpyyaml import load_hyperpyyaml
from recipe_yaml import unknown_overrides
from torch import nn

import speechbrain_hrf as hrf
from speechbrain_hrf.nnet import HRFLinear

REPOSITORY = Path(__file__).resolve().parents[2]
MODELS = ("ConvTransformer", "Conformer", "SpeechFormer")
PAPER = ("IEMOCAP", "M3ED", "DAIC-WOZ")
CORPORA = (*PAPER, "RAVDESS", "nEMO")
ROWS_OF_ALL = ["FFN1", "FFN2", "FFN1 & FFN2", "QKV", "Project", "CLS", "ALL"]
ROWS_OF_MACARON = [
    "FFN_M1",
    "FFN_M2",
    "FFN_M1 & FFN_M2",
    "FFN1 & FFN2 & FFN_M1 & FFN_M2",
]
CHOICES = {
    "ConvTransformer": ROWS_OF_ALL,
    "Conformer": ROWS_OF_ALL + ROWS_OF_MACARON,
    "SpeechFormer": ROWS_OF_ALL,
}
VARIATIONS = (
    *("ratio 2", "ratio 4", "ratio 8"),
    *("1 extra layer", "2 extra layers", "3 extra layers"),
    *("ReLU in the FFN", "GELU", "Swish", "Squared ReLU"),
)
ACTIVATIONS = (nn.ReLU, nn.GELU, nn.SiLU, hrf.SquaredReLU)
# Counted by the paper's rule; test_paper_counts.py holds them against thop.
PARAMETERS = {
    ("ConvTransformer", "IEMOCAP"): (800_724, 8_680),
    ("ConvTransformer", "M3ED"): (594_887, 8_731),
    ("ConvTransformer", "DAIC-WOZ"): (800_562, 8_646),
    ("Conformer", "IEMOCAP"): (809_044, 10_200),
    ("Conformer", "M3ED"): (814_407, 10_507),
    ("Conformer", "DAIC-WOZ"): (814_002, 10_422),
    ("SpeechFormer", "IEMOCAP"): (323_276, 2_936),
    ("SpeechFormer", "M3ED"): (873_735, 2_987),
    ("SpeechFormer", "DAIC-WOZ"): (326_514, 2_902),
}


def readme_rows():
    """(row, models, corpora, overrides) of docs/recipes.md's table."""
    text = (REPOSITORY / "docs/recipes.md").read_text(encoding="utf-8")
    table = text.partition("| row | model | corpus | overrides |")[2]
    rows = []
    for line in table.splitlines()[2:]:
        if not line.startswith("|"):
            break
        row, models, corpora, overrides = (
            cell.strip() for cell in line.strip("|").split("|")
        )
        models = MODELS if models == "all" else models.split(", ")
        corpora = CORPORA if corpora == "all" else corpora.split(", ")
        rows.append((row, models, corpora, overrides.strip("`")))
    return rows


ROWS = readme_rows()
# Each row with each of its models, the corpora by turns: all take part.
CASES = [
    pytest.param(
        corpora[(k + j) % len(corpora)],
        model,
        row,
        overrides,
        id=f"{model}-{row}",
    )
    for k, (row, models, corpora, overrides) in enumerate(ROWS)
    for j, model in enumerate(models)
]


def yaml_of(corpus, model):
    return REPOSITORY / f"recipes/{corpus}/hparams/{model.lower()}_hrf.yaml"


def load(folder, corpus, model, overrides=""):
    """What a command builds from its YAML."""
    path = yaml_of(corpus, model)
    options = [*shlex.split(overrides), "--output_folder", str(folder)]
    _, _, overrides = sb.parse_arguments([str(path), *options])
    with open(path, encoding="utf-8") as stream:
        return SimpleNamespace(**load_hyperpyyaml(stream, overrides))


def take_a_step(hparams, frames=40):
    """One step of training on random features."""
    model = hparams.model
    optimizer = hparams.opt_class(model.parameters())
    feats = torch.randn(3, frames, hparams.n_feats)
    lens = torch.tensor([1.0, 0.7, 0.4])
    out = model["classifier"](model["embedding_model"](feats, lens))
    loss = nn.functional.nll_loss(out.squeeze(1), torch.tensor([0, 1, 0]))
    loss.backward()
    optimizer.step()
    return feats, lens


def shapes(model):
    return {key: tuple(v.shape) for key, v in model.state_dict().items()}


def test_the_table_has_every_row_of_the_paper():
    """Module choices, sizes, ratios, depths and activations, of all corpora."""
    found = {
        (re.sub(r" \(.*\)", "", row), model, corpus)
        for row, models, corpora, _ in ROWS
        for model, corpus in itertools.product(models, corpora)
    }
    wanted = [
        (row, model)
        for model in MODELS
        for row in ("Original", "Lightweight", *CHOICES[model], *VARIATIONS)
    ]
    missing = [
        (row, model, corpus)
        for (row, model), corpus in itertools.product(wanted, PAPER)
        if (row, model, corpus) not in found
    ]
    assert missing == []


@pytest.mark.parametrize("corpus, model", itertools.product(CORPORA, MODELS))
def test_every_row_names_keys_of_its_yaml(corpus, model):
    """SpeechBrain refuses others."""
    text = yaml_of(corpus, model).read_text(encoding="utf-8")
    rows = [x for *_, models, at, x in ROWS if model in models and corpus in at]
    assert len(rows) > 15
    assert unknown_overrides(" ".join(rows), text) == []


@pytest.mark.parametrize("corpus, model, row, overrides", CASES)
def test_a_row_merges_to_the_lightweight_model(
    corpus, model, row, overrides, tmp_path
):
    """Build, expand, step, merge; keys and shapes of the plain model."""
    small = "--hrf_modules '[]'" if row != "Original" else overrides
    if corpus == "RAVDESS":  # as the page says above its table
        overrides += " --hrf_inner_norm False"
    plain = load(tmp_path, corpus, model, small)
    hparams = load(tmp_path, corpus, model, overrides)
    report = hparams.apply_hrf(hparams.model)
    assert bool(report.expansions) == (row not in ("Original", "Lightweight"))
    feats, lens = take_a_step(hparams)
    merged = hrf.merge_hrf(hparams.model)
    assert shapes(merged) == shapes(plain.model)
    hparams.model.eval(), merged.eval()
    outputs = [
        part["classifier"](part["embedding_model"](feats, lens))
        for part in (hparams.model, merged)
    ]
    assert torch.equal(*outputs)


@pytest.mark.parametrize("corpus", PAPER)
@pytest.mark.parametrize("model", MODELS)
def test_the_sizes_are_the_papers(corpus, model, tmp_path):
    """Parameters by the paper's rule, as the YAML and its overrides give."""
    overrides = {
        row: overrides
        for row, models, corpora, overrides in ROWS
        if model in models and corpus in corpora
    }
    counts = []
    for row in ("Original", "Lightweight"):
        hparams = load(tmp_path, corpus, model, overrides[row])
        parts = hparams.model["embedding_model"], hparams.model["classifier"]
        counts.append(hrf.profile(*parts, frames=40).paper_parameters)
    assert tuple(counts) == PARAMETERS[model, corpus]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("ratio, layers", [(2, 3), (4, 1), (8, 2)])
def test_rows_combine(model, ratio, layers):
    """Every module choice, with ratios, depths and activations by turns."""
    build = getattr(hrf, model)
    for k, row in enumerate(CHOICES[model]):
        activation = ACTIVATIONS[(k + layers) % len(ACTIVATIONS)]
        parts = [
            nn.ModuleDict(
                {
                    "embedding_model": build(activation=activation),
                    "classifier": hrf.ClassifierHead(16, 4),
                }
            )
            for _ in range(2)
        ]
        expanded, plain = parts
        report = hrf.apply_hrf(expanded, [row], ratio=ratio, layers=layers)
        chains = [m for m in expanded.modules() if isinstance(m, HRFLinear)]
        assert len(chains) == len(report.expansions) > 0
        assert all(len(chain.factors) == layers + 1 for chain in chains)
        hparams = SimpleNamespace(
            model=expanded,
            n_feats=78,
            opt_class=lambda p: torch.optim.AdamW(p, lr=1e-3),
        )
        take_a_step(hparams, frames=20)
        merged = hrf.merge_hrf(expanded)
        assert shapes(merged) == shapes(plain), (row, activation)
        plain.load_state_dict(merged.state_dict(), strict=True)
