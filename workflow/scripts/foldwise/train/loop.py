"""The training loop. One for all kinds of study: what differs is in the task object.

Read it from `train_fold` down: a fold is stages, a stage is epochs, an epoch is steps of the
optimiser, a step is one or more batches.
"""

import math
from collections.abc import Iterable
from functools import partial

import numpy as np
import torch
from torch import nn

from foldwise.files import write_json
from foldwise.hashing import stream_seed
from foldwise.settings.training import read_settings
from foldwise.tasks.base import Batch
from foldwise.train.compiled import compiled, compiler_explained
from foldwise.train.failure import memory_explained, non_finite
from foldwise.train.feed.batches import Rows, epoch_steps
from foldwise.train.feed.draws import one_of
from foldwise.train.fit import Fit, Noted
from foldwise.train.job import FoldJob
from foldwise.train.machine import environment, keep_freed_memory, make_deterministic, seed
from foldwise.train.optim import make_optimizer, trainable
from foldwise.train.plan import OnEpoch, Plan, make_plan
from foldwise.train.precision import forward_in
from foldwise.train.predict import Cut, build_model, infer
from foldwise.train.progress import finite
from foldwise.train.rates import set_rates
from foldwise.train.sealed import save_sealed


def train_fold(job: FoldJob, on_epoch: OnEpoch | None = None) -> None:
    """Train one fold; write best_model.pt, train_history.json and ray_<run>.jsonl into `job.out`.

    After each epoch `on_epoch` gets the history (one dict an epoch) and ends the training by
    returning True. Raises TrainingFailed (non_finite, out_of_memory), and Stopped once saved after
    a signal.
    """
    settings = read_settings(job.params)
    make_deterministic(job.device)
    keep_freed_memory()
    largest = max(stage.size for stage in settings.stages)
    with memory_explained(job, largest), compiler_explained(settings.compile):
        plan = make_plan(job, settings, on_epoch)
        model = build_model(job).to(job.device, memory_format=torch.channels_last)
        fit = Fit(model, make_optimizer(model, settings))
        if settings.compile:
            fit.step_model = compiled(model)
        plan.checkpoint.restore(fit)
        plan.progress.begin(fit, len(plan.train), len(plan.val))
        if fit.ended == "pruned":
            # A job that was killed at its end: the reason is asked anew.
            plan.on_epoch(fit.history)
        while not fit.ended:
            train_epoch(fit, plan)
            score_epoch(fit, plan)
            end_epoch(fit, plan)
    # Stays until a later job has read the results (`forget`): a kill between the last of them and
    # the job's end makes Snakemake remove all of them.
    plan.checkpoint.save(fit)
    write_results(fit, plan)


def train_epoch(fit: Fit, plan: Plan) -> None:
    """All steps of one epoch that are not done yet."""
    settings, epoch = plan.settings, fit.epoch + 1
    head_only = epoch <= settings.head_only_epochs
    fit.model.trainable(0 if head_only else settings.trainable_blocks)
    fit.model.train()
    set_rates(fit, settings)
    plan.criterion.begin_epoch(fit.epoch)
    reached = list(trainable(fit.model))
    for batches in epoch_steps(settings, epoch, plan.train.keys, plan.sampling)[fit.step :]:
        train_step(fit, plan, batches, reached)
        fit.step += 1
        plan.checkpoint.pause(fit)
    fit.settle()


def train_step(fit: Fit, plan: Plan, batches: list[Rows], reached: Iterable[nn.Parameter]) -> None:
    """One step of the optimiser, on the mean gradient of all images of the batches.

    `reached` are the parameters that gradients reach in this epoch.
    """
    settings, epoch = plan.settings, fit.epoch + 1
    count = sum(len(rows) for rows, _ in batches)
    # None and not zeros: what is frozen is then skipped, neither decayed nor moved by momentum.
    fit.optimizer.zero_grad(set_to_none=True)
    for number, (rows, repeats) in enumerate(batches):
        # Seeded for each batch, so that a resumed run needs no random state.
        seed(stream_seed(settings.seed, "dropout", epoch, fit.step, number), plan.job.device)
        size = one_of(settings.stages[fit.stage].sizes, settings.seed, epoch, fit.step, number)
        batch = plan.train.batch(rows, size, epoch, repeats)
        with forward_in(settings.precision, plan.job.device):
            terms = plan.job.task.loss(fit.step_model, plan.criterion, batch)
        fit.note(Noted("the loss", terms, rows, fit.step + 1))
        # Weighted by images: a short last batch must not count as much as a full one.
        (terms["loss"] * (len(rows) / count)).backward()
    # Of all batches' gradient together, as one large batch would be clipped.
    if settings.clip_norm is not None:
        norm = torch.nn.utils.clip_grad_norm_(reached, settings.clip_norm)
        fit.note(Noted("the gradient's norm", {"norm": norm}, rows, fit.step + 1))
    fit.optimizer.step()


