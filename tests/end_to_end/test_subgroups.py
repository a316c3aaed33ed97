"""Columns of subgroups by the real rules: judged, and borne by the cases of the page."""

from flow import run
from foldwise.files import read_json
from studies import DENSITY, density_study


def test_cases_bear_the_subgroups_that_the_study_names(tmp_path):
    columns = DENSITY["data"]["columns"] | {"subgroups": {"view": []}}
    report = {"subgroup_least": 2, "thumbnails": "none"}
    folder = density_study(tmp_path, patients=12, data={"columns": columns}, report=report)
    executed = run(folder, "results/mine/runs/cv/cases.json")
    assert {"subgroups cv", "cases cv", "subgroup_values"} <= executed
    found = read_json(folder / "results/mine/runs/cv/cases.json")
    # Sides are told as before: they are the cohort's own.
    assert found["subgroups"] == ["side", "view"]
    at = found["subgroups"].index("view")
    assert found["levels"][at] == ["CC", "MLO"]
    assert {case["subgroups"][at] for case in found["cases"]} == {"CC", "MLO"}
