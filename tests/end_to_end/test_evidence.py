"""Other seeds and smaller training parts of the reported run, by the real rules."""

import json

import pytest

from flow import plan, rules_of, run, snakemake, write_study
from studies import density_study, settings

ASKED = {"seeds": [1], "learning_curve": [25, 50, 75]}


@pytest.mark.slow
def test_seeds_and_learning_curve_are_made_for_the_page(tmp_path):
    folder = density_study(tmp_path, patients=16, **ASKED)
    executed = run(folder, "seeds", "learning_curve")
    assert {"seed_variance", "fit_learning_curve"} <= {one.split()[0] for one in executed}
    assert {"train_fold 1,cv_seed1", "train_fold 2,cv_part50"} <= executed
    runs = folder / "results" / "mine" / "runs"
    seeds = json.loads((runs / "cv" / "seed_variance.json").read_text())
    assert seeds["seeds"] == [7, 1]
    curve = json.loads((runs / "cv" / "learning_curve.json").read_text())
    groups = [size["groups"] for size in curve["sizes"]]
    assert groups == sorted(groups) and groups[0] < groups[-1]
    history = json.loads((runs / "cv_part25/fold_1/results/train_history.json").read_text())
    assert history["run"] == "cv_part25"
    # A study that asks for less trains nothing anew, and one that asks for nothing is told how.
    write_study(folder, "mine", settings(seeds=[1]))
    assert not {"train_fold", "cache_shard"} & rules_of(plan(folder, "seeds"))
    write_study(folder, "mine", settings())
    said = snakemake(folder, "seeds", "-n", check=False)
    assert said.returncode and "Add `seeds: [1, 2, 3]`" in said.stdout + said.stderr
