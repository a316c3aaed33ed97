"""The table of metrics: what each kind of study measures stands there, and nothing else."""

import numpy as np
import pytest

from foldwise.evaluate.wording import called, spoken
from foldwise.metrics import (
    LABEL,
    SHOWN,
    TABLE,
    head_of,
    judging,
    metric_of,
    monitors,
    of_kind,
    ordered_labels,
)
from foldwise.registry import load, names
from made_predictions import HEADS, TASKS, row


def measured(kind):
    random = np.random.default_rng(3)
    rows = [row(kind, i, random) for i in range(60)]
    return load("MEASURES", kind)(TASKS[kind]).score(rows)


def of_table(kind):
    """Names that the table promises of a kind, with those of each label."""
    heads = HEADS if kind == "distillation" else ()
    ordered = ordered_labels(TASKS[kind])
    return {one.name for one in of_kind(kind)} | {
        one.of_head(head).name
        for head in heads
        for one in of_kind(LABEL)
        # Where classes have no order, what counts the distance between them is not measured.
        if head in ordered or not one.ordinal
    }


@pytest.mark.parametrize("kind", names("MEASURES"))
def test_a_kind_measures_what_the_table_says_and_nothing_else(kind):
    assert set(measured(kind)) == of_table(kind)


@pytest.mark.parametrize("kind", names("MEASURES"))
def test_values_lie_within_the_limits_of_the_table(kind):
    for name, value in measured(kind).items():
        low, high = metric_of(name).limits
        assert low <= value <= high, name


@pytest.mark.parametrize("kind", names("MEASURES"))
def test_one_default_chooses_weights_and_what_is_told_decides_nothing(kind):
    assert [m.kinds[kind] for m in of_kind(kind)].count("default") == 1
    may = judging(kind, TASKS[kind])
    assert list(may)[: len(monitors(kind))] == list(monitors(kind))
    assert set(may.values()) == {"max", "min"} or kind == "distillation"
    shown = {m.name for m in of_kind(kind) if m.kinds[kind] == SHOWN}
    assert not shown & set(may)
    assert set(may) | shown == set(measured(kind))


def test_each_metric_is_told_in_words():
    assert len({metric.title for metric in TABLE}) == len(TABLE)
    for metric in TABLE:
        assert metric.meaning and metric.undefined, metric.name
        assert metric.better in ("max", "min", ""), metric.name
        assert called(metric.name) == (metric.title, metric.meaning)
        assert not metric.on_axis or (metric.better, metric.high) == ("max", 1)
        assert metric.kinds.keys() <= {*names("MEASURES"), LABEL}, metric.name


def test_a_metric_of_one_of_several_labels_is_taken_apart():
    assert head_of("body_part_macro_f1") == ("body_part", "macro_f1")
    assert head_of("site_balanced_accuracy") == ("site", "balanced_accuracy")
    assert head_of("macro_f1") == head_of("mean_f1") == head_of("mean_score_r") == ("", "")
    assert called("body_part_macro_f1")[0] == "Body part: Macro F1"
    assert metric_of("site_log_loss").limits == (0, np.inf)
    assert metric_of("milliseconds") is None and spoken("milliseconds") == "milliseconds"
