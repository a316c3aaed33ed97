"""Encoders are checked by their files before any job; small ones are made from a study's texts."""

import json
import shutil

import pytest
import transformers

import make_encoders
from foldwise.models.encoders import text_encoder, tokenise, vision_encoder
from foldwise.plan.text_encoders import encoders, encoders_to_fetch
from foldwise.settings.study import load_study

STUDY = """
kind: distillation
data:
  reader: text
  root: images
  table: {path: table.csv}
  columns: {image: image, texts: [caption], heads: {modality: kind}}
  heads: {modality: {order: [CT, MR]}}
image: {size: 32, channels: 3}
model:
  vision: {name: encoders/mine/vision, weights: pretrained}
  text: {name: encoders/mine/text, max_tokens: 32}
"""
TEXTS = ["axial CT of the head", "axial MR of the spine", "coronal CT of the chest"]


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    (tmp_path / "config/studies").mkdir(parents=True)
    (tmp_path / "config/studies/mine.yaml").write_text(STUDY)
    rows = "".join(f"{n}.png,{text},CT\n" for n, text in enumerate(TEXTS))
    (tmp_path / "table.csv").write_text("image,caption,kind\n" + rows)
    assert make_encoders.main(["mine", "--width", "16", "--layers", "1"]) == 0
    return tmp_path


def problems():
    return list(encoders(load_study("mine")))


def test_encoders_from_the_texts_load_and_know_their_words(study):
    assert problems() == []
    tokens = tokenise(TEXTS, "encoders/mine/text", 32)
    unknown = transformers.AutoTokenizer.from_pretrained("encoders/mine/text").unk_token_id
    assert unknown not in tokens["input_ids"]
    assert text_encoder({"name": "encoders/mine/text", "weights": "pretrained"}).width == 16
    assert vision_encoder({"name": "encoders/mine/vision", "weights": "pretrained"}, 3).width == 16


def edit(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


FAULTS = {
    "no folder": (lambda top: shutil.rmtree(top), ["no folder encoders/mine/text"]),
    "no tokenizer": (
        lambda top: [path.unlink() for path in (top / "text").glob("tokenizer*")],
        ["lacks a tokenizer"],
    ),
    "no weights": (lambda top: (top / "text/model.safetensors").unlink(), ["lacks weights"]),
    "cut config": (lambda top: (top / "text/config.json").write_text("{"), ["config.json"]),
    "too short": (
        lambda top: edit(top / "text/config.json", max_position_embeddings=16),
        ["model.text.max_tokens: 32", "16 tokens at the most"],
    ),
    "another tokenizer": (
        lambda top: edit(top / "text/config.json", vocab_size=5),
        ["tokens and the model 5"],
    ),
    "channels": (
        lambda top: edit(top / "vision/config.json", num_channels=4),
        ["image.channels: 3", "takes 4"],
    ),
}


@pytest.mark.parametrize(("damage", "words"), FAULTS.values(), ids=FAULTS)
def test_what_training_would_find_out_is_told_first(study, damage, words):
    damage(study / "encoders/mine")
    said = "\n".join(problems())
    assert [word for word in [*words, "make_encoders.py mine"] if word not in said] == [], said


SEARCHED = """
training: {teacher: teacher}
runs:
  cv: {}
  teacher: {training.teacher: null}
search:
  trials: 2
  space:
    KEY: {type: categorical, choices: [encoders/mine/text, ./encoders/other/text]}
"""


@pytest.mark.parametrize("key", ["model.text.name", "teacher.model.text.name"])
def test_what_a_search_may_ask_for_is_checked_before_it_starts(study, key):
    path = study / "config/studies/mine.yaml"
    path.write_text(STUDY + SEARCHED.replace("KEY", key))
    (said,) = problems()
    assert "no folder ./encoders/other/text" in said and "make_encoders.py mine" in said
    shutil.copytree(study / "encoders/mine", study / "encoders/other")
    assert problems() == []
    edit(study / "encoders/other/text/config.json", max_position_embeddings=16)
    (said,) = problems()
    assert "./encoders/other/text reads 16 tokens at the most" in said
    # With fewer tokens wherever it is asked for it runs.
    whose = key.removesuffix("text.name")
    few = f"{whose}text.max_tokens: {{type: categorical, choices: [8, 16]}}"
    path.write_text(path.read_text() + f"    {few}\n")
    assert problems() == []
    path.write_text(path.read_text().replace("[8, 16]", "[8, 32]"))
    assert len(problems()) == 1


def test_an_encoder_of_the_hub_is_to_be_fetched_unless_it_is_kept_here(study):
    path = study / "config/studies/mine.yaml"
    path.write_text(STUDY.replace("encoders/mine/text", "some/bert"))
    assert problems() == []
    (told,) = encoders_to_fetch(load_study("mine"))
    assert "some/bert is not on this machine" in told and "make_encoders.py mine" in told
    kept = study / "cache/hub/models--some--bert/snapshots/abc"
    shutil.copytree(study / "encoders/mine/text", kept)
    assert list(encoders_to_fetch(load_study("mine"))) == []


def test_encoders_are_not_written_over(study, capsys):
    assert make_encoders.main(["mine"]) == 1
    assert "is there already" in capsys.readouterr().err
