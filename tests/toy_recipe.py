"""The smallest recipe that breaks none of SpeechBrain's conventions.

``GOOD`` maps its files, relative to a repository's root, to their texts.

Authors
 * The speechbrain_hrf authors 2026
"""

from recipe_conventions import RESULTS_HEADER
from recipe_csv import CSV_COLUMNS

SCRIPT = "recipes/TOY/train.py"
YAML = "recipes/TOY/hparams/tiny_hrf.yaml"
README = "recipes/TOY/README.md"
REQUIREMENTS = "recipes/TOY/extra_requirements.txt"
TABLE = "tests/recipes/TOY.csv"

GOOD = {
    SCRIPT: '''"""Trains on TOY."""

import sys

import speechbrain as sb
from hyperpyyaml import load_hyperpyyaml


class EmotionBrain(sb.Brain):
    def compute_forward(self, batch, stage):
        return self.modules.classifier(batch)

    def compute_objectives(self, predictions, batch, stage):
        return self.hparams.compute_cost(predictions, batch)

    def on_stage_start(self, stage, epoch=None):
        pass

    def on_stage_end(self, stage, stage_loss, epoch=None):
        self.hparams.train_logger.log_stats({"Epoch": epoch})


def dataio_prep(hparams):
    return hparams["batch_size"]


if __name__ == "__main__":
    hparams_file, run_opts, overrides = sb.parse_arguments(sys.argv[1:])
    sb.utils.distributed.ddp_init_group(run_opts)
    with open(hparams_file) as stream:
        hparams = load_hyperpyyaml(stream, overrides)
    sb.create_experiment_directory(hparams["output_folder"])
    from toy_prepare import prepare_toy

    sb.utils.distributed.run_on_main(prepare_toy, hparams["data_folder"])
    datasets = dataio_prep(hparams)
    brain = EmotionBrain(hparams["modules"], checkpointer=hparams["checkpointer"])
    brain.fit(range(hparams["number_of_epochs"]), datasets)
    brain.evaluate(datasets, min_key="loss")
''',
    YAML: """# ########################################
# Tiny model on TOY
#
# Authors:
#  * The speechbrain_hrf authors 2026
# ########################################

seed: 1
__set_seed: !apply:speechbrain.utils.seed_everything [!ref <seed>]

data_folder: synthetic
output_folder: !ref results/TOY/<seed>
save_folder: !ref <output_folder>/save
train_log: !ref <output_folder>/train_log.txt

number_of_epochs: 2
batch_size: 4
use_bias: True

classifier: !new:torch.nn.Linear
  in_features: 2
  out_features: 2
  bias: !ref <use_bias>

modules:
  classifier: !ref <classifier>

compute_cost: !name:speechbrain.nnet.losses.nll_loss

train_logger: !new:speechbrain.utils.train_logger.FileTrainLogger
  save_file: !ref <train_log>

checkpointer: !new:speechbrain.utils.checkpoints.Checkpointer
  checkpoints_dir: !ref <save_folder>
  recoverables:
    classifier: !ref <classifier>
""",
    "recipes/TOY/toy_prepare.py": '"""Prepares TOY."""\n',
    REQUIREMENTS: "scikit-learn>=1.3\ntqdm>=4.64\n",
    README: f"""# Emotion recognition on TOY

```bash
python train.py hparams/tiny_hrf.yaml --data_folder /path/to/TOY
```

## Results
{RESULTS_HEADER}
|:--:|:--:|:--:|:--:|:--:|:--:|:--:|
| 2026 | tiny_hrf.yaml | 1 | 1 | | [model](https://models.example/toy) | 0 |

## Training time
A second.

## Note on data preparation
None.

## About TOY
None.

# **Citing SpeechBrain**
```bibtex
@misc{{speechbrain}}
```
""",
    TABLE: ",".join(CSV_COLUMNS) + "\n"
    "Emotion_Recognition,TOY,recipes/TOY/train.py,"
    "recipes/TOY/hparams/tiny_hrf.yaml,recipes/TOY/toy_prepare.py,"
    "recipes/TOY/README.md,https://models.example/toy,,"
    "--data_folder=synthetic --number_of_epochs=2 --device cpu,"
    '"file_exists=[train_log.txt,save/label_encoder.txt] '
    'performance_check=[train_log.txt, train loss, <2.1, epoch: 2]",\n',
}
