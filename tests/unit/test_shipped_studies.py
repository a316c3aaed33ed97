"""The study files in config/studies: each is complete, and its search can run."""

from pathlib import Path

import pytest

from flow import ROOT
from foldwise.plan.studies import Studies
from foldwise.settings.schema import check

FILES = sorted(path.stem for path in (ROOT / "config/studies").glob("*.yaml"))


def studies(name):
    config = {"studies": [name], "folder": "config/studies"}
    return Studies(check("config", config, "config"))


@pytest.mark.parametrize("name", FILES)
def test_each_is_complete_and_its_search_can_run(name, monkeypatch):
    monkeypatch.chdir(ROOT)
    found = studies(name)
    found.check_searches()
    assert found.by_name[name]["runs"]


@pytest.mark.parametrize(
    ("name", "trials", "sampler"),
    [
        ("microbeads_grid", 36, "grid"),
        ("microbeads_random", 30, "random"),
        ("cxr_zones_search", 50, "tpe"),
        ("density_efficientnet", 43, "random"),
        ("medpix", 20, "tpe"),
    ],
)
def test_searches_have_the_trials_that_they_are_named_for(name, trials, sampler, monkeypatch):
    monkeypatch.chdir(ROOT)
    search = studies(name).plans[name].search
    assert (search.trials, search.phases[0].sampler) == (trials, sampler)


def test_paths_are_to_be_pointed_at_ones_own_data():
    for name in FILES:
        text = Path(ROOT / "config/studies" / f"{name}.yaml").read_text()
        assert ("root: data/" in text) or ("root: demo/" in text), name
