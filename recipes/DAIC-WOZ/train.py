#!/usr/bin/env python3
"""Recipe for depression detection from speech on DAIC-WOZ with HRF.

A lightweight ConvTransformer, Conformer or SpeechFormer is trained with chosen
linear layers expanded (HRF), scored with them merged (deHRF), and exported as
a folder that EncoderClassifier loads.

To run this recipe, do the following:
> python train.py hparams/conformer_hrf.yaml --data_folder /path/to/DAIC-WOZ

Without --data_folder it runs on a synthetic stand-in corpus.

Authors
 * The speechbrain_hrf authors 2026
"""

import sys

import speechbrain as sb
from daic_woz_prepare import CORRECTIONS, STATES, prepare_daic_woz
from hyperpyyaml import load_hyperpyyaml
from speechbrain.dataio.sampler import ReproducibleRandomSampler
from speechbrain.utils.distributed import run_on_main

from speechbrain_hrf.dataio.segments import SegmentFeatures
from speechbrain_hrf.inference import MergedClassifier
from speechbrain_hrf.training import (
    EmotionScores,
    capture_steps,
    class_weights,
    collect_results,
    end_epoch,
    finish_run,
    fit_normalisation,
    keep_freed_memory,
    key_of_scored_epoch,
    load_splits,
    locate_hparams,
    make_stand_in,
    record_steps,
    refuse_other_data,
    refuse_other_options,
    save_labels,
    scale_factor_steps,
    use_hubert,
    use_stand_in,
    warn_if_synthetic,
)


