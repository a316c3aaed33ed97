"""Rule train_trial: one fold of a trial, trained like any run's, pruned by earlier trials."""

from pathlib import Path

from foldwise.adapter import adapter
from foldwise.files import read_json
from foldwise.search.plan import search_from_params
from foldwise.search.trials import read_observations, read_outcome, write_trial_file
from foldwise.train.machine import set_threads
from foldwise.train.process.stop import Stop

with adapter(snakemake):
    stop = Stop().listen()
    params = read_json(snakemake.input.params)
    set_threads(params["training"]["threads"])
    # After set_threads: these import torch.
    from foldwise.search.fold import TrialView, run_fold
    from foldwise.trackers.hook import FoldTracker
    from foldwise.train.job import FoldFiles, fold_job, own_answers
    from foldwise.train.machine import device

    files, names = snakemake.input, snakemake.wildcards
    number, fold = int(names.number), int(names.fold)
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
    search = search_from_params(snakemake.params.search)
    runs = Path("results", names.study, "runs")
    earlier = read_observations(runs, number, search) if search.prunes else []
    trial = TrialView(search, number, earlier, [read_outcome(path) for path in files.before])
    name = snakemake.config["tracker"]
    tracker = FoldTracker(name, out.parent / "tracker", names.study, params, fold)
    outcome = run_fold(job, trial, tracker)
    tracker.end(outcome.metrics)
    write_trial_file(snakemake.output.outcome, outcome)
