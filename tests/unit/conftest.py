"""Fixtures of several test files."""

import shutil

import pytest

from cohorts import Study
from made import density_archive


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A made-up archive of twelve patients, not to be changed."""
    return density_archive(tmp_path_factory.mktemp("made"), patients=12, size=32)


@pytest.fixture
def study(made, tmp_path):
    """A study on a copy of the archive, so that a test may change it."""
    shutil.copytree(made, tmp_path / "made")
    return Study(tmp_path / "results", tmp_path / "made/archive", tmp_path / "made/labels.csv")


@pytest.fixture(scope="session")
def bundled(tmp_path_factory):
    """A bundle of two folds, its pictures and what the workflow says of them, not to be changed."""
    from made_bundles import make  # torch, which few of the files here need

    return make(tmp_path_factory.mktemp("bundle"))


@pytest.fixture
def without_documents(monkeypatch):
    """Leave the documents of an article out, which take seconds."""
    monkeypatch.setattr("foldwise.article.build.write_formats", lambda *arguments: None)
