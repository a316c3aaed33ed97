"""The code fingerprint: what changes it, what does not."""

import pytest

from foldwise.errors import FoldwiseError
from foldwise.plan import fingerprint


@pytest.fixture
def scripts(tmp_path, monkeypatch):
    package = tmp_path / "foldwise"
    (package / "tasks").mkdir(parents=True)
    for folder in (package, package / "tasks"):
        (folder / "__init__.py").write_text("")
    (tmp_path / "fit.py").write_text(
        "from foldwise.loop import run\nfrom foldwise.registry import load\n"
        "run(load('TASKS', 'zones'))\n"
    )
    (package / "loop.py").write_text('"""Loop."""\ndef run(task):\n    """Run."""\n    return 1\n')
    (package / "figures.py").write_text("x = 1\n")
    (package / "tasks" / "zones.py").write_text("x = 1\n")
    (package / "tasks" / "classification.py").write_text("x = 1\n")
    monkeypatch.setattr(fingerprint, "SCRIPTS", tmp_path)
    return tmp_path


def code(*names):
    fingerprint.code_of.cache_clear()
    fingerprint.parse.cache_clear()
    return fingerprint.code_of("fit", frozenset(names))


def edit(path, old, new):
    path.write_text(path.read_text().replace(old, new))


def test_comments_docstrings_and_layout_do_not_count(scripts):
    before = code("zones")
    edit(scripts / "foldwise/loop.py", "Loop.", "Another text.")
    edit(scripts / "foldwise/loop.py", "return 1", "return 1  # why")
    edit(scripts / "foldwise/loop.py", "def run", "\n\n\ndef run")
    assert code("zones") == before


@pytest.mark.parametrize("name", ["fit.py", "foldwise/loop.py", "foldwise/tasks/zones.py"])
def test_code_that_is_reached_counts(scripts, name):
    before = code("zones")
    edit(scripts / name, "1", "2") if name != "fit.py" else edit(scripts / name, "run(", "run((0),")
    assert code("zones") != before


@pytest.mark.parametrize("name", ["figures.py", "tasks/classification.py", "__init__.py"])
def test_code_that_is_not_reached_does_not_count(scripts, name):
    before = code("zones")
    (scripts / "foldwise" / name).write_text("x = 2\n")
    assert code("zones") == before


def test_a_plug_in_counts_for_the_study_that_names_it(scripts):
    assert code("zones") != code("classification")


def test_a_dynamic_import_is_refused(scripts):
    (scripts / "foldwise/loop.py").write_text("import importlib\nimportlib.import_module('x')\n")
    with pytest.raises(FoldwiseError, match=r"loop.py, line 2: import_module"):
        code("zones")


def test_words_are_all_text_of_the_settings():
    settings = {"model": {"name": "unet"}, "list": ["a", 1], "other": None}
    assert fingerprint.words(settings) == {"model", "name", "unet", "list", "a", "other"}