class DepressionBrain(sb.Brain):
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
        # Validation and test losses compare with those of other weights
        weight = self.class_weights if stage == sb.Stage.TRAIN else None
        loss = self.hparams.compute_cost(predictions, labels, weight=weight)
        if stage == sb.Stage.TRAIN and self.distillation is not None:
            loss = self.distillation(loss, predictions, batch.id)
        return loss

    def on_stage_start(self, stage, epoch=None):
        """Starts new scores."""
        self.scores = EmotionScores(STATES)

    def on_stage_end(self, stage, stage_loss, epoch=None):
        """Ends an epoch, with or without a validation set, or the test."""
        if stage == sb.Stage.TRAIN:
            self.train_loss = float(stage_loss)
            if self.hparams.protocol == "paper":
                self.end_epoch(epoch)
            return
        summary = self.scores.summarize()
        # Clips are named <participant>_<index>.
        people = self.scores.pooled(
            {clip: clip.rpartition("_")[0] for clip in self.scores.ids}
        ).summarize()
        stats = {key: summary[key] for key in ("MF1", "WA", "UA")}
        stats["MF1 of participants"] = people["MF1"]
        stats["loss"] = float(stage_loss)
        if stage == sb.Stage.VALID:
            self.end_epoch(epoch, stats)
            return
        self.test_scores, self.participant_scores = summary, people
        self.hparams.train_logger.log_stats(
            {"Epoch loaded": self.checkpoint.meta["epoch"]}, test_stats=stats
        )

    def end_epoch(self, epoch, valid_stats=None):
        """Sets the learning rate, logs, saves a checkpoint.

        Arguments
        ---------
        epoch : int
        valid_stats : dict of str: float, optional
            Loss and scores of the validation set.
        """
        end_epoch(
            self,
            epoch,
            self.train_loss,
            self.hparams.lr_annealing,
            self.hparams.train_logger,
            valid_stats,
            max_key="MF1",
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
    prepare_daic_woz(
        data_folder=hparams["data_folder"],
        save_folder=hparams["manifest_folder"],
        protocol=hparams["protocol"],
        held_out_part=hparams["held_out_part"],
        max_unusable=hparams["max_unusable"],
        correct_offsets=hparams["correct_offsets"],
        cut_interruptions=hparams["cut_interruptions"],
        correct_label_of_409=hparams["correct_label_of_409"],
        drop_sync_rows=hparams["drop_sync_rows"],
        drop_tag_only_rows=hparams["drop_tag_only_rows"],
    )
    refuse_other_data(hparams["manifest_folder"], hparams["save_folder"])


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
    segment = SegmentFeatures(
        hparams["compute_features"],
        frames=hparams["segment_frames"],
        sample_rate=hparams["sample_rate"],
    )
    datasets = load_splits(
        annotations,
        hparams["data_folder"],
        segment,
        hparams["label_encoder"],
        STATES,
        hparams["n_classes"],
        takes=("wav", "parts"),
        label_key="state",
        feature_folder=hparams["feature_folder"],
        cache_features=hparams["cache_features"],
    )
    save_labels(hparams["label_encoder"], hparams["label_encoder_file"])
    return datasets


def describe_run(hparams, brain, report):
    """What is worth knowing about a run, for its results and its model card.

    Arguments
    ---------
    hparams : dict
        What the YAML was loaded into.
    brain : DepressionBrain
        After ``evaluate``.
    report : speechbrain_hrf.nnet.HRFReport
        What ``apply_hrf`` has returned.

    Returns
    -------
    dict
        Fits into JSON.
    """
    results = collect_results(hparams, STATES, brain, report)
    results["split"] = "development list"
    results["per_participant"] = brain.participant_scores
    results["corrections"] = [name for name in CORRECTIONS if hparams[name]]
    results |= {  # for the model card
        "licence": hparams["licence"],
        "task": hparams["task"],
        "caution": hparams["caution"],
        "features": hparams["features"],
    }
    if hparams["features"] == "hubert":
        results["hubert_source"] = hparams["hubert_source"]
    return results


if __name__ == "__main__":
    keep_freed_memory()  # saves a fifth to a third of a step's time

    # Command line: SpeechBrain's options and overrides of the YAML
    hparams_file, run_opts, overrides = sb.parse_arguments(
        locate_hparams(sys.argv[1:], __file__)
    )
    overrides = use_stand_in(hparams_file, overrides)
    overrides = use_hubert(hparams_file, overrides)
    refuse_other_options(hparams_file, overrides)
    sb.utils.distributed.ddp_init_group(run_opts)
    with open(hparams_file, encoding="utf-8") as fin:
        hparams = load_hyperpyyaml(fin, overrides)
    sb.create_experiment_directory(
        experiment_directory=hparams["output_folder"],
        hyperparams_to_save=hparams_file,
        overrides=overrides,
    )

    # Data
    run_on_main(prepare, args=[hparams])
    warn_if_synthetic(hparams["data_folder"])
    weights = class_weights(
        hparams["class_weights"], hparams["train_annotation"], STATES, "state"
    )
    datasets = dataio_prep(hparams)
    fit_normalisation(hparams["mean_var_norm"], datasets["train"])

    # HRF: the chosen layers become chains, in place
    report = hparams["apply_hrf"](hparams["model"])
    sb.core.logger.info("HRF\n%s", report)
    record_steps(
        hparams["model"], hparams["output_folder"], hparams["record_steps"]
    )

    distillation = hparams["distillation"](
        datasets["train"],
        hparams["collate_fn"],
        STATES,
        hparams["output_folder"],
    )

    # Training
    max_key = key_of_scored_epoch(
        "MF1", hparams["protocol"], hparams["scored_epoch"]
    )
    brain = DepressionBrain(
        modules=hparams["modules"],
        opt_class=scale_factor_steps(
            hparams["opt_class"], hparams["model"], hparams["hrf_lr_scale"]
        ),
        hparams=hparams,
        run_opts=run_opts,
        checkpointer=hparams["checkpointer"],
    )
    brain.class_weights = (
        weights if weights is None else weights.to(brain.device)
    )
    brain.distillation = distillation
    capture_steps(brain, hparams["cuda_graphs"])
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
        valid_loader_kwargs=hparams["test_dataloader_opts"],
    )

    # The last epoch is scored, or the one that the held-out part chooses
    brain.evaluate(
        test_set=datasets["test"],
        max_key=max_key,
        test_loader_kwargs=hparams["test_dataloader_opts"],
    )
    finish_run(
        describe_run(hparams, brain, report),
        hparams["output_folder"],
        hparams["export_folder"],
        hparams["compute_features"],
        brain.debug,
    )
    warn_if_synthetic(hparams["data_folder"])
