"""The inference YAML holds what inference needs, and nothing of the training.

Authors
 * The speechbrain_hrf authors 2026
"""

import pytest
from hyperpyyaml import load_hyperpyyaml
from speechbrain.core import create_experiment_directory

from speechbrain_hrf.export.definition import HEADER, Definition

RECIPE = """\
# Written for /home/somebody
seed: 1
__stop: !apply:sys.exit [1]
sample_rate: 8000
width: 4
data_folder: /home/somebody/data
activation: !name:torch.nn.GELU
    approximate: tanh
sizes: (3, 4)

compute_features: !new:speechbrain.lobes.features.Fbank
    n_mels: !ref <width> * 10  # as in the paper
mean_var_norm: &norm !new:speechbrain.processing.features.InputNormalization
    norm_type: sentence
encoder: !new:speechbrain.nnet.linear.Linear
    input_size: 40
    n_neurons: !ref <width>
embedding_model: !new:speechbrain.nnet.containers.Sequential
    - !ref <encoder>
# The head
classifier: !ref <head>
head: !new:torch.nn.Sequential
    - !new:torch.nn.Linear [!ref <width>, 2]
    - !apply:torch.nn.modules.linear.Identity.train
        - !new:torch.nn.Identity
        - False

hrf_modules: ["*.w"]
hrf_ratio: 2
checkpointer: !new:speechbrain.utils.checkpoints.Checkpointer
    checkpoints_dir: /home/somebody/save
    recoverables:
        normalizer: !ref <mean_var_norm>
        model: !ref <encoder>
"""
SIMPLE = """\
sample_rate: 16000
compute_features: !new:speechbrain.lobes.features.Fbank
mean_var_norm: !new:speechbrain.processing.features.InputNormalization
embedding_model: !new:torch.nn.Linear [40, 4]
classifier: !new:torch.nn.Linear [4, 2]
"""


def definition(tmp_path, text=SIMPLE, resolve=False):
    """Reads a YAML, or SpeechBrain's resolved copy of it."""
    path = tmp_path / "recipe.yaml"
    path.write_text(text)
    if resolve:
        create_experiment_directory(tmp_path / "out", path, save_env_desc=False)
        path = tmp_path / "out" / "hyperparams.yaml"
    return Definition(path)


def simple_recipe(**changes):
    """The simple YAML with some lines replaced, added or dropped."""
    lines = dict(line.split(": ", 1) for line in SIMPLE.strip().splitlines())
    lines.update(changes)
    return "".join(f"{key}: {value}\n" for key, value in lines.items() if value)


@pytest.mark.parametrize("resolve", [False, True])
def test_nothing_else_is_built_or_kept(tmp_path, resolve):
    """Not the checkpointer, not the exit, not the paths, not the comments."""
    made = definition(tmp_path, RECIPE, resolve)
    exported = made.write(["embedding_model", "classifier"], n_classes=2)
    assert exported.startswith(HEADER + "\n")
    assert "somebody" not in exported
    assert "paper" not in exported and "head" not in exported
    hparams = load_hyperpyyaml(exported)
    assert sorted(hparams) == sorted(
        [
            "sample_rate",
            "compute_features",
            "mean_var_norm",
            "embedding_model",
            "classifier",
            "label_encoder",
            "audio_normalizer",
            "modules",
            "pretrainer",
        ]
    )
    assert hparams["sample_rate"] == made.sample_rate == 8000
    assert hparams["audio_normalizer"].sample_rate == 8000
    assert hparams["label_encoder"].expected_len == 2
    pretrainer = hparams["pretrainer"]
    assert pretrainer.paths == {}
    assert pretrainer.loadables["classifier"] is hparams["classifier"]
    assert hparams["modules"]["classifier"] is hparams["classifier"]
    assert not (tmp_path / "home").exists()


def test_references_between_the_four(tmp_path):
    """What two modules share, the exported ones share too."""
    text = SIMPLE.replace(
        "classifier: !new:torch.nn.Linear [4, 2]",
        "classifier: !new:torch.nn.Sequential\n    - !ref <embedding_model>",
    )
    hparams = load_hyperpyyaml(definition(tmp_path, text).write([], 4))
    assert hparams["classifier"][0] is hparams["embedding_model"]


def test_names_under_which_modules_are_saved(tmp_path):
    """Many recipes save mean_var_norm as normalizer."""
    made = definition(tmp_path, RECIPE)
    assert made.saved_as("mean_var_norm") == ["mean_var_norm", "normalizer"]
    assert made.saved_as("embedding_model") == ["embedding_model"]


