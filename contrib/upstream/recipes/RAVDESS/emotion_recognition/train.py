#!/usr/bin/env python3
"""Recipe for emotion recognition on RAVDESS with tiny models.

A lightweight ConvTransformer, Conformer or SpeechFormer is trained with chosen
linear layers expanded into chains (HRF). It is scored with the chains merged,
and exported so: EncoderClassifier loads it from <output_folder>/pretrained.

To run this recipe, do the following:
> python train.py hparams/conformer_hrf.yaml --data_folder /path/to/RAVDESS

Authors
 * The speechbrain_hrf authors 2026
"""

import functools
import os
import sys

import torch
from hyperpyyaml import load_hyperpyyaml
from ravdess_prepare import prepare_ravdess
from ruamel.yaml import YAML

import speechbrain as sb
from speechbrain.dataio import audio_io
from speechbrain.dataio.batch import PaddedBatch
from speechbrain.dataio.dataset import DynamicItemDataset
from speechbrain.dataio.preprocess import AudioNormalizer
from speechbrain.dataio.sampler import ReproducibleRandomSampler
from speechbrain.nnet.hrf import merge_hrf
from speechbrain.utils.data_utils import batch_pad_right
from speechbrain.utils.distributed import (
    ddp_broadcast,
    if_main_process,
    run_on_main,
)
from speechbrain.utils.metric_stats import ClassificationStats

# What the exported YAML has besides the model, which is as it was trained
INFERENCE = """
label_encoder: !new:speechbrain.dataio.encoder.CategoricalEncoder

audio_normalizer: !new:speechbrain.dataio.preprocess.AudioNormalizer
    sample_rate: !ref <sample_rate>

modules:
    compute_features: !ref <compute_features>
    mean_var_norm: !ref <mean_var_norm>
    embedding_model: !ref <embedding_model>
    classifier: !ref <classifier>

pretrainer: !new:speechbrain.utils.parameter_transfer.Pretrainer
    loadables:
        mean_var_norm: !ref <mean_var_norm>
        embedding_model: !ref <embedding_model>
        classifier: !ref <classifier>
        label_encoder: !ref <label_encoder>
"""


class EmotionBrain(sb.Brain):
    """Trains the expanded model, scores the merged one."""

    def compute_forward(self, batch, stage):
        """Features to log-probabilities, [B, 1, C]."""
        batch = batch.to(self.device)
        feats, lens = batch.feats
        feats = self.modules.mean_var_norm(
            feats, lens, epoch=self.hparams.epoch_counter.current
        )
        model = self.merged if stage == sb.Stage.TEST else self.modules
        return model.classifier(model.embedding_model(feats, lens))

    def compute_objectives(self, predictions, batch, stage):
        """Negative log-likelihood; collects what the scores need."""
        labels, _ = batch.emo_encoded
        if stage != sb.Stage.TRAIN:
            decode = self.hparams.label_encoder.decode_ndim
            self.scores.append(
                batch.id,
                decode(predictions.argmax(-1).squeeze(1)),
                decode(labels.squeeze(1)),
            )
        return self.hparams.compute_cost(predictions, labels)

    def on_stage_start(self, stage, epoch=None):
        """Starts new scores."""
        self.scores = ClassificationStats()

    def on_stage_end(self, stage, stage_loss, epoch=None):
        """Ends an epoch, with or without a validation set, or the test."""
        if stage == sb.Stage.TRAIN:
            self.train_loss = stage_loss
            if self.hparams.valid_annotation is None:
                self.end_epoch(epoch)
            return
        summary = self.scores.summarize()
        recalls = summary["classwise_accuracy"].values()
        stats = {
            "loss": stage_loss,
            "WA": float(summary["accuracy"]),
            "UA": float(sum(recalls) / len(recalls)),
        }
        if stage == sb.Stage.VALID:
            self.end_epoch(epoch, stats)
            return
        self.hparams.train_logger.log_stats(
            {"Epoch loaded": self.hparams.epoch_counter.current},
            test_stats=stats,
        )
        if if_main_process():
            with open(
                self.hparams.test_report, "w", encoding="utf-8"
            ) as report:
                self.scores.write_stats(report)

    def end_epoch(self, epoch, valid_stats=None):
        """Sets the learning rate by the training loss, logs and saves."""
        # Of the main process, so that the rates of all processes agree
        loss = ddp_broadcast(self.train_loss)
        lr, next_lr = self.hparams.lr_annealing([self.optimizer], epoch, loss)
        sb.nnet.schedulers.update_learning_rate(self.optimizer, next_lr)
        self.hparams.train_logger.log_stats(
            {"epoch": epoch, "lr": lr},
            train_stats={"loss": loss},
            valid_stats=valid_stats,
        )
        # Brain resets them only later: a run that goes on would skip batches
        self.step, self.avg_train_loss = 0, 0.0
        # The newest is kept, and the best one by the validation set
        self.checkpointer.save_and_keep_only(
            meta={"epoch": epoch, **(valid_stats or {})},
            max_keys=["UA"] if valid_stats else [],
        )

    def on_evaluate_start(self, max_key=None, min_key=None):
        """Loads the checkpoint to score and merges a copy of it."""
        super().on_evaluate_start(max_key, min_key)
        self.merged = merge_hrf(self.hparams.model).eval()