def score_epoch(fit: Fit, plan: Plan) -> None:
    """Predict the validation part, note the metrics, keep the weights if they are the best."""
    settings, size = plan.settings, plan.settings.stages[fit.stage].size
    losses: list[torch.Tensor] = []

    def ask(model: nn.Module, batch: Batch) -> Batch:
        outputs, terms = plan.job.task.validate(model, plan.criterion, batch)
        # Left on the device: to read each batch's would make a GPU wait for each.
        losses.append(terms["loss"].double() * len(batch["image"]))
        return outputs

    # Cut as `predict_fold` does later, so that it meets the kept epoch's metrics to the last bit.
    cut = Cut(size, settings.batch_size, settings.precision)
    outputs = infer(ask, fit.model, plan.val, cut, partial(plan.checkpoint.pause, fit))
    for name, values in outputs.items():
        if not np.isfinite(values).all():
            where = np.flatnonzero(~np.isfinite(values.reshape(len(values), -1)).all(axis=1))
            raise non_finite(f"a predicted {name}", math.nan, fit.epoch + 1, where.tolist())
    metrics = plan.job.task.score(plan.job.task.table(plan.val_rows, outputs))
    val_loss = (torch.stack(losses).sum() / len(plan.val)).item()
    fit.history.append(
        {
            "epoch": fit.epoch + 1,
            "size": size,
            **{f"lr_{group['name']}": group["lr"] for group in fit.optimizer.param_groups},
            **{f"train_{name}": total / fit.seen for name, total in fit.sums.items()},
            **finite({"val_loss": val_loss} | metrics),
        }
    )
    score = plan.sign * metrics[plan.monitor]
    if settings.stop_after is not None:
        # The validation part only judges: each epoch counts as better than the one before.
        score = float(fit.epoch + 1)
    fit.close_epoch(score, settings.early_stopping.min_delta)


def end_epoch(fit: Fit, plan: Plan) -> None:
    """Tell, and decide what comes next: another epoch, the next stage, or the end."""
    settings, stage = plan.settings, plan.settings.stages[fit.stage]
    plan.progress.epoch(fit)
    done = fit.epoch - fit.first
    patience = settings.early_stopping.patience
    # Head-only epochs are no time to give up: the feature blocks have not been trained yet.
    since = max(fit.best_epoch, settings.head_only_epochs)
    early = patience is not None and fit.epoch - since >= patience
    if plan.on_epoch is not None and plan.on_epoch(fit.history):
        fit.ended = "pruned"
    elif fit.epoch == settings.stop_after:
        fit.ended = "stop_after"
    elif early or done == stage.epochs:
        fit.ended = "no gain" if early else "all epochs"
        if fit.stage + 1 < len(settings.stages):
            fit.next_stage(settings)
    plan.checkpoint.pause(fit, epoch_ended=True)


def write_results(fit: Fit, plan: Plan) -> None:
    """Best weights with what predicting needs to know, and the history."""
    (mean, std), job = plan.normalise, plan.job
    best = {
        "epoch": fit.best_epoch,
        "monitor": plan.monitor,
        "score": fit.history[fit.best_epoch - 1][plan.monitor],
        "size": fit.history[fit.best_epoch - 1]["size"],
        "mean": mean,
        "std": std,
    }
    save_sealed(job.out / "best_model.pt", {"state_dict": fit.best} | best)
    write_json(
        job.out / "train_history.json",
        {
            "run": job.params["run"],
            "fold": job.fold,
            "best": best,
            "ended": fit.ended,
            "warnings": plan.warnings,
            "environment": environment(job.device, plan.settings.precision),
            "epochs": fit.history,
        },
    )
