"""What is wrong with a study's file is told in one message by file, place, value and next step."""

import pytest
import yaml

from flow import write_study
from foldwise.errors import FoldwiseError
from foldwise.settings.schema import check
from foldwise.settings.study import load_study
from foldwise.settings.yaml_file import read_yaml
from studies import settings

GOOD = yaml.safe_dump(settings(), sort_keys=False)
FOLDS = "folds:\n  n: 2\n"
TEXTS = {
    "a bracket": (GOOD.replace("seed: 7", "seed: [7"), ["line 3", "',' or ']'"]),
    "a tab": (GOOD.replace("  reader", "\treader"), ["line 4, column 1", "indent with spaces"]),
    "no space": (GOOD.replace("seed: 7", "seed:7"), ["line 3", "line above"]),
    "indent": (GOOD.replace(FOLDS, "folds:\n   n: 2\n  holdout: 0\n"), ["holdout: 0"]),
    "a key twice": (GOOD + "seed: 9\n", ["'seed' stands in line 2 already"]),
    "a key twice inside": (
        GOOD.replace(FOLDS, "folds:\n  n: 2\n  n: 3\n"),
        ["'n' stands in line", "keep one of them"],
    ),
    "empty": ("", ["is empty", "config/README.md"]),
    "only comments": ("# nothing yet\n", ["is empty"]),
    "a list": ("- a\n", ["`key: value`", "['a']"]),
    "two documents": (GOOD + "---\na: 1\n", ["another document"]),
    "a control character": (GOOD + "\x07", ["control characters"]),
    "infinite": (GOOD.replace("lr: 0.01", "lr: .inf"), ["training.lr", "inf is no number"]),
    "not a number": (GOOD.replace("lr: 0.01", "lr: .nan"), ["training.lr", "nan is no number"]),
    "yes as a key": (GOOD.replace("'1': A", "yes: A"), ["mapping", "True", "quotes"]),
    "a date": (GOOD.replace("epochs: 2", "epochs: 2026-01-01"), ["epochs", "a whole number"]),
}
BRANCHES = {
    "type": ({"training": {"lr": "quick"}}, ["training.lr: expected a number, found 'quick'"]),
    "part of an epoch": ({"training": {"epochs": 2.5}}, ["a whole number, found 2.5"]),
    "nothing": ({"training": None}, ["training: expected settings", "found nothing"]),
    "text for a list": ({"data": settings()["data"] | {"views": "CC"}}, ["a list such as"]),
    "size 0": ({"image": {"size": 0}}, ["image.size: 0 is less than the minimum of 16"]),
    "negative size": ({"image": {"size": -5}}, ["image.size: -5"]),
    "no fold": ({"folds": {"n": 0}}, ["folds.n: 0 is less than the minimum of 1"]),
    "no batch": ({"training": {"batch_size": 0}}, ["batch_size: 0 is less than"]),
    "monitor": ({"training": {"monitor": "kapa"}}, ["training.monitor", "Did you mean 'kappa'"]),
    "percentiles": ({"image": {"percentiles": [99, 1]}}, ["99 is not below 1"]),
    "run's name": ({"runs": {"B-1": {}}}, ["runs: 'B-1' is no name"]),
    "rule": (
        {"data": settings()["data"] | {"conflicts": {"labels": "keep"}}},
        ["data.conflicts.labels: 'keep'", "refuse, drop"],
    ),
}


def message(path, text):
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FoldwiseError) as raised:
        load_study(path.stem, path.parent)
    assert str(raised.value).startswith(str(path))
    return str(raised.value)


@pytest.mark.parametrize(("text", "words"), TEXTS.values(), ids=TEXTS)
def test_files_that_are_no_study(tmp_path, text, words):
    said = message(tmp_path / "mine.yaml", text)
    assert [word for word in words if word not in said] == [], said


@pytest.mark.parametrize(("branches", "words"), BRANCHES.values(), ids=BRANCHES)
def test_settings_that_cannot_be(tmp_path, branches, words):
    said = message(tmp_path / "mine.yaml", yaml.safe_dump(settings(**branches)))
    assert [word for word in words if word not in said] == [], said


@pytest.mark.parametrize("content", [b"kind: \xe9\n", GOOD.encode("utf-16")])
def test_a_file_that_is_no_utf_8(tmp_path, content):
    (tmp_path / "mine.yaml").write_bytes(content)
    with pytest.raises(FoldwiseError, match="Save it as UTF-8"):
        load_study("mine", tmp_path)


@pytest.mark.parametrize(
    "content", [b"\xef\xbb\xbf" + GOOD.encode(), GOOD.replace("\n", "\r\n").encode()]
)
def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path, content):
    (tmp_path / "mine.yaml").write_bytes(content)
    assert load_study("mine", tmp_path)["seed"] == 7


def test_numbers_as_yaml_reads_text(tmp_path):
    write_study(tmp_path, "mine", settings(training={"lr": "1e-4"}))
    assert load_study("mine", tmp_path / "config/studies")["training"]["lr"] == 0.0001


def test_a_study_that_is_not_there(tmp_path):
    write_study(tmp_path, "density", settings())
    with pytest.raises(FoldwiseError, match="Did you mean 'density'"):
        load_study("densty", tmp_path / "config/studies")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "is empty"),
        ("studies: mine\n", "studies: expected a list"),
        ("studies: []\n", "non-empty"),
        ("studies: [mine, mine]\n", "non-unique"),
        ("studys: [mine]\n", "Did you mean 'studies'"),
    ],
)
def test_the_file_that_names_the_studies(tmp_path, text, word):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(FoldwiseError, match=word):
        check("config", read_yaml(path), str(path))
