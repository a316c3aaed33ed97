"""Suspect masks and zone scores: planted ones first, zones as cleanlab's, images with zones."""

from itertools import pairwise

import numpy as np
import pytest
from cleanlab.filter import find_label_issues
from skimage.filters import gaussian
from sklearn.metrics import jaccard_score

from foldwise.evaluate.metrics.segmentation import image_row
from foldwise.files import write_json
from foldwise.reliability.mask_suspects import agreement, in_words, own_agreement, suspect_masks
from foldwise.reliability.parts import zone_parts
from foldwise.reliability.suspects import confident_learning, find_suspects
from foldwise.reliability.zone_context import in_context
from foldwise.report.ledger import Ledger
from foldwise.report.run import Run
from foldwise.report.sections.reliability import suspects
from report_pages import reporting

MASKS = {"threshold": 0.5, "tiles": {}}
ZONES = ("left", "right", "mid")


def drawn(n=60, side=40, seed=0):
    """(N, S, S) masks of discs, and probabilities of a fair model of them."""
    random, grid = np.random.default_rng(seed), np.mgrid[:side, :side]
    masks = np.zeros((n, side, side), bool)
    for mask in masks:
        for _ in range(3):
            y, x = random.uniform(8, side - 8, 2)
            mask |= (grid[0] - y) ** 2 + (grid[1] - x) ** 2 < random.uniform(4, 7) ** 2
    noise = random.normal(0, 0.15, masks.shape)
    blurred = np.stack([gaussian(mask.astype(float), 1.5) for mask in masks])
    return masks, np.clip(0.05 + 0.9 * blurred + noise, 0, 1)


def rows_of(masks, probabilities):
    """A prediction table, as text."""
    made = []
    for i, (mask, probability) in enumerate(zip(masks, probabilities, strict=True)):
        row = {key: str(value) for key, value in image_row(probability, mask, 0.5).items()}
        made.append({"sample": f"s{i}", "group": f"g{i}", "fold": "1"} | row)
    return made


SPOILT = {
    "emptied": lambda masks, i: np.zeros_like(masks[i]),
    "shifted": lambda masks, i: np.roll(masks[i], 10, axis=(0, 1)),
    "swapped": lambda masks, i: masks[i + 1],
}


def kept(tmp_path, probabilities):
    """maps_val.npy of two folds, as the rule that predicts writes them."""
    paths = [tmp_path / f"fold_{fold}_maps_val.npy" for fold in (1, 2)]
    for path, part in zip(paths, np.array_split(probabilities, 2), strict=True):
        np.save(path, np.round(255 * part).astype(np.uint8))
    return paths


@pytest.mark.parametrize("how", SPOILT)
def test_spoilt_masks_come_first_where_the_model_is_weak_elsewhere(how, tmp_path):
    masks, probabilities = drawn()
    # A third of the pictures are hard: the model sees a haze where the objects are.
    probabilities[40:] = np.clip(0.25 * gaussian(masks[40:].astype(float), (0, 4, 4)), 0, 1) + 0.03
    given, planted = masks.copy(), [4, 21, 33]
    for i in planted:
        given[i] = SPOILT[how](masks, i)
    rows, paths = rows_of(given, probabilities), kept(tmp_path, probabilities)
    places, _ = suspect_masks(rows, own_agreement(paths, 0.5))
    assert set(places[:3]) == set(planted) and len(places) <= 6
    # Little agreement alone is no ground: of the hard ones there is the least.
    assert agreement(rows)[40:].max() < np.median(agreement(rows)[:40]) / 2
    found, listed = find_suspects(rows, MASKS, paths)
    assert [one["sample"] for one in listed] == [f"s{i}" for i in places]
    assert found["method"] == "agreement" and found["parts"][0]["n"] == len(rows)


def test_agreement_is_the_jaccard_of_scikit_learn_where_answers_are_sure(tmp_path):
    masks, probabilities = drawn(20)
    sure = (probabilities > 0.5).astype(float)
    expected = [
        jaccard_score(mask.ravel(), one.ravel() > 0.5)
        for mask, one in zip(masks, sure, strict=True)
    ]
    assert agreement(rows_of(masks, sure)) == pytest.approx(expected)
    assert own_agreement(kept(tmp_path, sure), 0.5) == pytest.approx(np.ones(20))
    p, mask = np.round(255 * probabilities[3]) / 255, probabilities[3] >= 0.5
    both = (p * mask).sum()
    own = own_agreement(kept(tmp_path, probabilities), 0.5)[3]
    assert own == pytest.approx(both / (p + mask - p * mask).sum(), rel=0.01)


