"""YAML that would hang, fill the memory or end in a traceback is told in one line."""

import time

import pytest

from foldwise.errors import FoldwiseError
from foldwise.settings.study import load_study
from foldwise.settings.yaml_file import MOST_NODES, parse_yaml, read_yaml

LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
HOSTILE = {
    "aliases without end": (LAUGHS, ["more than 100,000 values", "aliases"]),
    "itself": ("a: &a\n  b: *a\n", ["line 2", "'*a' stands inside itself"]),
    "no anchor": ("a: *b\n", ["undefined alias|'\\*b' stands for nothing"]),
    "3,000 levels": ("a: " + "[" * 3000 + "]" * 3000, ["more than 50 levels inside each other"]),
    "3,000 indents": (
        "".join(f"{' ' * n}a:\n" for n in range(3000)),
        ["more than 50 levels inside each other"],
    ),
    "5,000 digits": (f"kind: {'9' * 5000}\n", ["line 1", "no such date or number"]),
    "a month 13": ("seed: 2001-13-01\n", ["line 1", "no such date or number", "quotes"]),
    "a list as a key": ("? [a, b]\n: 1\n", ["line 1", "a list as a key"]),
    "settings as a key": ("{a: 1}: 2\n", ["line 1", "settings as a key"]),
    "a key with an unknown tag": ("a: !!python/object:os.system x\n", ["line 1"]),
    "a merge with a word": ("<<: x\n", ["line 1", "merging"]),
}


@pytest.mark.parametrize(("text", "words"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_refused_at_once(tmp_path, text, words):
    import re

    (tmp_path / "mine.yaml").write_text(text)
    start = time.process_time()
    with pytest.raises(FoldwiseError) as caught:
        load_study("mine", tmp_path)
    assert time.process_time() - start < 5
    said = str(caught.value)
    assert [word for word in words if not re.search(word, said)] == [], said
    assert len(said) < 400


def test_aliases_within_reason_are_read():
    assert parse_yaml("a: &a [1, 2]\nb: *a\nc: {<<: &d {x: 1}, y: 2}\nd: *d\n", "x") == {
        "a": [1, 2],
        "b": [1, 2],
        "c": {"x": 1, "y": 2},
        "d": {"x": 1},
    }


def test_a_long_file_of_its_own_is_read(tmp_path):
    (tmp_path / "list.yaml").write_text("".join(f"- {n}\n" for n in range(MOST_NODES // 2)))
    assert len(read_yaml(tmp_path / "list.yaml")) == MOST_NODES // 2
