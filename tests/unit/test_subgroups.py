"""Subgroups: what leaves the table, what is refused, tests as statsmodels adjusts them."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import accuracy_score
from statsmodels.stats.multitest import multipletests

from foldwise.cohort.tables.subgroups import code, write_subgroups
from foldwise.cohort.tables.table import Row, Table
from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.files import read_csv, read_json, write_csv
from foldwise.registry import load
from foldwise.reliability.subgroups import SubgroupRequest, holm, subgroups

GROUPS = [f"g{i // 2}" for i in range(80)]
QUICK = Bootstrap(1, "patient", 200)
TASK = load("MEASURES", "classification")({"classes": ["A", "B"]})
REQUEST = SubgroupRequest("accuracy", ("kappa",), 10)


def test_numbers_travel_as_bands():
    ages = [str(20 + i) for i in range(80)]
    found = code(ages, GROUPS, [], False)
    assert found.levels == ("below 46", "46 to below 73", "73 and above")
    assert [found.values.count(level) for level in found.levels] == [26, 27, 27]
    stated = code(["049Y", "50", "", "71.5"], GROUPS[:4], [65, 50], False)
    assert stated.values == (
        *("below 50", "50 to below 65", "", "65 and above")[:2],
        "",
        stated.levels[-1],
    )
    assert not found.key and not stated.key
    assert code(["49", "70"], GROUPS[:2], ["50"], False).levels == (
        *stated.levels[:1],
        "50 and above",
    )
    assert "none of its values is a number" in code(["x"], GROUPS[:1], [5], False).refused


def test_terms_of_dicom_travel_and_other_values_by_number():
    sides = ["left", "R"] * 40
    assert code(sides, GROUPS, [], False).values[:2] == ("L", "R")
    sites = ["St. Canary", "North"] * 40
    found = code(sites, GROUPS, [], False)
    assert found.values[:2] == ("value 2", "value 1")
    assert found.key == (("value 1", "North"), ("value 2", "St. Canary"))
    named = code(sites, GROUPS, ["North"], False)
    assert named.values[:2] == ("other", "North")


def test_a_column_that_identifies_is_refused_with_the_number_that_would_do():
    many = code([f"Dr {i}" for i in range(80)], GROUPS, [], False)
    assert "80 values among 40 groups" in many.refused and "; 4 would do" in many.refused
    assert not many.values
    # Two values in any case, however few the groups.
    assert not code(["a", "b", "a"], GROUPS[:3], [], False).refused
    assert "names patients" in code(["1", "2"], GROUPS[:2], [], True).refused
    assert "no image" in code(["", ""], GROUPS[:2], [], False).refused


def test_nothing_of_the_table_stands_outside_private(tmp_path):
    cohort = [
        {"sample": f"s{i}", "group": f"g{i // 2}", "view": "CC", "side": "LR"[i % 2]}
        for i in range(40)
    ]
    rows = tuple(Row(i + 2, {"site": ["Canary", "Wren"][i % 2], "who": f"p{i}"}) for i in range(40))
    ids = [{"sample": f"s{i}", "row": str(i + 2)} for i in range(40)]
    write_csv(tmp_path / "private" / "id_map.csv", ["sample", "row"], ids)
    stated = {"site": [], "who": [], "side": [], "none": []}
    write_subgroups(stated, Table("t.csv", ("site", "who"), rows), cohort, tmp_path, ["who"])
    values = read_csv(tmp_path / "subgroups.csv")
    assert list(values[0]) == ["sample", "site", "side"]
    assert [row["site"] for row in values[:2]] == ["value 1", "value 2"]
    assert [row["side"] for row in values[:2]] == ["L", "R"]
    columns = {one["column"]: one for one in read_json(tmp_path / "subgroups.json")["columns"]}
    assert columns["who"]["refused"] and "no such column" in columns["none"]["refused"]
    public = (tmp_path / "subgroups.csv").read_text() + (tmp_path / "subgroups.json").read_text()
    assert "Canary" not in public and "p3" not in public
    private = read_csv(tmp_path / "private" / "subgroup_values.csv")
    assert {row["value"] for row in private} == {"Canary", "Wren"}


def table(n=400, seed=0):
    """Site `a` is called wrong more often, `b` and `c` alike; `d` and `e` have four patients."""
    random, rows, values = np.random.default_rng(seed), [], {}
    for i in range(n):
        site = "de"[i // 8] if i < 16 else "abc"[i // 2 % 3]
        label = "AB"[int(random.random() < 0.5)]
        wrong = random.random() < (0.4 if site == "a" else 0.1)
        p = 0.2 if (label == "A") == wrong else 0.8
        named = {"sample": f"s{i}", "group": f"g{i // 2}", "exam": f"e{i}", "fold": "1"}
        rows.append(named | {"label": label, "p_A": str(p), "p_B": str(1 - p)})
        values[f"s{i}"] = {"site": site, "half": "xy"[i % 2]}
    return rows, values


COLUMNS = [
    {"column": "site", "levels": ["a", "b", "c", "d", "e"], "refused": ""},
    {"column": "half", "levels": ["x", "y"], "refused": ""},
    {"column": "who", "levels": [], "refused": "it names patients"},
]


def test_a_worse_subgroup_is_found_and_a_small_one_not_measured():
    rows, values = table()
    inside = np.arange(len(rows)) % 4 > 0
    found = subgroups(rows, values, COLUMNS, TASK, replace(REQUEST, covered={"": inside}), QUICK)
    a, b, _, d, _ = found["columns"][0]["levels"]
    assert a["difference"]["interval"][1] < 0 and a["holm"] < 0.05
    own = [row for row in rows if values[row["sample"]]["site"] == "b"]
    said = ["A" if float(row["p_A"]) > 0.5 else "B" for row in own]
    expected = accuracy_score([row["label"] for row in own], said)
    assert b["metrics"]["accuracy"]["value"] == pytest.approx(expected)
    ours = [values[row["sample"]]["site"] == "b" for row in rows]
    assert b["coverage"][""]["value"] == pytest.approx(inside[ours].mean())
    assert d == {"level": "d", "few": True}
    # Two values: one test. Both are of the same patients, drawn together.
    x, y = found["columns"][1]["levels"]
    assert x["p"] is not None and y["p"] is None
    assert x["difference"]["value"] == pytest.approx(-y["difference"]["value"])
    assert found["columns"][2]["refused"]


def test_the_number_of_a_rare_value_cannot_be_had_by_subtraction():
    rows, values = table()
    joined = {sample: {"site": one["site"].replace("e", "a")} for sample, one in values.items()}
    column = COLUMNS[0] | {"levels": ["a", "b", "c", "d"]}
    (found,) = subgroups(rows, joined, [column], TASK, REQUEST, QUICK)["columns"]
    few = [level["level"] for level in found["levels"] if level["few"]]
    assert len(few) == 2 and "d" in few
    counts = {name: sum(one["site"] == name for one in joined.values()) for name in "abc"}
    assert counts[few[few[0] == "d"]] == min(counts.values())
    # Of two values the other one alone would tell it.
    two = {sample: {"site": "d" if one["site"] == "d" else "a"} for sample, one in values.items()}
    (found,) = subgroups(rows, two, [column | {"levels": ["a", "d"]}], TASK, REQUEST, QUICK)[
        "columns"
    ]
    assert all(level["few"] for level in found["levels"])


def test_unknown_values_are_suppressed_as_others_are():
    rows, values = table()
    column = COLUMNS[0] | {"levels": ["a", "b", "c"]}

    def with_unknown(names):
        given = {
            sample: {"site": "" if one["site"] in names else one["site"].replace("e", "a")}
            for sample, one in values.items()
        }
        return subgroups(rows, given, [column], TASK, REQUEST, QUICK)["columns"][0]

    # Four patients without a value: neither told, nor had by what the others leave of the whole.
    few = with_unknown("d")
    assert few["unknown"] is None and few["unknown_few"]
    assert sum(level["few"] for level in few["levels"]) == 1
    many = with_unknown("dc")
    assert many["unknown"] == sum(one["site"] in "dc" for one in values.values())
    assert not many["unknown_few"]
    none = with_unknown("")
    assert none["unknown"] == 0 and not none["unknown_few"]
    assert not any(level["few"] for level in none["levels"])


def test_p_values_are_adjusted_as_statsmodels_does():
    p = np.random.default_rng(0).random(9) ** 3
    assert holm(list(p)) == pytest.approx(multipletests(p, method="holm")[1])
    assert holm([]) == []


def test_equal_subgroups_are_rarely_said_to_differ():
    """Of 20 sets without a difference few have one below .05."""
    said = 0
    for seed in range(20):
        rows, values = table(240, seed)
        kept = [row for row in rows if values[row["sample"]]["site"] in "bc"]
        levels = subgroups(kept, values, COLUMNS[:1], TASK, REQUEST, QUICK)["columns"][0]["levels"]
        said += levels[1]["holm"] < 0.05
    assert said <= 4