def test_few_or_empty_pictures_are_no_suspects(tmp_path):
    masks, probabilities = drawn(seed=3)
    masks[7], probabilities[7] = False, 0.01
    rows, own = rows_of(masks, probabilities), own_agreement(kept(tmp_path, probabilities), 0.5)
    places, _ = suspect_masks(rows, own)
    assert 7 not in places and len(places) <= 3
    # Too few for quartiles that mean something.
    assert list(suspect_masks(rows[:5], own[:5])[0]) == []


@pytest.mark.parametrize(
    ("truth", "predicted", "both", "said"),
    [
        (0, 50, 0, ("empty", "foreground")),
        (50, 0, 0, ("foreground", "empty")),
        (50, 50, 10, ("foreground", "elsewhere")),
        (50, 150, 40, ("foreground", "larger")),
        (150, 50, 40, ("foreground", "smaller")),
        (50, 60, 30, ("foreground", "other outlines")),
    ],
)
def test_what_a_suspect_looks_like(truth, predicted, both, said):
    assert in_words({"truth": truth, "predicted": predicted, "both": both}) == said


def of_zones(n=150, seed=0, groups=150):
    """Rows of three zones, some of them scored wrong, and their labels and probabilities."""
    random = np.random.default_rng(seed)
    p = random.dirichlet(np.full(5, 0.3), (n, len(ZONES)))
    labels = np.array([[random.choice(5, p=one) for one in image] for image in p])
    flipped = random.random(labels.shape) < 0.08
    labels = np.where(flipped, (labels + 1) % 5, labels)
    rows = [
        {"sample": f"s{i}", "group": f"g{i % groups}", "fold": "1"}
        | {f"label_{zone}": str(labels[i, z]) for z, zone in enumerate(ZONES)}
        | {
            f"p_{zone}_{k}": repr(float(p[i, z, k]))
            for z, zone in enumerate(ZONES)
            for k in range(5)
        }
        for i in range(n)
    ]
    return rows, labels, p


@pytest.mark.parametrize("groups", [10, 150])
def test_zones_are_those_of_cleanlab_and_stand_together_by_image(groups):
    rows, labels, p = of_zones(groups=groups)
    found, listed = find_suspects(rows, {"zones": list(ZONES)})
    context = in_context(zone_parts(rows, ZONES))
    # Of few patients nothing can be learnt beyond what the model says.
    assert found["method"] == ("zone_context" if context else "confident_learning")
    assert (context is None) == (groups == 10)
    if context:
        p = np.stack([part.probabilities for part in context], axis=1)
    for z, zone in enumerate(ZONES):
        expected = find_label_issues(
            labels[:, z], p[:, z], filter_by="confident_learning", n_jobs=1
        ).nonzero()[0]
        ours = confident_learning(labels[:, z], p[:, z])
        assert set(ours.order) == set(expected)
        if context:
            # The scores next to the given one are no suspects.
            steps = np.abs(ours.guess - labels[:, z])
            unknown = (ours.guess == 4) | (labels[:, z] == 4)
            expected = [i for i in expected if steps[i] > 1 or unknown[i]]
        own = [one for one in listed if one["label"] == zone]
        assert {one["sample"] for one in own} == {f"s{i}" for i in expected} and own
        assert found["parts"][z]["suspects"] == len(own)
    assert any("unknown" in (one["given"], one["looks_like"]) for one in listed)
    assert not any("4" in (one["given"], one["looks_like"]) for one in listed)
    images = found["images"]
    order = list(dict.fromkeys(one["sample"] for one in listed))
    assert images["suspects"] == len(order) and images["n"] == len(rows)
    assert [one["sample"] for one in images["first"]] == order[: len(images["first"])]
    numbers = [one["n"] for one in images["first"]]
    assert numbers == sorted(numbers, reverse=True) and numbers[0] > 1
    # An image's zones stand one behind another.
    changes = sum(a["sample"] != b["sample"] for a, b in pairwise(listed))
    assert changes == len(order) - 1


def test_pages_of_masks_and_zones_say_what_was_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "results/density/runs/cv/suspects.json"
    masks, probabilities = drawn()
    masks[3] = False
    maps = kept(tmp_path, probabilities)
    write_json(path, find_suspects(rows_of(masks, probabilities), MASKS, maps)[0])
    study = reporting() | {"kind": "segmentation"}
    assert suspects.applies(study)
    shown = suspects.values(Run(Ledger(), study, [1]))
    (table,) = shown["tables"]
    assert not shown["context"]
    assert shown["masks"] and not shown["images"] and table["first"][0]["sample"] == "s3"
    assert table["first"][0]["given"] == "empty"
    write_json(path, find_suspects(of_zones()[0], {"zones": list(ZONES)})[0])
    shown = suspects.values(Run(Ledger(), study | {"kind": "zones"}, [1]))
    assert not shown["masks"] and shown["context"] and len(shown["tables"]) == 3
    assert not any(table["first"] for table in shown["tables"])
    assert "Left" in str(shown["images"]["first"]) and str(shown["images"]["n"]) == "150"
