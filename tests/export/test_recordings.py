"""What of a test set an export listens to: whole files, never parts of them.

Authors
 * The speechbrain_hrf authors 2026
"""

import json

from speechbrain_hrf.export.training import Training


def names(training, limit=4):
    return [path.rsplit("/", 1)[1] for path in training.recordings(limit)]


def test_parts_of_recordings_are_not_listened_to(training_output):
    """The recordings hold other voices, and may be confidential."""
    output = training_output()
    manifest = output / "manifests" / "test.json"
    entries = json.loads(manifest.read_text())
    assert names(Training(output)) == ["0.flac", "1.flac", "2.flac"]
    assert names(Training(output), limit=1) == ["0.flac"]

    entries["1"]["parts"] = [[0, 100]]
    manifest.write_text(json.dumps(entries))
    assert names(Training(output)) == ["0.flac", "2.flac"]

    for entry in entries.values():
        entry["parts"] = [[0, 100], [200, 300]]
    manifest.write_text(json.dumps(entries))
    assert names(Training(output)) == []
