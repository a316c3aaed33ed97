"""Which rules each key of a study may make anew: stated here, and told in docs/reruns.md."""

import pytest

from tools.reruns import ROOT, SHOWING, concerned, functions, in_page

DATA = {"cohort", "audit", "subgroup_values"}
SEARCH = {
    *("suggest_trial", "train_trial", "trial_result", "collect_search", "best_params"),
    *("search_analysis", "loss_gradients"),
}
OF_RUNS = {"run_params", "tuned_params", "nested_params", *SEARCH}
# What reads the cache of images reads it by another name.
OF_IMAGES = {
    *("cohort", "cache_shard", "embeddings", "train_fold", "predict_fold", "predict_holdout"),
    *("baseline", "gradcam_fold", "cases", "examples", "run_cost", "teach_fold", "teach_crossed"),
    *("make_bundle", "predict_site", "baseline_holdout"),
}
MEASURING = {
    *("cv_summary", "evaluate_fold", "evaluate_holdout", "compare_reported", "compare_runs"),
    *("nested_summary", "calibrate", "conformal", "evaluate_site", "subgroups"),
}
ACROSS = {"compare_studies", "fit_learning_curve", "seed_variance"}
COLLECTING = {"collect_search", "search_analysis", "loss_gradients"}
OF_FOLDS = {"cohort", "folds", "cases", "predict_holdout", "make_bundle"}
# Key, or branch -> rules that it may make anew at first hand; the longest match counts.
MAY = {
    "kind": None,  # another kind of study is another study
    "seed": {"cohort", "folds", "compare_runs", "seed_variance", *OF_RUNS},
    "data": DATA,
    "data.reader": DATA | OF_IMAGES | {"train_trial", "loss_gradients"},
    "data.subset": DATA,
    "data.group": {"folds", *DATA, *MEASURING, *ACROSS},
    "data.columns.second": {"compare_reported", *DATA},
    "data.columns.texts": None,
    "data.classes.order": None,  # the answers of the network
    "image": OF_IMAGES | OF_RUNS,
    "folds": {"cohort", "folds"},
    "folds.n": OF_FOLDS | MEASURING | ACROSS | SEARCH,
    "folds.preset": OF_FOLDS | MEASURING | ACROSS | SEARCH,
    "folds.holdout": None,
    "model": OF_RUNS | {"embeddings"},
    "model.name": None,
    "model.embeddings": OF_RUNS | {"embeddings", "train_fold", "predict_fold", "predict_holdout"},
    "loss": OF_RUNS,
    "training": OF_RUNS,
    "augment": OF_RUNS,
    "search": SEARCH,
    "search.trials": {"best_params", *COLLECTING},
    "search.max_failed": COLLECTING,
    "search.objective": {"compare_runs", "nested_summary", *SEARCH},
    "search.seeds": {"compare_runs", *COLLECTING},
    "search.inner_folds": COLLECTING,
    "search.keep": set(),
    "report": set(),
    "report.run": {"cases", "compare_reported", "figure", *ACROSS},
    "report.compare": {"compare_reported"},
    "report.baselines": {"compare_reported", "compare_studies"},
    "report.calibration": {"calibrate"},
    "report.error": {"conformal", "subgroups"},
    "report.subgroup_least": {"subgroups", "evaluate_site"},
    "report.gradcam_per_class": {"gradcam_fold", "cases"},
    "report.thumbnails": {"cases"},
    "report.search": set(),
    "article": set(),
    "bundle": {"make_bundle"},
    "validate": {"predict_site", "evaluate_site", *DATA},
    "validate.pixel_key": {"predict_site"},
    "sites": {"predict_site", "evaluate_site"},
    "seeds": {"seed_variance"},
    "learning_curve": {"fit_learning_curve"},
}


@pytest.fixture(scope="module")
def rules_of_keys():
    return concerned()


def allowed(key):
    return MAY[max((name for name in MAY if f"{key}.".startswith(f"{name}.")), key=len)]


def test_no_key_makes_more_anew_than_it_may(rules_of_keys):
    more = {
        key: sorted(set(rules) - allowed(key) - SHOWING)
        for key, rules in rules_of_keys.items()
        if allowed(key) is not None and set(rules) - allowed(key) - SHOWING
    }
    assert more == {}


def test_the_keys_that_decide_training_reach_it(rules_of_keys):
    for key in ("training.lr", "training.epochs", "augment.rotate_deg", "model.weights", "seed"):
        assert {"run_params", "train_trial"} <= set(rules_of_keys[key]), key
    assert "cache_shard" in rules_of_keys["image.size"] and "folds" in rules_of_keys["folds.n"]
    assert set(rules_of_keys["report.title"]) == SHOWING
    assert len(rules_of_keys) > 120 and len(functions()) > 30


def test_the_page_of_reruns_is_in_step(rules_of_keys):
    page = (ROOT / "docs" / "reruns.md").read_text(encoding="utf-8")
    assert page == in_page(page, rules_of_keys), "run `make docs` and commit docs/reruns.md"
