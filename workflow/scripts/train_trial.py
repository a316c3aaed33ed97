"""Rule train_trial: one fold of a trial, trained like any run's, pruned by earlier trials."""

from pathlib import Path

from foldwise.adapter import adapter
from foldwise.files import read_json
from foldwise.search.plan import told_search
from foldwise.search.trials import read_known, read_outcome, write_trial_file
from foldwise.train.machine import set_threads
from foldwise.train.stop import Stop

with adapter(snakemake):
    stop = Stop().listen()
    params = read_json(snakemake.input.params)
    set_threads(params["training"]["threads"])
    # After set_threads: these import torch.
    from foldwise.pixels.cache import Images
    from foldwise.registry import load
    from foldwise.search.fold import run_fold, with_costs
    from foldwise.trackers.hook import Telling
    from foldwise.train.feed.rows import parts
    from foldwise.train.machine import device

    names = snakemake.wildcards
    number, fold = int(names.number), int(names.fold)
    search = told_search(snakemake.params.told)
    runs = Path("results", names.study, "runs")
    rows = parts(snakemake.input.cohort, snakemake.input.fold, fold, snakemake.input.texts)
    task = load("TASKS", params["kind"])(params["task"])
    images = Images.of(rows["train"] + rows["val"], f"results/cache/{snakemake.params.cache}")
    out = Path(snakemake.output.model).parent
    tracker = snakemake.config["tracker"]
    telling = Telling(tracker, out.parent / "tracker", names.study, params, fold)
    outcome = run_fold(
        search=search,
        number=number,
        fold=fold,
        known=read_known(runs, number, search) if search.prunes else [],
        done=[read_outcome(path) for path in snakemake.input.before],
        params=params,
        train_rows=rows["train"],
        out=out,
        tell=telling,
        task=task,
        images=images,
        val_rows=rows["val"],
        state=out.parent / "state",
        device=device(),
        stop=stop,
        code=snakemake.params.code,
        taught=next(iter(snakemake.input.taught), None),
    )
    outcome = with_costs(outcome, search, params, task, images, rows["val"], out, device())
    telling.end(outcome.metrics)
    write_trial_file(snakemake.output.outcome, outcome)
