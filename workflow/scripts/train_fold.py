"""Rule train_fold: one fold's model, resumed where an earlier job was stopped."""

from pathlib import Path

from foldwise.adapter import adapter
from foldwise.files import read_json
from foldwise.train.machine import set_threads
from foldwise.train.process.stop import Stop

with adapter(snakemake):
    stop = Stop().listen()
    files, fold = snakemake.input, int(snakemake.wildcards.fold)
    params = read_json(files.params)
    set_threads(params["training"]["threads"])
    # After set_threads: these import torch.
    from foldwise.trackers.hook import FoldTracker
    from foldwise.train.job import FoldFiles, fold_job, own_answers
    from foldwise.train.loop import train_fold
    from foldwise.train.machine import device

    out = Path(snakemake.output.model).parent
    job = fold_job(
        params,
        FoldFiles(files.cohort, files.fold, snakemake.params.cache, files.texts),
        fold,
        out,
        device=device(),
        stop=stop,
        code=snakemake.params.code,
        teacher_answers=own_answers(params, files.taught),
    )
    study, name = snakemake.wildcards.study, snakemake.config["tracker"]
    tracker = FoldTracker(name, out.parent / "tracker", study, params, fold)
    train_fold(job, tracker)
    tracker.end(read_json(snakemake.output.history)["best"])