def dataio_prep(hparams):
    """Manifests to datasets that give id, feats and emo_encoded.

    Arguments
    ---------
    hparams : dict
        What the YAML was loaded into.

    Returns
    -------
    datasets : dict
        DynamicItemDataset by split: train, test and maybe valid.
    """
    datasets = {
        split: DynamicItemDataset.from_json(
            hparams[f"{split}_annotation"],
            replacements={"data_root": hparams["data_folder"]},
        )
        for split in ("train", "valid", "test")
        if hparams[f"{split}_annotation"] is not None
    }
    normalize_audio = AudioNormalizer(hparams["sample_rate"])
    # Frame k is centred on k * 10 ms
    samples = (hparams["segment_frames"] - 1) * hparams["sample_rate"] // 100

    # In memory after the first epoch: 156 KB of 5 s
    @functools.lru_cache(maxsize=None)
    def read_features(wav):
        """The features of an utterance's first seconds, [T, F]."""
        signal, rate = audio_io.load(wav, channels_first=False)
        signal = normalize_audio(signal, rate)[:samples]
        with torch.no_grad():
            return hparams["compute_features"](signal.unsqueeze(0)).squeeze(0)

    @sb.utils.data_pipeline.takes("wav")
    @sb.utils.data_pipeline.provides("feats")
    def feature_pipeline(wav):
        """Every utterance by itself, whatever it is batched with later."""
        return read_features(wav)

    # Label indices that depend on no split and no seed
    encoder = hparams["label_encoder"]
    encoder.update_from_iterable(hparams["emotions"])
    encoder.expect_len(hparams["n_classes"])
    run_on_main(encoder.save, args=[hparams["label_encoder_file"]])

    @sb.utils.data_pipeline.takes("emo")
    @sb.utils.data_pipeline.provides("emo_encoded")
    def label_pipeline(emo):
        """An emotion's index, as a tensor."""
        return encoder.encode_label_torch(emo)

    for dataset in datasets.values():
        dataset.add_dynamic_item(feature_pipeline)
        dataset.add_dynamic_item(label_pipeline)
        dataset.set_output_keys(["id", "feats", "emo_encoded"])
    return datasets


def pad(values, frames=None):
    """Zero-fills to the longest one, or to so many frames.

    Normalised HRF takes its statistics over all frames of a batch: they are
    not to depend on how long its longest utterance is.

    Arguments
    ---------
    values : list of torch.Tensor
        Of one length, but for the first dimension.
    frames : int, optional
        At least the longest one's.

    Returns
    -------
    padded : torch.Tensor
        [B, T, ...]
    lens : torch.Tensor
        Relative lengths, [B].
    """
    padded, lens = batch_pad_right(values)
    if frames is None:
        return padded, lens
    longest = padded.shape[1]
    filled = padded.new_zeros(len(values), frames, *padded.shape[2:])
    filled[:, :longest] = padded
    return filled, lens * longest / frames


