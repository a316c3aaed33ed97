"""Labels mean what the config says, however a spreadsheet spelt them."""

import pytest

from foldwise.cohort.build import CohortSettings
from foldwise.cohort.tables.labels import (
    CLASS,
    DROPPED,
    MISSING,
    UNKNOWN,
    ClassScheme,
    Outcome,
    canonical,
)
from foldwise.errors import FoldwiseError
from foldwise.settings.schema import complete, schema

DENSITY = {"mapping": {"1": "A", "2": "B", "3": "C", "4": "D"}, "order": list("ABCD"), "drop": [5]}


@pytest.mark.parametrize("raw", ["1", " 1 ", "1.0", "1.", "01", 1, 1.0, "\u00a01", "+1"])
def test_spellings_of_one_number_are_one_label(raw):
    assert canonical(raw) == "1"


@pytest.mark.parametrize("raw", ["1.5", "1e0", "A", "1 2", "1,0"])
def test_other_text_is_left_as_it_is(raw):
    assert canonical(raw) == raw


@pytest.mark.parametrize("keys", [("1", "2", "3", "4"), (1, 2, 3, 4), (1.0, 2.0, 3.0, 4.0)])
def test_keys_of_the_mapping_may_be_text_or_numbers(keys):
    scheme = ClassScheme.of(
        {"mapping": dict(zip(keys, "ABCD", strict=True)), "order": list("ABCD")}
    )
    assert scheme.outcome("3.0") == Outcome(CLASS, "C")


@pytest.mark.parametrize(
    ("raw", "outcome"),
    [
        ("2", Outcome(CLASS, "B")),
        ("5", Outcome(DROPPED, "5")),
        ("7", Outcome(UNKNOWN, "7")),
        ("", Outcome(MISSING, "")),
        ("  ", Outcome(MISSING, "")),
        ("B", Outcome(UNKNOWN, "B")),
    ],
)
def test_a_value_is_mapped_dropped_or_a_finding_never_guessed(raw, outcome):
    assert ClassScheme.of(DENSITY).outcome(raw) == outcome


def test_binary_mode_is_a_mapping():
    scheme = ClassScheme.of({"mapping": {1: 0, 2: 0, 3: 1, 4: 1}, "order": ["0", "1"]})
    assert [scheme.outcome(str(raw)).value for raw in (1, 2, 3, 4)] == ["0", "0", "1", "1"]


def test_letters_are_numbers_where_the_layout_says_so():
    scheme = ClassScheme.of(DENSITY, letters=True)
    assert scheme.outcome("c") == scheme.outcome("3") == Outcome(CLASS, "C")
    letters = ClassScheme.of({"mapping": {"A": "low", "B": "high"}}, letters=True)
    assert letters.outcome("2") == Outcome(CLASS, "high")


def test_a_letter_of_the_mapping_itself_comes_first():
    scheme = ClassScheme.of({"mapping": {"A": "x", "1": "y"}}, letters=True)
    assert (scheme.outcome("A").value, scheme.outcome("1").value) == ("x", "y")


def test_an_order_alone_maps_each_class_to_itself():
    scheme = ClassScheme.of({"order": ["F", "G"]})
    assert scheme.outcome("G") == Outcome(CLASS, "G")
    assert scheme.outcome("D") == Outcome(UNKNOWN, "D")


def test_without_a_scheme_values_pass():
    assert ClassScheme.of({}).outcome("0.37") == Outcome(CLASS, "0.37")


def test_contradictions_are_named():
    with pytest.raises(FoldwiseError, match="'1' is given twice, as 'A' and as 'B'"):
        ClassScheme.of({"mapping": {"1": "A", "1.0": "B"}})
    with pytest.raises(FoldwiseError, match="'1' is both mapped and dropped"):
        ClassScheme.of({"mapping": {"1": "A"}, "drop": [1]})


def test_contradictions_of_a_label_name_its_own_place():
    heads = {"place": {"mapping": {"1": "A", "1.0": "B"}, "order": ["A", "B"]}}
    data = {"root": "x", "table": {"path": "y"}, "heads": heads}
    with pytest.raises(FoldwiseError, match=r"^data\.heads\.place\.mapping: '1' is given twice"):
        _ = CohortSettings.of(complete(schema("data"), data), 1).scheme
    heads["place"] = {"mapping": {"1": "A"}, "order": ["A"], "drop": ["1"]}
    with pytest.raises(FoldwiseError, match=r"^data\.heads\.place: '1' is both mapped and dropped"):
        _ = CohortSettings.of(complete(schema("data"), data), 1).scheme
