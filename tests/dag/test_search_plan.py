"""The plan of a search: what the report asks for, and what is refused before anything starts."""

import pytest

from flow import plan, rules_of, snakemake, write_study
from studies import settings

SPACE = {"training.lr": {"type": "float", "low": 1e-4, "high": 1e-2, "log": True}}


def study(folder, report=(), **search):
    branch = {"trials": 3, "window": 2, "inner_folds": 2, "space": SPACE} | search
    write_study(folder, "mine", settings(search=branch, report={"search": list(report)}))
    return folder


def test_the_report_asks_for_what_it_tells_of_the_search(tmp_path):
    assert not {"suggest_trial", "compare_runs"} & rules_of(plan(study(tmp_path)))
    jobs = rules_of(plan(study(tmp_path, ["search", "tuned", "nested"])))
    assert {"collect_search", "compare_runs", "nested_summary", "report_pack"} <= jobs


@pytest.mark.parametrize(
    ("search", "message"),
    [
        ({"window": 0}, "search.window: 0"),
        ({"sampler": "grid"}, "a grid needs listed values, but training.lr is continuous"),
        ({"objective": "sensitivity"}, "unknown objective 'sensitivity'"),
        ({"objective": ["kappa", "auc"], "pruner": "median"}, "pruning compares one value"),
    ],
)
def test_what_cannot_work_is_one_message_before_anything_starts(tmp_path, search, message):
    done = snakemake(study(tmp_path, **search), "--dry-run", "search", check=False)
    said = done.stdout + done.stderr
    assert done.returncode and message in said and "Traceback" not in said
