"""What a run writes about itself, with and without participants."""

import dataclasses

import pytest

from speechbrain_hrf.results import RunResults
from speechbrain_hrf.training.results import results_text, write_results
from speechbrain_hrf.training.summary import summary_table


def scores(value, n):
    row = {"precision": value, "recall": value, "F1": value, "n": n // 2}
    return {
        **dict.fromkeys(("WA", "UA", "WF1", "MF1"), value),
        "confusion": [[n, 0], [0, n]],
        "per_class": {"no": row, "yes": row},
    }


@pytest.fixture
def results():
    """Of a corpus whose clips belong to participants."""
    return RunResults(
        dataset="demo",
        labels=["no", "yes"],
        split="dev",
        seed=1,
        **scores(0.25, 1000),
        n_test=2000,
        hrf_modules=[],
        params_training=9,
        params_merged=9,
        params_lightweight=9,
        max_merge_difference=0.0,
        per_participant={**scores(0.75, 2), "n": 4},
        other={"room": "quiet"},
    )


def test_names_with_what_sets_formulas_are_drawn(results, tmp_path):
    results = dataclasses.replace(
        results, labels=["$x^$", "5 $"], dataset="$\\no$", per_participant=None
    )
    write_results(results, tmp_path)
    assert (tmp_path / "confusion_matrix.png").stat().st_size > 1000


def test_scores_are_there_without_their_picture(results, tmp_path):
    (tmp_path / "confusion_matrix.png" / "in its way").mkdir(parents=True)
    with pytest.raises(OSError, match="Is a directory"):
        write_results(results, tmp_path)
    assert RunResults.read(tmp_path) == results


def of_utterances(results):
    return dataclasses.replace(results, per_participant=None)


def test_what_is_written_is_read(results, tmp_path):
    write_results(results, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "confusion_matrix.png",
        "confusion_matrix_participants.png",
        "test_metrics.json",
    ]
    assert RunResults.read(tmp_path) == results


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("{", " is not valid JSON"),
        ("[" * 10**5, " is not valid JSON"),
        ('{"UA": 0.5, "UA": 0.6}', " is not valid JSON .*'UA' stands there tw"),
        ("[1]", " is no JSON object"),
        ('{"UA": "0.5"}', ": UA cannot be '0.5'"),
        ('{"UA": NaN}', ": UA cannot be nan"),
        ('{"seed": true}', ": seed cannot be True"),
        ('{"labels": ["a", 1]}', r": labels cannot be \['a', 1\]"),
        ('{"predicted": {"x": ["a"]}}', ": predicted cannot be"),
        ('{"WA": 50}', " is damaged: WA is 50, and scores are between"),
        ('{"labels": ["a", "a"]}', " is damaged: labels hold one twice"),
        ('{"labels": ["a"], "confusion": [[1, 2]]}', " is damaged: confusion"),
        ('{"labels": ["a"], "confusion": [[-1]]}', " is damaged: confusion"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, text, match):
    (tmp_path / "test_metrics.json").write_text(text)
    said = rf"test_metrics.json{match}.*Remove the file and run the recipe"
    with pytest.raises(ValueError, match=said):
        RunResults.read(tmp_path)


def test_what_a_recipe_of_ones_own_notes_may_be_anything(tmp_path):
    (tmp_path / "test_metrics.json").write_text('\ufeff{"room": [1, {}]}')
    assert RunResults.read(tmp_path).other == {"room": [1, {}]}


def test_both_levels_are_shown(results):
    text = results_text(results)
    assert "Test set (dev), merged model: WA .250" in text
    assert "MF1 .250 (2000 utterances)" in text
    assert "MF1 .750 (4 participants)" in text
    assert text.count("true \\ found") == 2
    assert "articipant" not in results_text(of_utterances(results))


def test_columns_line_up(results):
    """Under counts of four figures, too."""
    lines = results_text(of_utterances(results)).splitlines()
    scores, counts = lines[1:4], lines[4:7]
    assert len({len(line) for line in scores}) == 1
    assert len({len(line) for line in counts}) == 1


def test_the_summary_has_both_levels(results, tmp_path):
    for seed in 1, 2:
        folder = tmp_path / "arm" / str(seed)
        folder.mkdir(parents=True)
        dataclasses.replace(results, seed=seed).write(folder)
    head, _, row = (
        [cell.strip() for cell in line.split("|")]
        for line in summary_table(tmp_path).splitlines()
    )
    found = dict(zip(head, row, strict=True))
    assert found["seeds"] == "1, 2"
    assert found["MF1"] == ".250 ± .000"
    assert found["MF1 per participant"] == ".750 ± .000"


def test_what_differs_between_seeds_is_named(results, tmp_path):
    for ratio in 4, 8:
        folder = tmp_path / "arm" / str(ratio)
        folder.mkdir(parents=True)
        dataclasses.replace(results, hrf_ratio=ratio).write(folder)
    with pytest.raises(ValueError, match=r"they differ in hrf_ratio\.$"):
        summary_table(tmp_path)


def test_a_seed_counts_once(results, tmp_path):
    for name in "1", "1 (copy)":
        folder = tmp_path / "arm" / name
        folder.mkdir(parents=True)
        results.write(folder)
    with pytest.raises(ValueError, match=r"arm/1 and .*arm/1 \(copy\) are bo"):
        summary_table(tmp_path)
