"""The code fingerprint: what changes it, what does not."""

import pytest

from foldwise.errors import FoldwiseError
from foldwise.plan import fingerprint

FILES = {
    "fit.py": (
        "from foldwise.loop import run\nfrom foldwise.registry import load\n"
        "run(load('TASKS', 'zones'))\n"
    ),
    "foldwise/__init__.py": "VERSION = 1\n",
    "foldwise/tasks/__init__.py": "",
    "foldwise/loop.py": (
        '"""Loop."""\nfrom foldwise import rates\nfrom foldwise.steps import Step as OneStep\n'
        'import math\nimport json\n\nLIMIT = 1\n\n\ndef run(task):\n    """Run."""\n'
        "    return once(OneStep(), rates.rate(LIMIT)) + math.pi\n\n\n"
        "def once(step, rate):\n    return step.go(rate)\n\n\n"
        "def unused():\n    return json.dumps(1)\n"
    ),
    "foldwise/rates.py": "def rate(at):\n    return other(at)\n\n\ndef other(at):\n    return at\n",
    "foldwise/steps.py": "class Step:\n    def go(self, rate):\n        return 1 * rate\n",
    "foldwise/more.py": "class Step:\n    def go(self, rate):\n        return 7 * rate\n",
    "foldwise/figures.py": "x = 1\n",
    "foldwise/tasks/zones.py": "class Zones:\n    size = 1\n\n\ndef helper():\n    return 1\n",
    "foldwise/tasks/classification.py": "class Classification:\n    size = 1\n",
}


@pytest.fixture
def scripts(tmp_path, monkeypatch):
    for name, text in FILES.items():
        path = tmp_path / "code" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(fingerprint, "SCRIPTS", tmp_path / "code")
    monkeypatch.setattr(fingerprint, "MEMO", tmp_path / "memo.json")
    yield tmp_path / "code"
    fresh()


def fresh():
    fingerprint.tree.cache_clear()
    fingerprint.code_of.cache_clear()


def code(*names):
    fresh()
    return fingerprint.code_of("fit", frozenset(names))


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_comments_docstrings_and_layout_do_not_count(scripts):
    before = code("zones")
    edit(scripts / "foldwise/loop.py", "Loop.", "Another text.")
    edit(scripts / "foldwise/loop.py", '"""Run."""', '"""Another text."""')
    edit(scripts / "foldwise/loop.py", "math.pi", "math.pi  # why")
    edit(scripts / "foldwise/loop.py", "def run", "\n\n\ndef run")
    assert code("zones") == before


REACHED = [
    ("fit.py", "run(load", "run(0) or run(load"),
    ("foldwise/loop.py", "+ math.pi", "- math.pi"),
    ("foldwise/loop.py", "LIMIT = 1", "LIMIT = 2"),
    ("foldwise/loop.py", "step.go(rate)", "step.go(-rate)"),
    ("foldwise/loop.py", "import math", "import numpy as math"),
    ("foldwise/loop.py", "from foldwise.steps", "from foldwise.more"),
    ("foldwise/loop.py", "LIMIT = 1", "LIMIT = 1\nprint('on import')"),
    ("foldwise/rates.py", "return at", "return -at"),
    ("foldwise/rates.py", "def rate(at)", "def rate(at=other(1))"),
    ("foldwise/steps.py", "1 *", "2 *"),
    ("foldwise/tasks/zones.py", "size = 1", "size = 2"),
    ("foldwise/tasks/__init__.py", "", "print('on import')"),
]


@pytest.mark.parametrize(("name", "old", "new"), REACHED)
def test_code_that_is_reached_counts(scripts, name, old, new):
    before = code("zones")
    edit(scripts / name, old, new)
    assert code("zones") != before


NOT_REACHED = [
    ("foldwise/figures.py", "x = 1", "x = 2"),
    ("foldwise/tasks/classification.py", "size = 1", "size = 2"),
    ("foldwise/__init__.py", "1", "2"),
    ("foldwise/loop.py", "json.dumps(1)", "json.dumps(2)"),
    ("foldwise/loop.py", "import json", "import pickle as json"),
    ("foldwise/tasks/zones.py", "return 1", "return 2"),
    ("foldwise/more.py", "7", "8"),
    ("foldwise/loop.py", "LIMIT = 1", "LIMIT = 1\nOTHER = 2"),
]


@pytest.mark.parametrize(("name", "old", "new"), NOT_REACHED)
def test_code_that_is_not_reached_does_not_count(scripts, name, old, new):
    before = code("zones")
    edit(scripts / name, old, new)
    assert code("zones") == before


def test_a_module_that_is_moved_and_renamed_does_not_count(scripts):
    before = code("zones")
    (scripts / "foldwise/speed").mkdir()
    (scripts / "foldwise/speed/__init__.py").write_text("")
    (scripts / "foldwise/rates.py").rename(scripts / "foldwise/speed/curve.py")
    edit(
        scripts / "foldwise/loop.py",
        "from foldwise import rates",
        "from foldwise.speed import curve",
    )
    edit(scripts / "foldwise/loop.py", "rates.rate(", "curve.rate(")
    assert code("zones") == before


