"""Rule train_fold: one fold's model, resumed where an earlier job was stopped."""

from pathlib import Path

from foldwise.adapter import adapter
from foldwise.files import read_json
from foldwise.train.machine import set_threads
from foldwise.train.stop import Stop

with adapter(snakemake):
    stop = Stop().listen()
    files, fold = snakemake.input, int(snakemake.wildcards.fold)
    params = read_json(files.params)
    set_threads(params["training"]["threads"])
    # After set_threads: these import torch.
    from foldwise.trackers.hook import Telling
    from foldwise.train.job import given_fold
    from foldwise.train.loop import train_fold
    from foldwise.train.machine import device

    cache = snakemake.params.cache
    given = given_fold(params, files.cohort, files.fold, fold, cache, files.texts)
    out = Path(snakemake.output.model).parent
    names, tracker = snakemake.wildcards, snakemake.config["tracker"]
    telling = Telling(tracker, out.parent / "tracker", names.study, params, fold)
    train_fold(
        params=params,
        task=given.task,
        images=given.images,
        train_rows=given.rows["train"],
        val_rows=given.rows["val"],
        out=out,
        state=out.parent / "state",
        device=device(),
        stop=stop,
        report=telling,
        code=snakemake.params.code,
        taught=next(iter(files.taught), None),
    )
    telling.end(read_json(snakemake.output.history)["best"])
