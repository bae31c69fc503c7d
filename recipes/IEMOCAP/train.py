#!/usr/bin/env python3
"""Recipe for speech emotion recognition on IEMOCAP with HRF.

A lightweight ConvTransformer, Conformer or SpeechFormer is trained with chosen
linear layers expanded (HRF), scored with them merged (deHRF), and exported as
a folder that EncoderClassifier loads.

To run this recipe, do the following:
> python train.py hparams/conformer_hrf.yaml --data_folder /path/to/IEMOCAP_full_release

Without --data_folder it runs on a synthetic stand-in corpus.

Authors
 * The speechbrain_hrf authors 2026
"""

import sys

import speechbrain as sb
from hyperpyyaml import load_hyperpyyaml
from iemocap_prepare import EMOTIONS, prepare_iemocap
from speechbrain.dataio.dataset import DynamicItemDataset, set_output_keys
from speechbrain.dataio.sampler import ReproducibleRandomSampler
from speechbrain.utils.distributed import run_on_main

from speechbrain_hrf.inference import MergedClassifier
from speechbrain_hrf.training import (
    EmotionScores,
    add_items,
    end_epoch,
    finish_run,
    fit_normalisation,
    make_stand_in,
    parse_arguments,
    refuse_other_data,
    speed_up_steps,
)


class EmotionBrain(sb.Brain):
    """Trains the factorised model, scores the merged one."""

    def compute_forward(self, batch, stage):
        """Features to log-probabilities, [B, 1, C]."""
        batch = batch.to(self.device)
        feats, lens = batch.feats  # of exactly segment_frames frames
        feats = self.modules.mean_var_norm(
            feats, lens, epoch=self.hparams.epoch_counter.current
        )
        if stage == sb.Stage.TEST:
            return self.deployed(feats, lens)
        embedding = self.modules.embedding_model(feats, lens)
        return self.modules.classifier(embedding)

    def compute_objectives(self, predictions, batch, stage):
        """Negative log-likelihood, or distillation; collects for the scores."""
        labels, _ = batch.label
        if stage != sb.Stage.TRAIN:
            self.scores.append(batch.id, predictions, labels)
        loss = self.hparams.compute_cost(predictions, labels)
        if stage == sb.Stage.TRAIN and self.distillation is not None:
            loss = self.distillation(loss, predictions, batch.id)
        return loss

    def on_stage_start(self, stage, epoch=None):
        """Starts new scores."""
        self.scores = EmotionScores(EMOTIONS)

    def on_stage_end(self, stage, stage_loss, epoch=None):
        """Ends an epoch, with or without a validation set, or the test."""
        if stage == sb.Stage.TRAIN:
            self.train_loss = stage_loss
            if self.hparams.protocol == "paper":
                end_epoch(self, epoch)
            return
        found = self.scores.summarize()
        stats = {key: found[key] for key in ("WA", "UA", "WF1")}
        stats["loss"] = stage_loss
        if stage == sb.Stage.VALID:
            end_epoch(self, epoch, stats, max_key="UA")
            return
        self.test_results = found
        self.hparams.train_logger.log_stats(
            {"Epoch loaded": self.checkpoint.meta["epoch"]}, test_stats=stats
        )

    def on_evaluate_start(self, max_key=None, min_key=None):
        """Loads the checkpoint to score and merges a copy of it (deHRF)."""
        self.checkpoint = self.checkpointer.recover_if_possible(
            max_key=max_key, min_key=min_key
        )
        if self.checkpoint is None:
            raise ValueError(
                "There is no checkpoint to score: number_of_epochs is "
                f"{self.hparams.epoch_counter.limit}. Train at least one."
            )
        self.deployed = MergedClassifier(
            self.hparams.embedding_model, self.hparams.classifier
        )


def prepare(hparams):
    """Writes the manifests; makes the stand-in corpus if there are no data.

    To be run on the main process alone.

    Arguments
    ---------
    hparams : dict
        What the YAML was loaded into.
    """
    make_stand_in(hparams["corpus"], hparams["data_folder"])
    prepare_iemocap(
        data_folder=hparams["data_folder"],
        save_folder=hparams["manifest_folder"],
        protocol=hparams["protocol"],
        valid_session=hparams["valid_session"],
        max_unusable=hparams["max_unusable"],
    )


def dataio_prep(hparams):
    """Manifests to datasets that give id, feats and label.

    Arguments
    ---------
    hparams : dict
        What the YAML was loaded into.

    Returns
    -------
    dict of str: DynamicItemDataset
        train, test and, in the held_out protocol, valid.
    """
    annotations = {
        "train": hparams["train_annotation"],
        "test": hparams["test_annotation"],
    }
    if hparams["protocol"] == "held_out":
        annotations["valid"] = hparams["valid_annotation"]
    datasets = {
        split: DynamicItemDataset.from_json(
            path, replacements={"data_root": hparams["data_folder"]}
        )
        for split, path in annotations.items()
    }
    everything = list(datasets.values())

    # Labels, by indices that depend on no split and no seed
    if hparams["n_classes"] != len(EMOTIONS):
        raise ValueError(
            f"n_classes is {hparams['n_classes']}, but the corpus has "
            f"{len(EMOTIONS)} classes ({', '.join(EMOTIONS)})."
        )
    encoder = hparams["label_encoder"]
    encoder.update_from_iterable(EMOTIONS)
    run_on_main(encoder.save, args=[hparams["label_encoder_file"]])

    # Features are computed once for all runs and kept on the disk
    add_items(
        datasets,
        encoder,
        hparams["segment_features"],
        hparams["data_folder"],
        hparams["feature_folder"],
        hparams["cache_features"],
    )
    set_output_keys(everything, ["id", "feats", "label"])
    return datasets


if __name__ == "__main__":
    # Command line: SpeechBrain's options and overrides of the YAML
    hparams_file, run_opts, overrides = parse_arguments(sys.argv[1:], __file__)
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
        run_on_main(prepare, args=[hparams])
    run_on_main(
        refuse_other_data,
        args=[hparams["manifest_folder"], hparams["save_folder"]],
    )
    datasets = dataio_prep(hparams)
    fit_normalisation(hparams["mean_var_norm"], datasets["train"])

    # HRF: the chosen layers become chains, in place
    report = hparams["apply_hrf"](hparams["model"])
    sb.core.logger.info("HRF\n%s", report)

    # A trained original to learn from too, if one is named
    distillation = hparams["distillation"](datasets["train"], EMOTIONS)

    # Training
    brain = EmotionBrain(
        modules=hparams["modules"],
        opt_class=hparams["hrf_optimizer"](hparams["model"]),
        hparams=hparams,
        run_opts=run_opts,
        checkpointer=hparams["checkpointer"],
    )
    brain.distillation = distillation
    speed_up_steps(brain, hparams["cuda_graphs"])
    # An order by seed and epoch alone, however many processes share the work
    brain.train_sampler = ReproducibleRandomSampler(
        datasets["train"], seed=hparams["seed"]
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

    # The last epoch is scored, or the one that the held-out session chooses
    chooses = "valid" in datasets and hparams["scored_epoch"] == "best"
    brain.evaluate(
        test_set=datasets["test"],
        max_key="UA" if chooses else None,
        test_loader_kwargs=hparams["test_dataloader_opts"],
    )
    finish_run(
        brain, hparams, report, hparams["run_notes"], hparams["export_folder"]
    )
