"""The training loop. One for all kinds of study: what differs is in the task object.

Read it from `train_fold` down: a fold is stages, a stage is epochs, an epoch is steps of the
optimiser, a step is one or more batches.
"""

import math
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from foldwise.files import write_json
from foldwise.hashing import stream_seed
from foldwise.settings.training import read_settings
from foldwise.train.checkpoint import save_stable
from foldwise.train.failure import memory_told, non_finite
from foldwise.train.feed.batches import Batch, epoch_steps
from foldwise.train.feed.draws import one_of
from foldwise.train.fit import Fit
from foldwise.train.machine import environment, make_deterministic
from foldwise.train.optim import make_optimizer, trainable
from foldwise.train.plan import Plan, Report, make_plan
from foldwise.train.precision import forward_in
from foldwise.train.predict import build_model, infer
from foldwise.train.progress import finite
from foldwise.train.rates import set_rates
from foldwise.train.stop import Stop


def train_fold(
    params: dict[str, Any],
    task: Any,
    images: Any,
    train_rows: list[dict],
    val_rows: list[dict],
    out: str | Path,
    state: str | Path,
    device: str | torch.device,
    stop: Stop,
    report: Report | None = None,
    code: str = "",
    taught: str | Path | None = None,
) -> None:
    """Train one fold; write best_model.pt, train_history.json and ray_<run>.jsonl into `out`.

    `params` is the content of params.json. Rows carry "fold". `state` is a folder for what a
    stopped job needs to go on; `code` is the fingerprint that a saved state must share. After each
    epoch `report` gets the history (one dict an epoch) and ends the training by returning True.
    `taught`: file with a teacher's answers on the training part (`foldwise.train.teach`).
    Raises TrainingFailed (non_finite, out_of_memory), and Stopped once saved after a signal.
    """
    device, out, settings = torch.device(device), Path(out), read_settings(params)
    make_deterministic(device)
    largest = max(stage.size for stage in settings.stages)
    with memory_told(settings.batch_size, largest, params["image"]["channels"], device):
        plan = make_plan(
            params,
            settings,
            task,
            images,
            train_rows,
            val_rows,
            device,
            out=out,
            state=Path(state),
            code=code,
            stop=stop,
            report=report,
            taught=taught,
        )
        model = build_model(params, task).to(device, memory_format=torch.channels_last)
        fit = Fit(model, make_optimizer(model, settings))
        plan.checkpoint.restore(fit)
        plan.progress.begin(fit, len(plan.train), len(plan.val))
        if fit.ended == "pruned":
            plan.report(fit.history)  # A job that was killed at its end: the reason is asked anew.
        while not fit.ended:
            train_epoch(fit, plan)
            score_epoch(fit, plan)
            end_epoch(fit, plan)
    # Stays until a later job has read the results (`forget`): a kill between the last of them and
    # the job's end makes Snakemake remove all of them.
    plan.checkpoint.save(fit)
    write_results(fit, plan, params, out)


def train_epoch(fit: Fit, plan: Plan) -> None:
    """All steps of one epoch that are not done yet."""
    settings, epoch = plan.settings, fit.epoch + 1
    head_only = epoch <= settings.head_only_epochs
    fit.model.trainable(0 if head_only else settings.trainable_blocks)
    fit.model.train()
    set_rates(fit, settings)
    plan.criterion.begin_epoch(fit.epoch)
    for batches in epoch_steps(settings, epoch, plan.train.keys, plan.sampling)[fit.step :]:
        train_step(fit, plan, batches, epoch)
        fit.step += 1
        plan.checkpoint.pause(fit)


def train_step(fit: Fit, plan: Plan, batches: list[Batch], epoch: int) -> None:
    """One step of the optimiser, on the mean gradient of all images of the batches."""
    settings, count = plan.settings, sum(len(rows) for rows, _ in batches)
    fit.optimizer.zero_grad(set_to_none=True)
    for number, (rows, repeats) in enumerate(batches):
        # Seeded for each batch, so that a resumed run needs no random state.
        torch.manual_seed(stream_seed(settings.seed, "dropout", epoch, fit.step, number))
        size = one_of(settings.stages[fit.stage].sizes, settings.seed, epoch, fit.step, number)
        batch = plan.train.batch(rows, size, epoch, repeats)
        with forward_in(settings.precision, plan.device):
            terms = plan.task.loss(fit.model, plan.criterion, batch)
        value = fit.add(terms, len(rows))
        if not math.isfinite(value):
            raise non_finite("the loss", value, epoch, rows.tolist(), fit.step + 1)
        (terms["loss"] * (len(rows) / count)).backward()
    if settings.clip_norm is not None:
        norm = torch.nn.utils.clip_grad_norm_(trainable(fit.model), settings.clip_norm).item()
        if not math.isfinite(norm):
            raise non_finite("the gradient's norm", norm, epoch, rows.tolist(), fit.step + 1)
    fit.optimizer.step()


def score_epoch(fit: Fit, plan: Plan) -> None:
    """Predict the validation part, note the metrics, keep the weights if they are the best."""
    settings = plan.settings
    outputs = infer(
        plan.task,
        fit.model,
        plan.val,
        size=settings.stages[fit.stage].size,
        batch_size=settings.batch_size,
        precision=settings.precision,
        each=partial(plan.checkpoint.pause, fit),
    )
    for name, values in outputs.items():
        if not np.isfinite(values).all():
            where = np.flatnonzero(~np.isfinite(values.reshape(len(values), -1)).all(axis=1))
            raise non_finite(f"a predicted {name}", math.nan, fit.epoch + 1, where.tolist())
    metrics = plan.task.score(plan.task.table(plan.val_rows, outputs))
    fit.history.append(
        {
            "epoch": fit.epoch + 1,
            "size": settings.stages[fit.stage].size,
            **{f"lr_{group['name']}": group["lr"] for group in fit.optimizer.param_groups},
            **{f"train_{name}": total / fit.seen for name, total in fit.sums.items()},
            **finite(metrics),
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
    if plan.report is not None and plan.report(fit.history):
        fit.ended = "pruned"
    elif fit.epoch == settings.stop_after:
        fit.ended = "stop_after"
    elif early or done == stage.epochs:
        fit.ended = "no gain" if early else "all epochs"
        if fit.stage + 1 < len(settings.stages):
            fit.next_stage(settings)
    plan.checkpoint.pause(fit, epoch_ended=True)


def write_results(fit: Fit, plan: Plan, params: dict[str, Any], out: Path) -> None:
    """Best weights with what predicting needs to know, and the history."""
    mean, std = plan.normalise
    best = {
        "epoch": fit.best_epoch,
        "monitor": plan.monitor,
        "score": fit.history[fit.best_epoch - 1][plan.monitor],
        "size": fit.history[fit.best_epoch - 1]["size"],
        "mean": mean,
        "std": std,
    }
    save_stable(out / "best_model.pt", {"state_dict": fit.best} | best)
    write_json(
        out / "train_history.json",
        {
            "run": params["run"],
            "fold": plan.progress.fold,
            "best": best,
            "ended": fit.ended,
            "environment": environment(plan.device, plan.settings.precision),
            "epochs": fit.history,
        },
    )
