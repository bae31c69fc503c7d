"""Runs that differ have folders that differ, and READMEs give whole commands.

Authors
 * The speechbrain_hrf authors 2026
"""

from pathlib import Path

import pytest
from hyperpyyaml import resolve_references
from ruamel.yaml import YAML

RECIPES = Path(__file__).resolve().parents[2] / "recipes"
CORPORA = ("IEMOCAP", "M3ED", "DAIC-WOZ", "RAVDESS", "nEMO", "OwnData")
# What takes part in choosing the data, besides the protocol.
PARTS = {"IEMOCAP": "valid_session", "DAIC-WOZ": "held_out_part"}
PARTS |= {"RAVDESS": "fold", "nEMO": "fold", "OwnData": "test_fold"}


def folder_of(path, **overrides):
    """The output folder that a YAML and overrides give."""
    with open(path, encoding="utf-8") as stream:
        text = resolve_references(stream, overrides)
    return YAML().load(text)["output_folder"]


@pytest.mark.parametrize("corpus", PARTS)
def test_each_part_has_a_folder_of_its_own(corpus):
    """Or the second one would be refused for the first one's options."""
    yamls = sorted((RECIPES / corpus / "hparams").glob("*_hrf.yaml"))
    assert len(yamls) == 3
    options = [{"protocol": "paper"}]
    options += [{"protocol": "held_out", PARTS[corpus]: n} for n in (1, 2, 3)]
    folders = {folder_of(yamls[0], **each) for each in options}
    folders |= {folder_of(path, **options[0]) for path in yamls[1:]}
    assert len(folders) == len(options) + len(yamls) - 1
    depths = {folder.count("/") for folder in folders}
    assert depths == {4}  # results, corpus, split, model and arm, seed


def cells(corpus, name):
    """The commands of a row of a README's table of arms."""
    text = (RECIPES / corpus / "README.md").read_text(encoding="utf-8")
    (line,) = [x for x in text.splitlines() if x.startswith(f"| {name} |")]
    return [cell.strip() for cell in line.split("|")[2:-1]]


@pytest.mark.parametrize("corpus", CORPORA)
def test_hubert_is_for_the_originals(corpus):
    """Table VII: the overrides of the row `original`, and the features."""
    originals = cells(corpus, "original")
    assert len(originals) == 3
    assert all("--d_model" in cell for cell in originals)
    assert cells(corpus, "original on HuBERT (Table VII)") == [
        cell.replace("`--", "`--features hubert --", 1).replace(
            "--arm original", "--arm original_hubert"
        )
        for cell in originals
    ]
