"""Which weights of a training to keep: last, best on the judging part, or an average of the last.

    python tests/bench/averages.py STUDY --seeds 1 2

Each fold of a study whose cohort, folds and cache stand in `results` is trained once a seed, as
its job would, to the last epoch. All ways are read off the same training: averages change nothing
of it. Mean over folds of the metric that the study monitors, and pooled, a line a way and seed.
"""

import argparse
import math
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow" / "scripts"))

from foldwise.train.machine import set_threads

set_threads(1)

import torch  # noqa: E402
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn  # noqa: E402

from foldwise.files import read_json  # noqa: E402
from foldwise.plan.state import cache_key  # noqa: E402
from foldwise.settings.study import load_study  # noqa: E402
from foldwise.train import loop  # noqa: E402
from foldwise.train.feed.batches import epoch_steps  # noqa: E402
from foldwise.train.job import FoldFiles, fold_job  # noqa: E402
from foldwise.train.predict import Cut, infer  # noqa: E402

# Shares of the training that are averaged, epoch by epoch; spans of the step-wise mean likewise.
TAILS, SPANS = (0.25, 0.5), (0.05, 0.1)
STEP, SCORE = loop.train_step, loop.score_epoch


class Ways:
    """Averages that grow beside one training, and what each of them scores at its end."""

    def __init__(self, epochs: int) -> None:
        self.epochs, self.kept, self.found = epochs, {}, {}

    def step(self, fit, plan, *given) -> None:
        STEP(fit, plan, *given)
        steps = len(epoch_steps(plan.settings, 1, plan.train.keys, plan.sampling)) * self.epochs
        for span in SPANS:
            name = f"moving, {span:.0%}"
            if name not in self.kept:
                decay = get_ema_multi_avg_fn(1 - 1 / max(2, span * steps))
                self.kept[name] = AveragedModel(fit.model, multi_avg_fn=decay, use_buffers=True)
            self.kept[name].update_parameters(fit.model)

    def score(self, fit, plan) -> None:
        SCORE(fit, plan)
        for tail in TAILS:
            name = f"mean of the last {tail:.0%}"
            if fit.epoch > self.epochs - math.ceil(tail * self.epochs):
                if name not in self.kept:
                    self.kept[name] = AveragedModel(fit.model, use_buffers=True)
                self.kept[name].update_parameters(fit.model)
        if fit.epoch == self.epochs:
            self.end(fit, plan)

    def end(self, fit, plan) -> None:
        values = [epoch[plan.monitor] for epoch in fit.history]
        self.found["last"] = answers(fit.model, plan)
        chosen = max if plan.sign > 0 else min
        self.found["best on the judging part"] = chosen(v for v in values if v is not None)
        for name, average in self.kept.items():
            self.found[name] = answers(average.module, plan)
            if "last" in name:
                renormalised(average.module, plan)
                self.found[f"{name}, batch norm anew"] = answers(average.module, plan)


def answers(model, plan) -> tuple[float, list]:
    """Monitored metric of a model on the validation part, and its rows."""
    settings = plan.settings
    cut = Cut(settings.stages[-1].size, settings.batch_size, settings.precision)
    rows = plan.job.task.table(plan.val_rows, infer(plan.job.task.predict, model, plan.val, cut))
    return plan.job.task.score(rows)[plan.monitor], rows


def renormalised(model, plan) -> None:
    """Running statistics anew, over one epoch of the training part as it was trained on."""
    norms = [m for m in model.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    model.train()
    for batches in epoch_steps(plan.settings, plan.settings.epochs, plan.train.keys, plan.sampling):
        for rows, repeats in batches:
            batch = plan.train.batch(rows, plan.settings.stages[-1].size, 1, repeats)
            with torch.no_grad():
                plan.job.task.loss(model, plan.criterion, batch)
    model.eval()


def trained(params: dict, files: FoldFiles, fold: int) -> dict:
    """What each way scores on one fold."""
    with tempfile.TemporaryDirectory() as folder:
        job = fold_job(params, files, fold, Path(folder) / "results")
        ways = Ways(job.params["training"]["stop_after"])
        loop.train_step, loop.score_epoch = ways.step, ways.score
        loop.train_fold(job)
    return {"task": job.task} | ways.found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("study")
    parser.add_argument("--run", default="cv")
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3])
    asked = parser.parse_args()
    base = Path("results", asked.study)
    params = read_json(base / "runs" / asked.run / "params.json")
    cache = cache_key(load_study(asked.study))
    folds = sorted((base / "folds").glob("fold_*.csv"))
    for seed in asked.seeds:
        by_fold = [
            trained(params | {"seed": seed}, FoldFiles(base / "cohort.csv", path, cache), number)
            for number, path in enumerate(folds, 1)
        ]
        print_means(seed, by_fold)


def print_means(seed: int, by_fold: list[dict]) -> None:
    for name in by_fold[0].keys() - {"task"}:
        of_folds = [one[name] for one in by_fold]
        if not isinstance(of_folds[0], tuple):
            print(f"seed {seed}  {name:44} {statistics.fmean(of_folds):.4f}", flush=True)
            continue
        task, rows = by_fold[0]["task"], [row for _, rows in of_folds for row in rows]
        pooled = task.score(rows)[task.monitor(None)[0]]
        mean = statistics.fmean(value for value, _ in of_folds)
        print(f"seed {seed}  {name:44} {mean:.4f}  pooled {pooled:.4f}", flush=True)


if __name__ == "__main__":
    main()
