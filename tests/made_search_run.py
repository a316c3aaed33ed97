"""The files of a finished search, tuned run and nested validation, put beside a made-up run."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

from foldwise.evaluate.compare import compare, over_seeds
from foldwise.evaluate.comparisons import Folds
from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.evaluate.optimism import measured_against_promised
from foldwise.files import read_json, write_json
from foldwise.registry import load
from foldwise.search.analysis.trials import of_search
from foldwise.search.analysis.write import write_analysis
from foldwise.search.results import write_results
from made_runs import Run
from searching import run_search, search_of


def make_search(run: Run, metric: str = "kappa", trials: int = 24) -> Path:
    """Write study_summary.json, comparison.json and nested_summary.json; returns their folder."""
    folder = run.results / "search"
    settings = search_of(trials=trials, sampler="random", pruner={"name": "median", "warmup": 0})
    known = run_search(settings)
    lost = replace(known[-1].result, state="FAIL", values=None, reason="fold 1: memory (size 9)")
    write_results(folder, "density", settings, [*known[:-1], replace(known[-1], result=lost)])
    folds = Folds(run.results / "folds", run.folds).of(run.results / "runs" / "cv")
    params = read_json(run.paths()["params"][0])
    task = load("MEASURES", params["kind"])(params["task"])
    found = {
        seed: compare(folds, folds, task, Bootstrap(42, "patient", 20), metric) for seed in (42, 7)
    }
    write_json(folder / "comparison.json", {"seeds": found, "over_seeds": over_seeds(found)})
    inner = {"best_value": 0.75, "epochs": 3, "best_params": {"training.lr": 0.1}}
    outer = [SimpleNamespace(fold=k, metrics={metric: 0.5}) for k in run.folds]
    nested = {"search": measured_against_promised(outer, [inner] * 3, metric)}
    nested[metric] = {"mean": 0.5, "interval": [0.4, 0.6]}
    write_json(folder / "nested_summary.json", nested)
    write_analysis(folder / "analysis", of_search("density", settings, known, {}, {}))
    return folder
