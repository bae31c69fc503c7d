"""A study's YAML and the trials that it stands for.

A study crosses models, rows of the paper's tables, ratios, extra layers,
activations, learning rates, folds and seeds. ``grids`` holds several such
crosses in one study; what a grid does not give is the study's. Nothing in the
YAML is executed: it is read as text and numbers, and checked before anything
runs.

Authors
 * The speechbrain_hrf authors 2026
"""

from __future__ import annotations

import dataclasses
import difflib
import itertools
import logging
import os
import pathlib
from typing import Annotated, Literal

from hyperpyyaml import resolve_references
from pydantic import BaseModel, Field, JsonValue, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.tokens import TagToken

from speechbrain_hrf.dataio.text_file import shorten
from speechbrain_hrf.files import whole_file
from speechbrain_hrf.studies.cross import cross
from speechbrain_hrf.studies.lines import read_lines
from speechbrain_hrf.studies.recipe import find_recipe
from speechbrain_hrf.studies.trial import Trial, with_teachers
from speechbrain_hrf.training.stand_in import STAND_IN
from speechbrain_hrf.yaml_text import explain_yaml, read_yaml_text

logger = logging.getLogger(__name__)

Activation = Literal["relu", "gelu", "swish", "relu2"]
Ratio = Annotated[float, Field(ge=1, allow_inf_nan=False)]
# None at all would leave out the rows that differ in it, in silence.
AtLeastOne = Field(min_length=1)
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
# numpy's generators, which SpeechBrain seeds too, take no larger ones.
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Options = dict[str, JsonValue]
MOST_TRIALS = 100_000


class Grid(BaseModel, extra="forbid", strict=True):
    """What is crossed.

    Arguments
    ---------
    models : list of str
        The recipe's YAMLs are hparams/<model>_hrf.yaml.
    modules : list of str
        Rows: Lightweight, Original, or what ``hrf_modules`` takes.
    arms : dict of str: dict
        Rows of one's own: a name and the options that make it.
    originals : dict of str: dict
        By model, the sizes that the row Original has.
    ratios, layers, activations, learning_rates : list
        Of all rows; null is the recipe's own.
    folds : list of (int or str)
        Of the recipe's option ``fold_key``.
    seeds : list of int
    overrides : dict
        Options that all trials have.

    Example
    -------
    >>> Grid(models=["conformer"], modules=["ALL"], seeds=[1]).ratios
    [8]
    """

    models: list[str] = []
    modules: list[str] = []
    arms: dict[str, Options] = {}
    originals: dict[str, Options] = {}
    ratios: Annotated[list[Ratio], AtLeastOne] = [8]
    layers: Annotated[list[Count], AtLeastOne] = [1]
    activations: Annotated[list[Activation | None], AtLeastOne] = [None]
    learning_rates: Annotated[list[Positive | None], AtLeastOne] = [None]
    folds: Annotated[list[int | str | None], AtLeastOne] = [None]
    seeds: list[Seed] = []
    overrides: Options = {}