def test_a_class_in_another_file_does_not_count(scripts):
    before = code("zones")
    text = (scripts / "foldwise/steps.py").read_text()
    (scripts / "foldwise/steps.py").unlink()
    (scripts / "foldwise/figures.py").write_text(f"x = 1\n\n\n{text}")
    edit(
        scripts / "foldwise/loop.py",
        "foldwise.steps import Step as",
        "foldwise.figures import Step as",
    )
    assert code("zones") == before


def test_a_name_that_is_handed_on_by_another_module_is_followed(scripts):
    before = code("zones")
    (scripts / "foldwise/figures.py").write_text("from foldwise.steps import Step\n")
    edit(scripts / "foldwise/loop.py", "foldwise.steps import", "foldwise.figures import")
    assert code("zones") == before
    edit(scripts / "foldwise/steps.py", "1 *", "2 *")
    assert code("zones") != before


def test_an_import_inside_a_function_is_followed(scripts):
    edit(
        scripts / "foldwise/rates.py",
        "return at",
        "from foldwise.more import Step\n    return Step",
    )
    before = code("zones")
    edit(scripts / "foldwise/more.py", "7", "8")
    assert code("zones") != before


def test_a_local_of_the_same_name_is_no_reference(scripts):
    edit(scripts / "foldwise/rates.py", "return at", "unused = 1\n    return unused")
    edit(scripts / "foldwise/rates.py", "def other", "def unused():\n    return 1\n\n\ndef other")
    before = code("zones")
    edit(scripts / "foldwise/rates.py", "    return 1\n", "    return 2\n")
    assert code("zones") == before


def test_a_plug_in_counts_for_the_study_that_names_it(scripts):
    assert code("zones") != code("classification")


def test_a_dynamic_import_is_refused(scripts):
    (scripts / "foldwise/loop.py").write_text("import importlib\nimportlib.import_module('x')\n")
    with pytest.raises(FoldwiseError, match=r"loop.py, line 2: import_module"):
        code("zones")


def test_an_import_of_all_names_is_refused(scripts):
    edit(scripts / "foldwise/loop.py", "from foldwise import rates", "from foldwise.rates import *")
    with pytest.raises(
        FoldwiseError, match=r"loop.py, line 2: write imports from `foldwise.`, name"
    ):
        code("zones")


def test_no_start_parses_a_file_twice(scripts, monkeypatch):
    before = code("zones")
    fingerprint.tree().keep()
    parsed = []
    real = fingerprint.read_source
    monkeypatch.setattr(
        fingerprint, "read_source", lambda text, where: parsed.append(where) or real(text, where)
    )
    assert code("zones") == before
    assert parsed == []
    edit(scripts / "foldwise/rates.py", "return at", "return -at")
    assert code("zones") != before
    assert parsed == ["foldwise.rates.py"]


def test_a_memo_that_is_damaged_is_made_anew(scripts):
    before = code("zones")
    fingerprint.MEMO.write_text('{"reader": ')
    assert code("zones") == before


def test_words_are_all_text_of_the_settings():
    settings = {"model": {"name": "unet"}, "list": ["a", 1], "other": None}
    assert fingerprint.words(settings) == {"model", "name", "unet", "list", "a", "other"}


def test_a_function_that_a_decorator_of_ours_registers_counts_though_nobody_names_it(scripts):
    """As metrics are: `MEASURED.metric("kappa")` hands the function on, and a loop calls it."""
    keeper = "class Keeper(list):\n    def keep(self, function):\n        self.append(function)\n"
    kept = "\n\nKEPT = Keeper()\n\n\n@KEPT.keep\ndef _one():\n    return 1\n"
    steps = scripts / "foldwise/steps.py"
    steps.write_text(f"{keeper}{kept}\n\n{steps.read_text()}")
    before = code("zones")
    edit(steps, "    return 1\n", "    return 2\n")
    assert code("zones") != before


LOADS = [
    ("from foldwise.registry import load as entry_of", "entry_of('TASKS', 'zones')"),
    ("from foldwise import registry", "registry.load('TASKS', 'zones')"),
    ("from foldwise import registry as plug_ins", "plug_ins.load('TASKS', 'zones')"),
    ("import foldwise.registry as plug_ins", "plug_ins.load('TASKS', 'zones')"),
]


@pytest.mark.parametrize(("imported", "called"), LOADS)
def test_a_plug_in_counts_by_whatever_name_it_is_loaded(scripts, imported, called):
    edit(scripts / "fit.py", "from foldwise.registry import load", imported)
    edit(scripts / "fit.py", "load('TASKS', 'zones')", called)
    before = code("zones")
    edit(scripts / "foldwise/tasks/zones.py", "size = 1", "size = 2")
    assert code("zones") != before


def test_a_group_of_plug_ins_that_is_no_text_is_refused(scripts):
    edit(scripts / "fit.py", "load('TASKS', 'zones')", "load('TASKS'.upper(), 'zones')")
    with pytest.raises(FoldwiseError, match=r"fit\.py, line 3: the group of load\(\) is no text"):
        code("zones")
