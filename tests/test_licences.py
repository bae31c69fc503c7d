"""What users install is under no GPL.

Authors
 * The speechbrain_hrf authors 2026
"""

import importlib.util

import pytest


@pytest.fixture
def licences(repository):
    """The module that CI runs."""
    place = repository / ".ci" / "licences.py"
    spec = importlib.util.spec_from_file_location("licences", place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "licence, gpl",
    [
        ("GPL-3.0-or-later", True),
        ("GPLv3", True),
        ("AGPL-3.0", True),
        ("GNU General Public License v2 or later (GPLv2+)", True),
        ("MIT AND GPL-2.0-only", True),
        ("LGPL-2.1-or-later", False),
        ("GNU Lesser General Public License v2 or later (LGPLv2+)", False),
        ("GNU Library or Lesser General Public License (LGPL)", False),
        ("MIT OR GPL-2.0-only", False),
        ("Apache Software License", False),
        ("unknown", False),
    ],
)
def test_gpl_is_told_from_lgpl(licences, licence, gpl):
    assert licences.is_gpl(licence) == gpl


def test_no_gpl_among_what_is_installed(licences, capsys):
    assert licences.main() == 0
    assert {"torch", "speechbrain", "safetensors"} <= licences.find_packages()
    assert "pytest" not in licences.find_packages()
    assert "safetensors" in capsys.readouterr().out