class StudyFile(Grid):
    """All keys of a study's YAML.

    Arguments
    ---------
    name, output_folder, recipe : str
    data_folder : str, optional
        May be left out where ``labels`` is given: paths in the table then
        count from its own folder.
    labels : str, optional
        A table of one's own recordings, for the recipe OwnData.
    fold_key : str
        The recipe's option that chooses the split.
    metric : str
        The score that the study is about.
    score_at : list of int
        Epochs after which the test set is scored as well, to be looked at:
        nothing is chosen by these scores.
    threads_per_trial : int
    grids : list of Grid
        What a grid leaves out is the study's.

    Example
    -------
    >>> StudyFile(name="a", output_folder="b", recipe="RAVDESS",
    ...     data_folder="c", metric="UAR")
    Traceback (most recent call last):
        ...
    pydantic_core...ValidationError: 1 validation error for StudyFile...
    """

    name: str
    output_folder: str
    recipe: str
    data_folder: str | None = None
    labels: str | None = None
    fold_key: str = "fold"
    metric: Literal["WA", "UA", "WF1", "MF1"] = "UA"
    score_at: list[Count] = []
    threads_per_trial: Count = 1
    grids: list[Grid] = [Grid()]


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
    >>> keys = StudyFile(name="demo", output_folder="x", recipe="RAVDESS",
    ...     data_folder="synthetic")
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
        return self.keys.data_folder == STAND_IN

    @property
    def data_folder(self) -> str:
        """str: What the recipe is given."""
        if self.is_stand_in:
            return str(self.folder / "corpus")
        # The recipe takes a table in the place of a folder.
        return self.keys.data_folder or self.keys.labels

    @property
    def table(self) -> str:
        """str: The table of labels, or the data folder that may have one."""
        return self.keys.labels or self.keys.data_folder

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
        published = {
            **self.keys.model_dump(exclude_unset=True),
            "recipe": self.recipe_folder.name,
            "metric": self.keys.metric,
            "output_folder": ".",
        }
        if self.keys.data_folder:
            published["data_folder"] = f"/path/to/{self.recipe_folder.name}"
        if self.keys.labels:
            published["labels"] = "/path/to/my.csv"
        if place.is_file():
            with explain_yaml(place):
                earlier = YAML(typ="safe").load(read_yaml_text(place))
            for key in ("name", "recipe", "metric"):
                if earlier.get(key) != published[key]:
                    raise ValueError(
                        f"{self.folder} holds a study whose {key} is "
                        f"{earlier.get(key)!r}, not {published[key]!r}. "
                        "Give this one another --output_folder."
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
        As SpeechBrain's ``parse_arguments`` returns them.

    Returns
    -------
    Study
        Nothing is written, and nothing of the YAML is executed.

    Raises
    ------
    ValueError
        If a key is unknown, missing or of another kind, a model has no YAML or
        not the options or the rows that it is given, a fold does not exist, or
        a teacher is missing.
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
    keys, on_command_line = _read(path, overrides)
    try:
        recipe = find_recipe(keys.recipe)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{path}: {error}") from None
    for number, grid in enumerate(keys.grids, start=1):
        _overrule(number, grid, keys, on_command_line)
    crossed = itertools.chain.from_iterable(
        cross(
            keys.model_copy(update=grid.model_dump(exclude_unset=True)), recipe
        )
        for grid in keys.grids
    )
    trials = list(itertools.islice(crossed, MOST_TRIALS + 1))
    if not trials:
        raise ValueError(
            f"{path} stands for 0 trials: give models, modules or arms, and "
            "seeds."
        )
    if len(trials) > MOST_TRIALS:
        raise ValueError(
            f"{path} stands for more than {MOST_TRIALS:,} trials, the most "
            "that can be run as one study."
        )
    blocks = list(dict.fromkeys((trial.fold, trial.seed) for trial in trials))
    place = {block: k for k, block in enumerate(blocks)}
    trials.sort(key=lambda trial: place[trial.fold, trial.seed])
    takes_labels = "labels" in recipe.defaults(trials[0].model)
    return Study(
        pathlib.Path(keys.output_folder).expanduser().absolute(),
        recipe.folder,
        _distinct(with_teachers(trials)),
        keys.model_copy(update=_find_data(path, keys, takes_labels)),
    )


def _find_data(path, keys, takes_labels):
    """The corpus, and its table of labels if it is one's own."""
    if keys.labels and not takes_labels:
        raise ValueError(
            f"labels is {keys.labels}, but the recipe {keys.recipe} takes no "
            "table: leave it out, or give --recipe OwnData."
        )
    if keys.labels and keys.data_folder == STAND_IN:
        raise ValueError(
            f"labels is {keys.labels}, but data_folder is {STAND_IN}, a "
            "generated corpus with a table of its own: leave one of them out."
        )
    if not keys.labels and not keys.data_folder:
        own = "--labels my.csv, or " if takes_labels else ""
        raise ValueError(
            f"{path} names no corpus: give {own}--data_folder /path/to/corpus."
        )
    given = {"data_folder": keys.data_folder, "labels": keys.labels}
    return {
        key: os.path.abspath(os.path.expanduser(where))
        for key, where in given.items()
        if where and where != STAND_IN
    }


def _overrule(number, grid, keys, on_command_line):
    """What the command line says counts in place of what a grid says."""
    for name, own in grid.model_dump(exclude_unset=True).items():
        if name not in on_command_line:
            continue
        logger.warning(
            "--%s of the command line counts in place of what grid %d of the "
            "study says, %s.",
            *(name, number, own),
        )
        said = getattr(keys, name)
        if isinstance(said, dict):
            said = own | {k: said[k] for k in on_command_line[name]}
        setattr(grid, name, said)


def _read(path, overrides):
    """The keys of a study, and which of them the command line has given."""
    # A placeholder stands for what is still to be given.
    text = read_yaml_text(path).replace("!PLACEHOLDER", "null")
    overrides = overrides.replace("!PLACEHOLDER", "null")
    _refuse_tags(text, path)
    _refuse_tags(overrides, "The command line")
    # What is left then cannot run anything.
    with explain_yaml(path):
        if not isinstance(YAML().load(text), dict):
            raise ValueError(
                f"{path} is no study: it has no keys. See studies/table_3.yaml."
            )
        text = resolve_references(text, overrides, overrides_must_match=False)
        given = YAML(typ="safe").load(text)
    try:
        keys = StudyFile.model_validate(given)
    except ValidationError as error:
        lines = "\n".join(_sentence(e) for e in error.errors())
        raise ValueError(f"{path}:\n{lines}") from None
    return keys, YAML().load(overrides or "{}")


def _refuse_tags(text, where):
    """Raises for every tag but that of references."""
    for token in YAML().scan(text):
        if not isinstance(token, TagToken):
            continue
        tag = "".join(filter(None, token.value))
        if tag != "!ref" and not tag.startswith("!!"):
            line = text.splitlines()[token.start_mark.line].strip()
            raise ValueError(
                f"{where} has the tag {shorten(tag)} in `{shorten(line)}`. A "
                "study is text and numbers; an option of a recipe that needs "
                "a tag goes in quotes, such as '!name:torch.nn.GELU'."
            )


def _sentence(error):
    """What pydantic has found."""
    where = ".".join(map(str, error["loc"]))
    if error["type"] == "extra_forbidden":
        kind = Grid if error["loc"][0] == "grids" else StudyFile
        known = sorted(kind.model_fields)
        near = difflib.get_close_matches(shorten(error["loc"][-1]), known, 1)
        meant = f": did you mean {near[0]!r}?" if near else "."
        return (
            f"  there is no key {shorten(where)!r}{meant} There are: "
            f"{', '.join(known)}"
        )
    if error["type"] == "missing":
        return f"  {where} must be given."
    return f"  {where} is {shorten(repr(error['input']))}: {error['msg']}."


def _distinct(trials):
    """Each once: several grids may ask for the same one, by the same name."""
    distinct: dict[str, Trial] = {}
    for trial in trials:
        first = distinct.setdefault(trial.id, trial)
        if first.arm != trial.arm:
            raise ValueError(
                f"The arms {first.arm!r} and {trial.arm!r} of {trial.model} "
                "have the same options: leave one of them out."
            )
    return list(distinct.values())
