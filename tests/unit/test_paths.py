"""Paths of the archive stay out of params and come back from the study's file."""

import pytest

from flow import write_study
from foldwise.errors import FoldwiseError
from foldwise.settings.paths import with_paths, without_paths
from foldwise.settings.study import load_study
from studies import settings


@pytest.fixture
def study(tmp_path):
    data = {"root": "/secret/archive", "exclusions": "/secret/list.csv"}
    data |= {"table": {"path": "/secret/labels.csv"}, "splits": {"test": "/secret/test.csv"}}
    write_study(tmp_path, "mine", settings(data=data))
    return load_study("mine", tmp_path / "config/studies")


def test_paths_go_and_come_back(study, tmp_path):
    told = without_paths(study)
    assert "secret" not in str(told)
    assert with_paths(told, "mine", {"folder": tmp_path / "config/studies", "set": ""}) == study
    assert (
        with_paths(told, "mine.outer_1", {"folder": tmp_path / "config/studies", "set": ""})
        == study
    )
    assert without_paths({"folds": 1}) == {"folds": 1}


def test_another_path_is_another_digest_and_is_told(study, tmp_path):
    told = without_paths(study)
    assert without_paths(study | {"data": study["data"] | {"root": "x"}}) != told
    write_study(tmp_path, "mine", settings(data={"root": "elsewhere"}))
    with pytest.raises(FoldwiseError, match="was edited after this run had begun"):
        with_paths(told, "mine", {"folder": tmp_path / "config/studies", "set": ""})
