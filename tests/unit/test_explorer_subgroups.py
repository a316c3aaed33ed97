"""Subgroups of the page's cases: no filter, and none of several at once, shows few patients."""

import itertools

import numpy as np
import pytest

from foldwise.files import read_json, write_csv
from foldwise.report import cases
from foldwise.report.explorer.subgroups import HIDDEN, shown_values

LEAST = 4


def judged(few=(), **levels):
    columns = [
        {"column": name, "levels": [{"level": one, "few": one in few} for one in its]}
        for name, its in levels.items()
    ]
    return {"least": LEAST, "columns": columns}


def table(*values):
    """A group of two images for each (values of its columns a, b, ...)."""
    rows, named = [], []
    for number, own in enumerate(values):
        for image in "xy":
            rows.append({"sample": f"s{number}{image}", "group": f"g{number}"})
            columns = dict(zip("abc", own, strict=False))
            named.append({"sample": f"s{number}{image}"} | columns)
    return rows, named


def anyhow(rows):
    """How each picture was taken: nothing that the page shows."""
    return {row["sample"]: () for row in rows}


def groups_by_filter(rows, named, levels):
    """Number of groups that each choice of filters leaves, one of each column or none."""
    found = []
    for chosen in itertools.product(*([None, *its] for its in levels.values())):
        left = {
            row["group"]
            for row in rows
            if all(
                want in (None, named[row["sample"]][name])
                for name, want in zip(levels, chosen, strict=True)
            )
        }
        found.append(len(left))
    return found


@pytest.mark.parametrize("seed", range(8))
def test_every_choice_of_filters_leaves_none_or_as_many_groups_as_stated(seed):
    random = np.random.default_rng(seed)
    sites = [f"site {k}" for k in range(6)]
    shares = np.array([16, 8, 4, 2, 1, 1]) / 32
    values = [
        (
            random.choice(sites, p=shares),
            random.choice(["M", "F", ""]),
            random.choice(["old", "young"]),
        )
        for _ in range(90)
    ]
    rows, named = table(*values)
    asked = judged(a=sites, b=["F", "M"], c=["young", "old"])
    levels, shown = shown_values(rows, named, asked, anyhow(rows))
    assert all(count == 0 or count >= LEAST for count in groups_by_filter(rows, shown, levels))
    # What is shown is the truth, and most of it is shown.
    of_sample = {row["sample"]: row for row in named}
    told = [(of_sample[one][name], its) for one, own in shown.items() for name, its in own.items()]
    assert all(its in (truth, HIDDEN) for truth, its in told)
    assert np.mean([its != HIDDEN for _, its in told]) > 0.5


def test_a_filter_of_the_view_beside_them_leaves_no_handful_either():
    """Of 24 patients 12 have a value in all, and 2 of these in the second view."""
    rows, named = table(*[("x",)] * 12, *[("y",)] * 12)
    taken = {row["sample"]: ("CC",) for row in rows}
    seconds = [row for row in rows if row["sample"].endswith("y")]
    taken |= {row["sample"]: ("MLO",) for row in [*seconds[:2], *seconds[12:]]}
    levels, shown = shown_values(rows, named, judged(a=["x", "y"]), taken)
    assert levels == {"a": ["x", "y", HIDDEN]}
    both = {one: {"a": own["a"], "view": taken[one][0]} for one, own in shown.items()}
    counts = groups_by_filter(rows, both, levels | {"view": ["CC", "MLO"]})
    assert all(count == 0 or count >= LEAST for count in counts)
    # In the view that is rare among them both values are hidden, in the other one neither is.
    assert {own["a"] for own in both.values() if own["view"] == "MLO"} == {HIDDEN}
    assert {own["a"] for own in both.values() if own["view"] == "CC"} == {"x", "y"}


def test_what_the_section_on_subgroups_does_not_tell_is_hidden_however_many_it_has():
    rows, named = table(*[("x",)] * 9, *[("y",)] * 8, *[("z",)] * 7)
    levels, shown = shown_values(
        rows, named, judged(few={"y", "z"}, a=["z", "y", "x"]), anyhow(rows)
    )
    assert levels == {"a": ["x", HIDDEN]}
    assert [shown[f"s{n}x"]["a"] for n in (0, 10, 20)] == ["x", HIDDEN, HIDDEN]


def test_one_rare_value_hides_among_the_next_rare_one():
    rows, named = table(*[("x",)] * 9, *[("y",)] * 8, ("z",))
    levels, shown = shown_values(rows, named, judged(a=["x", "y", "z"]), anyhow(rows))
    assert levels == {"a": ["x", HIDDEN]}
    assert shown["s10x"]["a"] == shown["s17x"]["a"] == HIDDEN


def test_columns_that_hide_all_or_are_refused_are_none():
    rows, named = table(*[("x", "p")] * 9, *[("y", "q")] * 2)
    levels, shown = shown_values(rows, named, judged(a=["x", "y"], b=["p"], c=[]), anyhow(rows))
    assert levels == {}
    assert shown["s0x"] == {}


def test_a_case_bears_its_subgroups_in_the_order_of_their_values(tmp_path):
    cohort = [
        {"sample": f"s{n}", "group": f"g{n}", "view": "CC", "side": "LR"[n % 2], "stratum": ""}
        for n in range(24)
    ]
    rows = [one | {"fold": 1, "label": "A", "predicted": "A"} for one in cohort]
    write_csv(tmp_path / "p.csv", list(rows[0]), rows)
    ages = ["below 9", "9 to below 50", "50 and above"]
    values = [
        {"sample": one["sample"], "age": "" if n < 2 else ages[n % 3], "side": one["side"]}
        for n, one in enumerate(cohort)
    ]
    asked = judged(age=ages, side=["L", "R"])
    params = {"task": {"classes": ["A", "B"]}, "image": {"channels": 1}}
    extras = cases.Extras(values=values, judged=asked)
    cases.write_cases(params, [tmp_path / "p.csv"], cohort, None, tmp_path / "cases.json", extras)
    found = read_json(tmp_path / "cases.json")
    # The study names `side`: it stands once, by the rule of subgroups.
    assert found["subgroups"] == ["age", "side"]
    by_sample = {case["sample"]: case["subgroups"][0] for case in found["cases"]}
    assert found["levels"][0][-1] == HIDDEN
    assert [one for one in ages if one in found["levels"][0]] == found["levels"][0][:-1]
    # Two without an age hide among the patients of one band.
    assert by_sample["s0"] == HIDDEN and list(by_sample.values()).count(HIDDEN) >= LEAST
