"""Which code a figure is of, in a checkout and outside of one.

Authors
 * The speechbrain_hrf authors 2026
"""

import runpy
import shutil
import subprocess

from speechbrain_hrf import provenance


def git(folder, *arguments):
    who = ["-c", "user.name=a", "-c", "user.email=a@b"]
    command = ["git", "-C", str(folder), *who, *arguments]
    return subprocess.check_output(command, text=True).strip()


def test_changed_code_is_told_from_new_results(tmp_path):
    module = tmp_path / "speechbrain_hrf" / "provenance.py"
    results = tmp_path / "results" / "trials.jsonl"
    for path in (module, results):
        path.parent.mkdir()
    shutil.copy(provenance.__file__, module)
    results.write_text("")
    (tmp_path / "recipes").mkdir()

    def found():
        return runpy.run_path(str(module))["code_version"]()

    assert found() == (None, None)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    commit = git(tmp_path, "rev-parse", "HEAD")
    results.write_text("{}")
    assert found() == (commit, False)
    module.write_text(module.read_text() + "# changed")
    assert found() == (commit, True)
