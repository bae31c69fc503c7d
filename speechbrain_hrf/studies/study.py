"""A study and the trials that it stands for.

A study crosses models, rows of the paper's tables, ratios, extra layers,
activations, learning rates, folds and seeds. ``grids`` holds several such
crosses in one study; what a grid does not give is the study's. All is checked
before anything runs.

Authors
 * The speechbrain_hrf authors 2026
"""

import dataclasses
import itertools
import os
import pathlib

from ruamel.yaml import YAML

from speechbrain_hrf.files import whole_file
from speechbrain_hrf.studies.cross import cross
from speechbrain_hrf.studies.keys import StudyFile, plain_yaml, read_keys
from speechbrain_hrf.studies.lines import read_lines
from speechbrain_hrf.studies.recipe import find_recipe, read_hparams
from speechbrain_hrf.studies.trial import Trial, with_teachers
from speechbrain_hrf.training.stand_in import STAND_IN
from speechbrain_hrf.yaml_text import read_yaml_text

MOST_TRIALS = 100_000


@dataclasses.dataclass(frozen=True)
class Study:
    """The trials of a study, and where they run.

    Arguments
    ---------
    folder : pathlib.Path
        Where trials.jsonl goes.
    recipe_folder : pathlib.Path
        With train.py and hparams.
    trials : list of Trial
        In the order in which they are to run: all arms of a fold and seed
        before the next one's, so that a stopped study can be read.
    keys : StudyFile
        What the YAML says.

    Example
    -------
    >>> keys = StudyFile(name="demo", recipe="RAVDESS")
    >>> Study(pathlib.Path("x"), pathlib.Path("y"), [], keys).keys.metric
    'UA'
    """

    folder: pathlib.Path
    recipe_folder: pathlib.Path
    trials: list[Trial]
    keys: StudyFile

    @property
    def is_stand_in(self) -> bool:
        """bool: Whether it runs on a generated corpus, of its own."""
        return self.keys.data_folder == STAND_IN and not self.keys.labels

    @property
    def data_folder(self) -> str:
        """str: What the recipe is given."""
        if self.is_stand_in:
            return str(self.folder / "corpus")
        # A recipe that takes a table does so in the place of a folder, too.
        given = self.keys.data_folder, self.keys.labels
        return next((x for x in given if x not in (None, STAND_IN)), "")

    @property
    def table(self) -> str:
        """str: The table of labels, or the data folder that may have one."""
        return self.keys.labels or self.keys.data_folder or ""

    def run_folder(self, trial_id: str) -> pathlib.Path:
        """The output folder of a trial's recipe.

        Arguments
        ---------
        trial_id : str

        Returns
        -------
        pathlib.Path
        """
        return self.folder / "runs" / trial_id

    def save(self) -> None:
        """Writes study.yaml into the study's folder.

        Trials may be added to a study, but what is compared in it may not
        become another thing. One that stands for less than what the folder has
        leaves study.yaml as it is, so that the report knows of all. Paths are
        left out: the folder may be published.

        Raises
        ------
        ValueError
            If the folder holds another study: which, and the fix.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        place = self.folder / "study.yaml"
        name, metric = self.recipe_folder.name, self.keys.metric
        published = self.keys.model_dump(
            exclude_unset=True, exclude={"data_folder", "labels"}
        )
        published |= {"recipe": name, "metric": metric, "output_folder": "."}
        if place.is_file():
            earlier = plain_yaml(read_yaml_text(place), place)
            for key in ("name", "recipe", "metric"):
                if earlier.get(key) != published[key]:
                    raise ValueError(
                        f"The {key} in {place} is {earlier.get(key)!r}, not "
                        f"{published[key]!r}: give another --output_folder."
                    )
            finished = {line["id"] for line in read_lines(self.folder)}
            if finished - {trial.id for trial in self.trials}:
                return
        with whole_file(place) as partial:
            YAML(typ="safe").dump(published, partial)


def load_study(path: str | os.PathLike, overrides: str = "") -> Study:
    """Reads a study's YAML and says which trials it stands for.

    Folders become absolute, so that they mean the same on every machine.

    Arguments
    ---------
    path : str or os.PathLike
    overrides : str
        YAML, as ``read_arguments`` returns them.

    Returns
    -------
    Study
        Nothing is written, and nothing of the YAML is executed.

    Raises
    ------
    ValueError
        As of ``read_keys``; or if a model has no YAML or not the options or
        rows that it is given, a fold does not exist, or a teacher is missing.
    FileNotFoundError
        If there is no such recipe.

    Example
    -------
    >>> path = getfixture("tmpdir").join("demo.yaml")
    >>> path.write('''
    ... name: demo
    ... output_folder: results/demo
    ... recipe: RAVDESS
    ... data_folder: /data/RAVDESS
    ... models: [conformer, speechformer]
    ... modules: [Lightweight, FFN2]
    ... ratios: [2, 8]
    ... folds: [1, 2]
    ... seeds: [1, 2, 3]
    ... ''')
    >>> study = load_study(path.strpath, "seeds: [7]")
    >>> len(study.trials)  # 2 models, 1 + 2 arms, 2 folds, 1 seed
    12
    >>> study.trials[0].label
    'conformer Lightweight, lr 0.001, fold 1, seed 7'
    """
    keys = read_keys(path, overrides)
    recipe = find_recipe(keys.recipe)
    grids = [
        keys.model_copy(update=grid.model_dump(exclude_unset=True))
        for grid in keys.grids
    ]
    crossed = itertools.chain.from_iterable(cross(x, recipe) for x in grids)
    trials = list(itertools.islice(crossed, MOST_TRIALS + 1))
    if not trials:
        raise ValueError(
            f"{path} stands for 0 trials: give models, modules and seeds."
        )
    if len(trials) > MOST_TRIALS:
        raise ValueError(
            f"{path} stands for more than {MOST_TRIALS:,} trials: split it."
        )
    if keys.labels and "labels" not in read_hparams(recipe, trials[0].model):
        raise ValueError(
            f"labels is {keys.labels}, but the recipe {keys.recipe} takes no "
            "table: leave it out, or give --recipe OwnData."
        )
    folder = keys.output_folder or f"results/studies/{keys.name}/{recipe.name}"
    return Study(
        pathlib.Path(folder).expanduser().absolute(),
        recipe,
        with_teachers(_in_blocks(trials)),
        keys,
    )


def _in_blocks(trials):
    """Each once, though several grids may ask for it; by fold and seed."""
    blocks: dict[tuple, dict[str, Trial]] = {}
    for trial in trials:
        block = blocks.setdefault((trial.fold, trial.seed), {})
        first = block.setdefault(trial.id, trial)
        if first.arm != trial.arm:
            raise ValueError(
                f"The arms {first.arm!r} and {trial.arm!r} of {trial.model} "
                "have the same options: leave one of them out."
            )
    return [trial for block in blocks.values() for trial in block.values()]
