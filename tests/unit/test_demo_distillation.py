"""The made-up cases: lines join, texts tell a part, encoders load without a network."""

import csv
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline

from foldwise.models.make_encoders import wordpieces
from made_distillation import TEXT_FAULTS, distillation_archive
from phantoms.catalogue import make
from phantoms.distillation import SPLITS, make_distillation, plan_cases, texts_of
from phantoms.encoders import write_encoders
from phantoms.slices import LOCATIONS, Look, slice_picture

SIZE, SEED = 48, 5


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("cases")
    make("distillation", folder, patients=50, seed=SEED, size=SIZE)
    return folder


def lines_of(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_pictures_join_cases_and_no_case_is_in_two_splits(archive):
    seen, names = Counter(), set()
    for split in SPLITS:
        cases = {line["U_id"]: line for line in lines_of(archive / f"data_{split}.jsonl")}
        seen.update(cases.keys())
        for line in lines_of(archive / f"descriptions_{split}.jsonl"):
            kind = {"CT": "TAC", "MR": "MRI"}[line["Type"]]
            assert line["image"] in cases[line["U_id"]][kind]
            assert line["Location Category"] in LOCATIONS
            names.add(line["image"])
            pixels = np.asarray(Image.open(archive / "images" / f"{line['image']}.png"))
            assert pixels.shape == (SIZE, SIZE)
    assert set(seen.values()) == {1}
    assert len(seen) == 50
    rows = list(csv.DictReader((archive / "pictures.csv").open()))
    assert {f"images/{name}.png" for name in names} == {row["image"] for row in rows}


def test_every_split_holds_every_place_and_both_modalities(archive):
    for split in SPLITS:
        lines = lines_of(archive / f"descriptions_{split}.jsonl")
        assert {line["Location Category"] for line in lines} == set(LOCATIONS)
        assert {line["Type"] for line in lines} == {"CT", "MR"}


def test_texts_tell_the_place_in_part_and_only_the_scanner_tells_the_modality():
    rows = [(c, p) for c in plan_cases(200, SEED) for p in c.pictures]
    groups = [case.uid for case, _ in rows]

    def score(texts: list[str], labels: list[str]) -> float:
        model = make_pipeline(CountVectorizer(), LogisticRegression(max_iter=500))
        return cross_val_score(model, texts, labels, groups=groups, cv=GroupKFold(3)).mean()

    places, modalities = [c.location for c, _ in rows], [p.modality for _, p in rows]
    assert 0.4 < score([p.caption for _, p in rows], places) < 0.75
    assert 0.6 < score([f"{p.caption} {c.findings} {c.history}" for c, p in rows], places) < 0.97
    assert score([p.caption for _, p in rows], modalities) < 0.75
    assert score([p.scanner for _, p in rows], modalities) > 0.99


def test_places_and_modalities_look_different_and_bodies_too():
    def mean_of(modality: str, location: str) -> np.ndarray:
        look = Look(modality, location, False)
        return np.mean([slice_picture(look, body, 0, SIZE) for body in range(6)], axis=0)

    means = [mean_of(modality, location) for modality in ("CT", "MR") for location in LOCATIONS]
    apart = [np.abs(a - b).mean() for i, a in enumerate(means) for b in means[:i]]
    assert min(apart) > 0.02
    one, two = (slice_picture(Look("CT", "Head", True), 3, number, SIZE) for number in (0, 1))
    assert np.abs(one - two).mean() > 0.01


def test_encoders_load_from_their_folders_and_words_are_known(archive, monkeypatch):
    import transformers

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    texts = texts_of(plan_cases(50, SEED))[:4]
    for role, width in (("teacher", 64), ("student", 32)):
        tokenizer = transformers.AutoTokenizer.from_pretrained(archive / f"encoders/{role}_text")
        batch = tokenizer(texts, padding=True, return_tensors="pt")
        assert (batch["input_ids"][:, 0] == tokenizer.cls_token_id).all()
        assert (batch["input_ids"] != tokenizer.unk_token_id).all()
        said = tokenizer.decode(batch["input_ids"][0], skip_special_tokens=True)
        assert said.replace(" ", "") == texts[0].lower().replace(" ", "")
        text = transformers.AutoModel.from_pretrained(archive / f"encoders/{role}_text")
        hidden = text(batch["input_ids"], attention_mask=batch["attention_mask"]).last_hidden_state
        assert hidden.shape == (*batch["input_ids"].shape, width)
        vision = transformers.AutoModel.from_pretrained(archive / f"encoders/{role}_vision")
        assert vision.config.image_size == SIZE
        assert vision.config.hidden_size == width


def test_equal_seeds_give_equal_bytes(archive, tmp_path):
    cases = make_distillation(tmp_path, 50, SEED, SIZE)
    write_encoders(tmp_path, texts_of(cases), SEED, SIZE)
    files = [path for path in archive.rglob("*") if path.is_file() and path.name != "made_up.json"]
    assert len(files) > 50
    for path in files:
        assert (tmp_path / path.relative_to(archive)).read_bytes() == path.read_bytes(), path


def test_a_word_that_occurs_once_is_spelt_out():
    words = wordpieces(["Mass in the liver.", "The mass is odd"])
    assert {"mass", "the", "##d"} <= set(words)
    assert "liver" not in words
    assert sorted(words.values()) == list(range(len(words)))


def test_faults_can_be_asked_for(tmp_path):
    folder = distillation_archive(tmp_path, 25, faults=TEXT_FAULTS, encoders=False)
    lines = lines_of(folder / "descriptions_train.jsonl")
    assert sum(line["Type"] == "XR" for line in lines) == 1
    assert sum(line["Description"]["Caption"] is None for line in lines) == 1
    assert sum(not (folder / "images" / f"{line['image']}.png").exists() for line in lines) == 1
