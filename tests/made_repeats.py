"""A made-up run's repeats: other seeds and smaller training parts, as the rules sum them up."""

from foldwise.evaluate.learning_curve import Size, learning_curve
from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.evaluate.seeds import of_seeds
from foldwise.evaluate.summary import FoldResult, read_fold
from foldwise.files import read_json, write_json
from foldwise.registry import load


def make_repeats(run, resamples=50):
    """seed_variance.json and learning_curve.json, of the run with some answers turned round."""
    paths = run.paths()
    params = read_json(paths["params"][0])
    task = load("MEASURES", "classification")(params["task"])
    each = zip(run.folds, paths["metrics"], paths["predictions"], paths["folds"], strict=True)
    folds = [read_fold(*files) for files in each]
    bootstrap = Bootstrap(1, run.group_by, resamples)
    seeds = {seed: turned(folds, task, 25 + seed) for seed in (1, 2, 3)}
    sizes = [Size(p, turned(folds, task, p // 15 + 2), p, 2.0 * p) for p in (25, 50, 75, 100)]
    base = paths["params"][0].parent
    write_json(base / "seed_variance.json", of_seeds(seeds, task, bootstrap, "kappa"))
    write_json(base / "learning_curve.json", learning_curve(sizes, task, bootstrap, "kappa"))


def turned(folds, task, every):
    """The folds with each `every`-th answer turned round."""
    made = []
    for fold in folds:
        rows = [dict(row) for row in fold.predictions]
        for row in rows[::every]:
            names = [name for name in row if name.startswith("p_")]
            row |= dict(zip(names, [row[name] for name in reversed(names)], strict=True))
        made.append(FoldResult(fold.fold, task.score(rows), rows, fold.n_train, fold.n_val))
    return made
