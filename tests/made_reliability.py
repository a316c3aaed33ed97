"""What the rules on reliability write of a made-up run of classes."""

from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.files import read_csv, read_json, write_json
from foldwise.registry import load
from foldwise.reliability.calibration import mend
from foldwise.reliability.conformal import conformal
from foldwise.reliability.subgroups import SubgroupRequest, subgroups
from foldwise.reliability.suspects import find_suspects

QUICK = Bootstrap(42, "patient", 20)


def write_reliability(paths):
    """Their files beside the summary. `paths`: as figures take them."""
    base = paths["summary"][0].parent
    rows = [row for path in paths["predictions"] for row in read_csv(path)]
    task = read_json(paths["params"][0])["task"]
    write_json(base / "calibration.json", mend(rows, task, "temperature", QUICK)[0])
    write_json(base / "conformal.json", conformal(rows, task, 0.1, QUICK))
    write_json(base / "suspects.json", find_suspects(rows, task)[0])


def write_subgroups(paths):
    """subgroups.json beside the summary: two sides that all have, and a column that was refused."""
    rows = [row for path in paths["predictions"] for row in read_csv(path)]
    params = read_json(paths["params"][0])
    task = load("MEASURES", params["kind"])(params["task"])
    values = {row["sample"]: {"side": "LR"[k % 2]} for k, row in enumerate(rows)}
    columns = [
        {"column": "side", "levels": ["L", "R"], "refused": ""},
        {"column": "doctor", "levels": [], "refused": "it names patients"},
    ]
    request = SubgroupRequest("kappa", ("accuracy",), 10)
    found = subgroups(rows, values, columns, task, request, QUICK)
    write_json(paths["summary"][0].parent / "subgroups.json", found)
