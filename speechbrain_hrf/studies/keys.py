"""The keys of a study's YAML: text and numbers, checked before anything runs.

Nothing in the YAML is executed: it has no tags but YAML's own.

Authors
 * The speechbrain_hrf authors 2026
"""

import logging
import os
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    JsonValue,
    PositiveInt,
    ValidationError,
)
from ruamel.yaml import YAML
from ruamel.yaml.constructor import ConstructorError

from speechbrain_hrf.dataio.text_file import shorten
from speechbrain_hrf.training.stand_in import STAND_IN
from speechbrain_hrf.yaml_text import explain_yaml, read_yaml_text

logger = logging.getLogger(__name__)

Metric = Literal["WA", "UA", "WF1", "MF1"]


def _absolute(place):
    here = os.path.abspath(os.path.expanduser(place))
    return place if place == STAND_IN else here


Activation = Literal["relu", "gelu", "swish", "relu2"]
Ratio = Annotated[float, Field(ge=1, allow_inf_nan=False)]
# None at all would leave out the rows that differ in it, in silence.
AtLeastOne = Field(min_length=1)
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
# So that it means the same on every machine.
Place = Annotated[str, AtLeastOne, AfterValidator(_absolute)]
# numpy's generators, which SpeechBrain seeds too, take no larger ones.
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Options = dict[str, JsonValue]


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
    layers: Annotated[list[PositiveInt], AtLeastOne] = [1]
    activations: Annotated[list[Activation | None], AtLeastOne] = [None]
    learning_rates: Annotated[list[Positive | None], AtLeastOne] = [None]
    folds: Annotated[list[int | str | None], AtLeastOne] = [None]
    seeds: list[Seed] = []
    overrides: Options = {}


class StudyFile(Grid):
    """All keys of a study's YAML.

    Arguments
    ---------
    name, recipe : str
    output_folder : str, optional
        Default: results/studies/<name>/<recipe>.
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
    >>> StudyFile(name="a", recipe="RAVDESS", metric="UAR")
    Traceback (most recent call last):
        ...
    pydantic_core...ValidationError: 1 validation error for StudyFile...
    """

    name: str
    recipe: str
    output_folder: str | None = None
    data_folder: Place | None = None
    labels: Place | None = None
    fold_key: str = "fold"
    metric: Metric = "UA"
    score_at: list[PositiveInt] = []
    threads_per_trial: PositiveInt = 1
    grids: list[Grid] = [Grid()]


def read_keys(path: str | os.PathLike, overrides: str = "") -> StudyFile:
    """Reads a study's YAML and what is given in the place of its keys.

    Arguments
    ---------
    path : str or os.PathLike
    overrides : str
        YAML as well. It counts in the place of a grid's own values, too; of
        ``overrides``, ``arms`` and ``originals`` what it does not name stays.

    Returns
    -------
    StudyFile

    Raises
    ------
    ValueError
        If it is no YAML, has a tag, or a key is unknown, missing or of another
        kind.

    Example
    -------
    >>> path = getfixture("tmpdir").join("demo.yaml")
    >>> path.write("{name: demo, recipe: RAVDESS, seeds: [1, 2]}")
    >>> read_keys(path.strpath, "seeds: [7]").seeds
    [7]
    """
    own = plain_yaml(read_yaml_text(path), path)
    given = plain_yaml(overrides, "The command line")
    study = _merged(own, given)
    try:
        StudyFile.model_validate(study)  # that grids are a list of mappings
        for number, grid in enumerate(study.get("grids", []), start=1):
            for key in sorted(grid.keys() & given.keys()):
                logger.warning(
                    "--%s counts in place of grid %d's.", key, number
                )
                grid[key] = _merged(grid[key], given[key])
        return StudyFile.model_validate(study)
    except ValidationError as error:
        lines = "\n".join(map(_sentence, error.errors()))
        raise ValueError(f"{path}:\n{lines}") from None


def plain_yaml(text: str, where: object) -> dict[str, Any]:
    """YAML of text and numbers, with no tags but YAML's own.

    Arguments
    ---------
    text : str
    where : object
        Where it stands, for the error.

    Returns
    -------
    dict

    Raises
    ------
    ValueError
        If it is no YAML, has no keys, or has a tag.

    Example
    -------
    >>> plain_yaml("seeds: [1]", "x.yaml")
    {'seeds': [1]}
    """
    with explain_yaml(where):
        try:
            found = YAML(typ="safe", pure=True).load(text or "{}")
        except ConstructorError as error:
            line, why = error.problem_mark.line + 1, shorten(error.problem, 200)
            raise ValueError(
                f"{where}, line {line}: {why}. A study is text and numbers: put a "
                "recipe's tag in quotes, such as '!name:torch.nn.GELU'."
            ) from None
    if not isinstance(found, dict):
        raise ValueError(
            f"{where} is no study: it has no keys. See studies/table_3.yaml."
        )
    return found


def _merged(own, given):
    """What is given counts; of a mapping, it stands for what it names."""
    if not (isinstance(own, dict) and isinstance(given, dict)):
        return given
    return own | {key: _merged(own.get(key), given[key]) for key in given}


def _sentence(error):
    """What pydantic has found."""
    where = ".".join(map(str, error["loc"]))
    if error["type"] == "extra_forbidden":
        kind = Grid if error["loc"][0] == "grids" else StudyFile
        known = ", ".join(kind.model_fields)
        return f"  there is no key {shorten(where)!r}. There are: {known}"
    if error["type"] == "missing":
        return f"  {where} must be given."
    return f"  {where} is {shorten(repr(error['input']))}: {error['msg']}."
