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