@pytest.mark.parametrize(
    "lines, expected",
    [
        ("", {}),
        ("hrf_modules: []\nhrf_ratio: 8\n", {}),
        (
            "hrf_modules: [A, '*.b']\nhrf_ratio: 2\nhrf_inner_bias: False\n"
            "hrf_init: preserve\n",
            {"modules": ["A", "*.b"], "ratio": 2, "inner_bias": False},
        ),
    ],
)
def test_hrf_arguments(tmp_path, lines, expected):
    """What hrf profile expands a recipe's model with."""
    assert definition(tmp_path, SIMPLE + lines).hrf_arguments() == expected


def test_renamed_classes(tmp_path):
    """The standalone YAML names the bundled classes and their hook."""
    made = definition(tmp_path)
    text = made.write(
        ["classifier"], 2, {"torch.nn.Linear": "hrf_x_0.Linear"}, "hrf_x_0.load"
    )
    assert text.count("!new:hrf_x_0.Linear") == 2
    assert "!new:torch.nn.Linear" not in text
    assert "classifier: !name:hrf_x_0.load" in text
    assert "!new:torch.nn.Linear" in made.write(["classifier"], 2)


def test_alias_of_a_plugin_becomes_the_own_name(tmp_path):
    """speechbrain.lobes.models.hrf exists only once the plugin is there."""
    text = simple_recipe(
        embedding_model="!new:speechbrain.lobes.models.hrf.Conformer"
    )
    made = definition(tmp_path, text)
    own = "speechbrain_hrf.lobes.models.conformer.Conformer"
    assert own in made.objects
    assert f"!new:{own}" in made.write([], 2)
    assert made.model_name == "Conformer"


@pytest.mark.parametrize(
    "text, says",
    [
        ("", "no keys"),
        ("- 1\n", "no keys"),
        ("a: [\n", "not valid YAML"),
        (simple_recipe(classifier=None), "has no classifier.*EncoderCl"),
        (
            simple_recipe(sample_rate=None, mean_var_norm=None),
            "has no sample_rate, mean_var_norm.*Hz of the audio",
        ),
        (simple_recipe(sample_rate="fast"), "sample_rate is 'fast', but"),
        (
            simple_recipe(
                embedding_model="!new:torch.nn.Linear {source: /x/y}"
            ),
            r"embedding_model\.source is the absolute path /x/y",
        ),
        (
            simple_recipe(
                compute_features="!new:speechbrain_hrf.lobes.hubert."
                "HubertFrames [/x/hubert, 16000]"
            ),
            "cannot be exported: its features come from HuBERT",
        ),
    ],
)
def test_bad_yaml(tmp_path, text, says):
    """The error names the file and the key."""
    with pytest.raises(ValueError, match=f"recipe.yaml.*{says}"):
        definition(tmp_path, text)


@pytest.mark.parametrize("source", [None, "import no_such_thing\n"])
def test_unknown_class(tmp_path, monkeypatch, source):
    """A class that cannot be imported is named with the fix."""
    monkeypatch.syspath_prepend(tmp_path)
    if source:
        (tmp_path / "my_models.py").write_text(source)
    text = simple_recipe(embedding_model="!new:my_models.Net")
    why = r" \(.*no_such_thing.*\)" if source else ""
    says = rf"!new:my_models.Net names .* here{why}\. Run .*PYTHONPATH"
    with pytest.raises(ImportError, match=says):
        definition(tmp_path, text)


def test_what_is_no_module(tmp_path):
    text = simple_recipe(classifier="!name:torch.nn.functional.log_softmax")
    with pytest.raises(ValueError, match="classifier is .* torch.nn.Module"):
        definition(tmp_path, text).build()


def test_overrides(tmp_path):
    """Values are replaced before references are followed; typos are named."""
    path = tmp_path / "recipe.yaml"
    path.write_text(RECIPE)
    modules = Definition(path, "width: 6").build()
    assert modules["classifier"][0].in_features == 6
    with pytest.raises(ValueError, match="recipe.yaml.*'wide' not found"):
        Definition(path, "wide: 6")


def test_reading_runs_nothing(tmp_path, monkeypatch):
    """Nor does describing; what inference does not need is never run."""
    path, mark = tmp_path / "hyperparams.yaml", tmp_path / "was_run"
    monkeypatch.chdir(tmp_path)
    path.write_text(
        "sample_rate: 16000\nx: !apply:os.mkdir [was_run]\n"
        "compute_features: !new:speechbrain.lobes.features.Fbank\n"
        "mean_var_norm: !new:torch.nn.Identity\n"
        "embedding_model: !apply:os.mkdir [was_run]\n"
        "classifier: !new:torch.nn.Identity\n"
    )
    definition = Definition(path)
    assert "apply" in definition.describe()["embedding_model"]
    assert not mark.exists()
    with pytest.raises(ValueError, match="embedding_model is None"):
        definition.build()  # the negative control
    assert mark.exists()
