"""What digests of the code as it is are over: what is called by a name alone, and other runs."""

from types import SimpleNamespace

import pytest

from flow import write_study
from foldwise.plan import fingerprint
from foldwise.plan.bundles import Bundles
from foldwise.plan.state import FILLS_CACHE
from foldwise.plan.studies import Studies
from foldwise.report import templates
from studies import settings


def reached_by(*entries):
    """`module:name` of all that a digest of these entries is over, in the code as it is."""
    walk = fingerprint.Walk(fingerprint.tree(), [])
    walk.digest_of([], [tuple(entry.split(":")) for entry in entries])
    return {
        f"{module}:{name}"
        for module, number in walk.parts
        for name in fingerprint.tree().source(module).parts[number].names
    }


def test_a_function_that_another_library_is_told_by_name_counts():
    decoder = "foldwise.pixels.dicom.decoders"
    # pydicom calls it, and no code of ours does.
    assert f"{decoder}:decode_frame" in reached_by(f"{decoder}:register")
    reached = reached_by("foldwise.pixels.decode.dicom:Decoder")
    assert {f"{decoder}:decode_frame", f"{decoder}:_decode_colour_jpeg"} <= reached


def test_the_key_of_a_cache_is_over_what_fills_it_and_not_over_what_reads_it():
    reached = reached_by(*FILLS_CACHE)
    assert {"foldwise.pixels.decode.base:of_content", "foldwise.cohort.identity:Names"} <= reached
    assert {"foldwise.pixels.source:bytes_of", "foldwise.hashing:content_of"} <= reached
    assert "foldwise.pixels.cache:_fill" in reached
    assert "foldwise.pixels.cache:Images" not in reached


@pytest.mark.parametrize("rule", ["predict_site", "predict_fold", "predict_holdout", "make_bundle"])
def test_rules_that_ask_a_model_are_over_its_network_and_its_task(rule):
    walk = fingerprint.Walk(fingerprint.tree(), ["classification", "small_cnn"])
    walk.digest_of([rule])
    modules = {module for module, _ in walk.parts}
    assert {"foldwise.tasks.classification", "foldwise.models.small"} <= modules


def test_a_bundle_is_over_the_code_of_the_run_that_is_handed_over(tmp_path, monkeypatch):
    runs = {"cv": {}, "other": {"model.name": "small_resnet"}}
    write_study(tmp_path, "mine", settings(runs=runs, bundle={"run": "other"}))
    monkeypatch.chdir(tmp_path)
    config = {"folder": "config/studies", "set": "", "hyperparams": None}
    bundles = Bundles(Studies(config | {"studies": ["mine"]}))
    monkeypatch.setattr("foldwise.plan.bundles.code_of", lambda rule, names: names)
    names = bundles.code("make_bundle")(SimpleNamespace(study="mine"))
    assert "small_resnet" in names


def test_a_bundle_is_over_its_card_and_a_page_is_not(tmp_path, monkeypatch):
    card = tmp_path / "model_card.md.j2"
    monkeypatch.setattr(templates, "CARD", card)
    bundles = SimpleNamespace(code=lambda rule: lambda wildcards: rule)
    states = []
    for text in ("one", "two"):
        card.write_text(text)
        states.append((Bundles.bundle_code(bundles, None), templates.digests()))
    assert states[0][0] != states[1][0] and states[0][1] == states[1][1]
    assert not {name for name in templates.digests() if "card" in name}
    assert "site.md.j2" in templates.digests_of_site()
