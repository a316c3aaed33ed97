"""Rule train_fold: one fold's model, resumed where an earlier job was stopped."""

from pathlib import Path

from foldwise.adapter import adapter
from foldwise.files import read_json
from foldwise.train.machine import set_threads
from foldwise.train.stop import Stop

with adapter(snakemake):
    stop = Stop().listen()
    params = read_json(snakemake.input.params)
    set_threads(params["training"]["threads"])
    # After set_threads: these import torch.
    from foldwise.data.cache import Images
    from foldwise.registry import load
    from foldwise.trackers.hook import Telling
    from foldwise.train.loop import train_fold
    from foldwise.train.machine import device
    from foldwise.train.rows import parts

    files, fold = snakemake.input, int(snakemake.wildcards.fold)
    rows = parts(files.cohort, files.fold, fold, files.texts)
    out = Path(snakemake.output.model).parent
    names, tracker = snakemake.wildcards, snakemake.config["tracker"]
    telling = Telling(tracker, out.parent / "tracker", names.study, params, int(names.fold))
    train_fold(
        params=params,
        task=load("TASKS", params["kind"])(params["task"]),
        images=Images.of(rows["train"] + rows["val"], f"results/cache/{snakemake.params.cache}"),
        train_rows=rows["train"],
        val_rows=rows["val"],
        out=out,
        state=out.parent / "state",
        device=device(),
        stop=stop,
        report=telling,
        code=snakemake.params.code,
        taught=next(iter(files.taught), None),
    )
    telling.end(read_json(snakemake.output.history)["best"])
