"""One's own recordings, as a user trains on them: table, scores, model, card.

Authors
 * The speechbrain_hrf authors 2026
"""

import json
import random
import subprocess
import sys

import pytest
from preparers import RECIPES, load_preparer
from speechbrain.inference.classifiers import EncoderClassifier

from speechbrain_hrf.dataio.synthetic import make_corpus
from speechbrain_hrf.dataio.synthetic.corpus import MARKER
from speechbrain_hrf.training.overrides import resolved_yaml

pytestmark = pytest.mark.slow

ACTORS = 7  # the first fold's four, and three to train on
HRF = [sys.executable, "-m", "speechbrain_hrf.studies"]
SCORES = ("WA", "UA", "WF1", "MF1", "confusion")


def test_ravdess_under_other_names_has_the_same_scores(
    ravdess_folder, tmp_path, run_recipe, final_weights, assert_same
):
    """Its folds and order of classes given, and names that sort as its do."""
    ravdess = load_preparer("RAVDESS")
    part, mine = tmp_path / "part", tmp_path / "mine"
    rows = []
    for actor in range(1, ACTORS + 1):
        files = sorted((ravdess_folder / f"Actor_{actor:02d}").iterdir())
        for path in files[::2]:
            there = part / path.parent.name / path.name
            there.parent.mkdir(parents=True, exist_ok=True)
            there.symlink_to(path)
            about = ravdess.describe(path.stem)
            split = "test" if actor <= 4 else "train"
            rows.append((path.stem, path, about["emo"], actor, split))
    rows.sort()
    (mine / "clips").mkdir(parents=True)
    lines = []
    for number, (_, path, emotion, actor, split) in enumerate(rows):
        name = f"clips/x{number:04d}{path.suffix}"
        (mine / name).symlink_to(path)
        lines.append(f"{name},{emotion},somebody {actor},{split}\n")
    random.Random(1).shuffle(lines)
    (mine / "my.csv").write_text("path,label,speaker,split\n" + "".join(lines))

    model = {"model": "convtransformer"}
    run_recipe(tmp_path / "a", "--data_folder", str(part), **model)
    classes = f"[{', '.join(ravdess.EMOTIONS)}]"
    own = ["--labels", "mine/my.csv", "--classes", classes]
    own += ["--corpus_name", "Calls", "--corpus_licence", "CC0 1.0"]
    # RAVDESS's YAML has another arm than that of one's own recordings.
    yaml = RECIPES / "RAVDESS/hparams/convtransformer_hrf.yaml"
    for key in ("hrf_modules", "hrf_inner_norm"):
        own += [f"--{key}", json.dumps(resolved_yaml(yaml, "")[key])]
    run_recipe(tmp_path / "b", *own, corpus="OwnData", **model)

    theirs, ours = (
        json.loads((tmp_path / x / "test_metrics.json").read_text())
        for x in "ab"
    )
    assert [*ours["predicted"].values()] == [*theirs["predicted"].values()]
    assert [ours[x] for x in SCORES] == [theirs[x] for x in SCORES]
    assert_same(final_weights(tmp_path / "b"), final_weights(tmp_path / "a"))
    card = (tmp_path / "b/pretrained/README.md").read_text()
    assert "ConvTransformer trained on Calls" in card and "CC0 1.0" in card
    assert not {"RAVDESS", "None"} & {*card.replace("`", " ").split()}


def test_without_speakers_on_numbers(tmp_path, corpora, run_recipe):
    """Labels 1 to 10, a table in other words; the model knows its labels."""
    root = make_corpus("OwnData", corpora)
    labels = {"angry": "10", "happy": "9", "neutral": "1", "sad": "2"}
    _, *lines = (root / "labels.csv").read_text("utf-8-sig").splitlines()
    rows = ["path\tLabel"]
    for line in lines:
        path, label, _, start, *_ = line.split(";")
        if not start:
            rows.append(f"{root}/{path}\t{labels[label]}")
    table = tmp_path / "my.tsv"
    table.write_text("\n".join(rows), encoding="utf-16")
    own = ["--labels", str(table), "--n_folds", "7", "--test_fold", "7"]
    said = run_recipe(tmp_path / "run", *own, corpus="OwnData")
    assert "has no column speaker. Nobody said who speaks" in said
    assert "differs from the trained model" in said
    assert "generated signals (no whole" not in said
    results = json.loads((tmp_path / "run/test_metrics.json").read_text())
    assert results["labels"] == ["1", "2", "9", "10"]
    assert results["n_test"] == 16
    assert results["split"] == "fold_7_of_7_paper"
    assert results["licence"] == "not given"
    exported = tmp_path / "run/pretrained"
    card = (exported / "README.md").read_text()
    assert "> Nobody said who speaks in these recordings" in card
    assert "trained on OwnData (name not given)" in card
    model = EncoderClassifier.from_hparams(
        source=str(exported), savedir=str(tmp_path / "loaded")
    )
    encoder = model.hparams.label_encoder
    assert [encoder.ind2lab[k] for k in range(4)] == results["labels"]
    *_, label = model.classify_file(
        str(root / "audio/rec_000.wav"), savedir=str(tmp_path / "audio")
    )
    assert label[0] in results["labels"]

    # The run goes on where the table says the same, and not where it differs.
    moved = table.rename(tmp_path / "moved.tsv")
    own[1] = str(moved)
    assert "Loading a checkpoint" in run_recipe(
        tmp_path / "run", *own, corpus="OwnData"
    )
    moved.write_text("\n".join(rows[:-8]))
    said = run_recipe(tmp_path / "run", *own, corpus="OwnData", status=1)
    assert "holds checkpoints of a run on other data" in said


def test_a_study_by_speaker(tmp_path, corpora, repository):
    """`hrf study` and `hrf report`, on a table with its own speakers."""
    pytest.importorskip("ray", reason="Ray is not installed")
    table = make_corpus("OwnData", corpora) / "labels.csv"
    folder = tmp_path / "study"

    def hrf(*command, status=0):
        done = subprocess.run(
            [*HRF, *map(str, command)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        said = done.stdout[-3000:] + done.stderr[-3000:]
        assert done.returncode == status, said
        return said

    study = (
        *("study", repository / "studies/own_data.yaml", "--labels", table),
        *("--models", "[speechformer]", "--folds", "[1, 2]", "--seeds", "[1]"),
        *("--overrides", "{number_of_epochs: 1, n_folds: 4}"),
        *("--output_folder", folder, "--engine", "processes"),
    )
    hrf(*study)
    sets = [
        json.loads(line)
        for line in (folder / "test_sets.jsonl").read_text().splitlines()
    ]
    speakers = [{*each["speakers"]} for each in sets]
    assert [len(each) for each in speakers] == [2, 2]
    assert not speakers[0] & speakers[1]
    for name in ("study.yaml", "trials.jsonl", "test_sets.jsonl"):
        assert str(table.parent) not in (folder / name).read_text(), name
    hrf("report", folder)
    assert "4 test speakers" in (folder / "report.md").read_text()

    assert "All 6 trials" in hrf(*study, "--resume")
    other = tmp_path / "mine.csv"  # without its last recording
    header, *rows = table.read_text("utf-8-sig").splitlines()
    other.write_text("\n".join([header, *rows[:-1]]))
    (tmp_path / MARKER).touch()  # it is as generated as the first one
    again = [other if word == table else word for word in study]
    said = hrf(*again, "--resume", status=1)
    assert "holds 6 trials on another table of labels" in said