def export(hparams, merged):
    """Writes a folder that EncoderClassifier.from_hparams loads.

    Arguments
    ---------
    hparams : dict
        What the YAML was loaded into.
    merged : torch.nn.ModuleDict
        embedding_model and classifier without chains.
    """
    folder = hparams["export_folder"]
    os.makedirs(folder, exist_ok=True)
    yaml = YAML()
    # What SpeechBrain saved there has the overrides in it
    trained = os.path.join(hparams["output_folder"], "hyperparams.yaml")
    with open(trained, encoding="utf-8") as file:
        definition = yaml.load(file)
    keys = [
        "sample_rate",
        "compute_features",
        "mean_var_norm",
        "embedding_model",
        "classifier",
    ]
    with open(
        os.path.join(folder, "hyperparams.yaml"), "w", encoding="utf-8"
    ) as file:
        yaml.dump({key: definition[key] for key in keys}, file)
        file.write(INFERENCE)
    checkpointer = sb.utils.checkpoints.Checkpointer(folder)
    for name, part in {
        **merged,
        "mean_var_norm": hparams["mean_var_norm"],
        "label_encoder": hparams["label_encoder"],
    }.items():
        checkpointer.add_recoverable(name, part)
    saved = checkpointer.save_checkpoint(name="export")
    for path in saved.paramfiles.values():
        os.replace(path, os.path.join(folder, path.name))
    checkpointer.delete_checkpoints(num_to_keep=0)


if __name__ == "__main__":
    # Command line: SpeechBrain's options and overrides of the YAML
    hparams_file, run_opts, overrides = sb.parse_arguments(sys.argv[1:])
    sb.utils.distributed.ddp_init_group(run_opts)
    with open(hparams_file, encoding="utf-8") as fin:
        hparams = load_hyperpyyaml(fin, overrides)
    sb.create_experiment_directory(
        experiment_directory=hparams["output_folder"],
        hyperparams_to_save=hparams_file,
        overrides=overrides,
    )

    # Data
    if not hparams["skip_prep"]:
        run_on_main(
            prepare_ravdess,
            kwargs={
                "data_folder": hparams["data_folder"],
                "save_json_train": hparams["train_annotation"],
                "save_json_valid": hparams["valid_annotation"],
                "save_json_test": hparams["test_annotation"],
                "fold": hparams["fold"],
            },
        )
    datasets = dataio_prep(hparams)

    # Statistics of the whole training set, before the first epoch
    hparams["mean_var_norm"].train()
    for item in datasets["train"]:
        hparams["mean_var_norm"](item["feats"].unsqueeze(0), epoch=0)

    # HRF: the chosen layers become chains, in place
    report = hparams["apply_hrf"](hparams["model"])
    sb.core.logger.info("HRF\n%s", report)

    # Training
    brain = EmotionBrain(
        modules=hparams["modules"],
        opt_class=hparams["opt_class"],
        hparams=hparams,
        run_opts=run_opts,
        checkpointer=hparams["checkpointer"],
    )
    # An order by seed and epoch alone, however many processes share the work
    brain.train_sampler = ReproducibleRandomSampler(
        datasets["train"], seed=hparams["seed"]
    )
    # Every batch has the frames of whole segments
    for split in ("train", "valid", "test"):
        hparams[f"{split}_dataloader_opts"]["collate_fn"] = functools.partial(
            PaddedBatch,
            padding_func=pad,
            per_key_padding_kwargs={
                "feats": {"frames": hparams["segment_frames"]}
            },
        )
    brain.fit(
        epoch_counter=hparams["epoch_counter"],
        train_set=datasets["train"],
        valid_set=datasets.get("valid"),
        train_loader_kwargs={
            **hparams["train_dataloader_opts"],
            "sampler": brain.train_sampler,
        },
        valid_loader_kwargs=hparams["valid_dataloader_opts"],
    )

    # The last epoch is scored, or the one that the validation set chooses
    brain.evaluate(
        test_set=datasets["test"],
        max_key="UA" if "valid" in datasets else None,
        test_loader_kwargs=hparams["test_dataloader_opts"],
    )
    run_on_main(export, args=[hparams, brain.merged])
