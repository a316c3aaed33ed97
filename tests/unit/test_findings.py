"""Findings: each has words and advice, and counts once."""

import re
from dataclasses import replace

import pytest

from foldwise.cohort.findings import QUARANTINE, Finding, advice, check_share, counts_of, describe
from foldwise.errors import FoldwiseError
from foldwise.pixels import picture


def test_each_verdict_on_a_picture_has_words_and_advice():
    verdicts = set(picture.REASONS) - set(picture.PASSING)
    assert verdicts
    assert not [reason for reason in verdicts if not (describe(reason) and advice(reason))]


def test_what_has_two_reasons_counts_once_in_quarantine(tmp_path):
    findings = [
        Finding(key=key, stage="join", kind=QUARANTINE, reason=reason)
        for key, reason in (("s1", "no_folder"), ("s2", "no_label"), ("s1", "no_label"))
    ]
    assert counts_of(findings, QUARANTINE) == {"no_folder": 1, "no_label": 1}
    with pytest.raises(FoldwiseError, match="2 of 4 images") as caught:
        check_share(findings, 2, 0.1, tmp_path, "Audit")
    numbers = re.findall(r": (\d+)(?: \(|;|\.)", str(caught.value))
    assert sum(map(int, numbers)) == 2
    notes = [replace(item, kind="note") for item in findings]
    assert counts_of(notes, "note") == {"no_label": 2, "no_folder": 1}
