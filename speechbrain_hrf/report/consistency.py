"""Can these trials be compared at all, and what has to be said about it?

Authors
 * The speechbrain_hrf authors 2026
"""

import collections
import json

# What a comparison is not fair without.
MUST_AGREE = ("number_of_epochs", "protocol", "features", "class_weights")


def check_consistency(lines):
    """Checks that trials are of one study, corpus, and split per fold.

    Arguments
    ---------
    lines : list of dict

    Returns
    -------
    list of str
        Warnings: code, versions or options differ.

    Raises
    ------
    ValueError
        If trials cannot be paired: what differs, and the fix.

    Example
    -------
    >>> common = {"id": "a", "dataset": "RAVDESS", "metric": "UA", "labels": [],
    ...     "split": {"test": "0f"}, "fold": 1, "commit": "c0ffee" * 7,
    ...     "versions": {}, "overrides": {}, "dirty": True,
    ...     "synthetic": False, "model": "conformer"}
    >>> check_consistency([common])
    ['1 of 1 trials ran with changes that are not in a commit.']
    >>> check_consistency([common, {**common, "split": {"test": "1a"}}])
    Traceback (most recent call last):
        ...
    ValueError: Trials of fold 1 are of 2 different splits ...
    """
    for key in ("dataset", "metric", "labels", "synthetic"):
        values = {json.dumps(line[key]): line[key] for line in lines}
        if len(values) > 1:
            raise ValueError(
                f"Trials of one study differ in {key}: "
                f"{' and '.join(list(values)[:3])}. Give each its own output "
                "folder."
            )
    _check_splits(lines)
    return [
        *_mixed_code(lines),
        *_mixed_versions(lines),
        *_mixed_options(lines),
    ]


def _check_splits(lines):
    """Pairs have to be scored on the same utterances."""
    folds = collections.defaultdict(lambda: collections.defaultdict(list))
    for line in lines:
        fingerprint = json.dumps(line["split"], sort_keys=True)
        folds[line["fold"]][fingerprint].append(line["id"])
    for fold, splits in folds.items():
        if len(splits) > 1:
            where = "" if fold is None else f" of fold {fold}"
            groups = list(splits.values())
            fewest = min(groups, key=len)
            raise ValueError(
                f"Trials{where} are of {len(splits)} different splits and "
                "cannot be paired: the corpus, the protocol or the "
                f"preparation changed in between. {len(fewest)} of "
                f"{sum(map(len, groups))} differ from the others: "
                f"{', '.join(fewest[:5])}{', ...' if fewest[5:] else ''}. "
                "Remove the lines of one kind from trials.jsonl and run those "
                "trials again (--resume)."
            )


def _mixed_code(lines):
    commits = collections.Counter(line["commit"] for line in lines)
    found = []
    if len(commits) > 1:
        parts = [
            f"{count} of {(commit or 'an unknown commit')[:10]}"
            for commit, count in commits.most_common()
        ]
        found.append(
            f"Trials are of {len(commits)} commits of the code: "
            f"{', '.join(parts)}. What is compared may differ in more than "
            "its arm."
        )
    dirty = sum(bool(line.get("dirty")) for line in lines)
    if dirty:
        found.append(
            f"{dirty} of {len(lines)} trials ran with changes that are not in "
            "a commit."
        )
    return found


def _mixed_versions(lines):
    names = dict.fromkeys(name for line in lines for name in line["versions"])
    found = []
    for name in names:
        versions = collections.Counter(
            str(line["versions"].get(name)) for line in lines
        )
        if len(versions) > 1:
            parts = [f"{v} ({n} trials)" for v, n in versions.most_common()]
            found.append(f"Trials ran with several {name}: {', '.join(parts)}.")
    return found


def _mixed_options(lines):
    found = []
    for model in dict.fromkeys(line["model"] for line in lines):
        of_model = [line for line in lines if line["model"] == model]
        for key in MUST_AGREE:
            values = collections.Counter(
                json.dumps(line["overrides"].get(key)) for line in of_model
            )
            if len(values) > 1:
                parts = [f"{v} ({n} trials)" for v, n in values.most_common()]
                found.append(
                    f"Arms of {model} are not compared on equal terms: {key} "
                    f"is {', '.join(parts)}."
                )
    return found
