"""Headless Chromium for the tests of pages, or a skip that says why not.

Authors
 * The speechbrain_hrf authors 2026
"""

import contextlib
import shutil

import pytest

# It asks nobody for anything by itself.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@contextlib.contextmanager
def launcher():
    """Gives a function that starts the system's, or Playwright's own.

    Only one at a time can be open in a process.
    """
    api = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed"
    )
    found = shutil.which("chromium") or shutil.which("google-chrome")
    with api.sync_playwright() as playwright:

        def launch(*arguments):
            try:
                return playwright.chromium.launch(
                    executable_path=found, args=[*ARGUMENTS, *arguments]
                )
            except api.Error as error:
                if found:
                    raise
                pytest.skip(
                    "no Chromium: install the package chromium, or run "
                    "playwright install chromium "
                    f"({str(error).splitlines()[0]})"
                )

        yield launch
