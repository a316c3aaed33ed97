"""Fusions, encoders and the image-and-text network, with small models that the tests make."""

import socket

import huggingface_hub
import numpy as np
import pytest
import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from foldwise import registry
from foldwise.errors import FoldwiseError
from foldwise.models import encoders

DIM = 16
WORDS = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "chest", "film", "of", "the", "left", "lung"]
WORDS += ["a", "small", "node", "with"]
TEXTS = ["chest film of the left lung", "a small node", "film with unheard words"]
SMALL = {"num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Folder with `bert`, `distilbert` (and tokenizers), `vit` and `deit`, saved as weights."""
    torch.manual_seed(7)
    root = tmp_path_factory.mktemp("hub")
    text = {"vocab_size": len(WORDS), "max_position_embeddings": 16}
    picture = {"hidden_size": 12, "image_size": 32, "patch_size": 8, **SMALL}
    made = {
        "bert": transformers.BertModel(transformers.BertConfig(hidden_size=12, **SMALL, **text)),
        "distilbert": transformers.DistilBertModel(
            transformers.DistilBertConfig(dim=12, n_layers=2, n_heads=2, hidden_dim=24, **text)
        ),
        "vit": transformers.ViTModel(transformers.ViTConfig(**picture)),
        "deit": transformers.DeiTModel(transformers.DeiTConfig(**picture)),
    }
    for name, model in made.items():
        model.save_pretrained(root / name)
    for name in ("bert", "distilbert"):
        tokenizer().save_pretrained(root / name)
    return root


def tokenizer():
    words = Tokenizer(models.WordLevel({w: n for n, w in enumerate(WORDS)}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    words.post_processor = processors.BertProcessing(("[SEP]", 2), ("[CLS]", 1))
    names = {"pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]", "unk_token": "[UNK]"}
    return transformers.PreTrainedTokenizerFast(tokenizer_object=words, **names)


def settings(folder, vision="small_cnn", text="bert", fusion="cross_attention", **more):
    weights = "pretrained" if (folder / vision).is_dir() else "none"
    vision = str(folder / vision) if (folder / vision).is_dir() else vision
    given = {"name": fusion, "heads": 4, "layers": 2, "dropout": 0.0} | more
    return {
        "name": "vision_text",
        "vision": {"name": vision, "weights": weights},
        "text": {"name": str(folder / text), "weights": "pretrained"},
        "dim": DIM,
        "dropout": 0.1,
        "fusion": given,
    }


def build(*args, match_dim=None, channels=1, **more):
    torch.manual_seed(1)
    heads = {"modality": 2, "location": 5}
    return registry.load("MODELS", "vision_text")(
        settings(*args, **more), channels, heads, match_dim
    )


def batch(folder, channels=1, size=32):
    torch.manual_seed(2)
    tokens = encoders.tokenise(TEXTS, str(folder / "bert"), 10)
    ids, mask = (torch.from_numpy(tokens[key]) for key in ("input_ids", "attention_mask"))
    return torch.randn(3, channels, size, size), ids, mask


HEADS = {name: {"heads": 4} for name in ("cross_attention", "transformer")}


def fuse(name, layers=1, **tokens):
    torch.manual_seed(3)
    fusion = registry.load("FUSIONS", name)(
        DIM, layers=layers, dropout=0.0, **HEADS.get(name, {})
    ).eval()
    torch.manual_seed(4)
    vision, text = torch.randn(3, 5, DIM), torch.randn(3, 7, DIM)
    mask = torch.ones(3, 7, dtype=torch.long)
    mask[:, 4:] = 0
    given = {"vision": vision, "text": text, "mask": mask} | tokens
    return fusion, given, fusion(*given.values())


@pytest.mark.parametrize("name", registry.names("FUSIONS"))
def test_a_fusion_depends_on_both_sides_and_trains_every_weight(name):
    fusion, given, fused = fuse(name, layers=2)
    assert fused.shape == (3, DIM)
    for side in ("vision", "text"):
        assert not torch.allclose(fusion(*(given | {side: given[side] + 1}).values()), fused)
    fused.square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in fusion.parameters())


@pytest.mark.parametrize("name", registry.names("FUSIONS"))
def test_the_number_of_layers_has_an_effect(name):
    (one, _, first), (three, _, third) = fuse(name, 1), fuse(name, 3)
    count = [sum(p.numel() for p in fusion.parameters()) for fusion in (one, three)]
    assert count[1] > count[0]
    assert not torch.allclose(first, third)


@pytest.mark.parametrize("name", registry.names("FUSIONS"))
def test_padding_and_batch_mates_have_no_part(name):
    fusion, given, fused = fuse(name)
    padded = given["text"].clone()
    padded[:, 4:] += 5
    assert torch.allclose(fusion(given["vision"], padded, given["mask"]), fused, atol=1e-6)
    alone = fusion(*(value[1:2] for value in given.values()))
    assert torch.allclose(alone, fused[1:2], atol=1e-5)


def test_cross_attention_sees_all_tokens_and_heads_matter():
    fusion, given, fused = fuse("cross_attention")
    words = given["text"].clone()
    words[:, 2] = -words[:, 2]
    assert not torch.allclose(fusion(given["vision"], words, given["mask"]), fused)
    state = fusion.state_dict()
    other = registry.load("FUSIONS", "cross_attention")(DIM, 1, 1, 0.0).eval()
    other.load_state_dict(state)
    assert not torch.allclose(other(*given.values()), fused)
    with pytest.raises(FoldwiseError, match=r"3 heads do not divide model\.dim 16"):
        registry.load("FUSIONS", "cross_attention")(DIM, 3, 1, 0.0)


def test_gated_and_film_are_their_formulas():
    fusion, given, fused = fuse("gated")
    v, t = given["vision"][:, 0], given["text"][:, 0]
    z = torch.sigmoid(fusion.gate[0](torch.cat([v, t], 1)))
    assert torch.allclose(fused, z * fusion.own[0](v).tanh() + (1 - z) * fusion.other[0](t).tanh())
    fusion, given, fused = fuse("film")
    scale, shift = fusion.condition[0](t)[:, :DIM], fusion.condition[0](t)[:, DIM:]
    assert torch.allclose(fused, v + torch.relu((1 + scale) * fusion.linear[0](v) + shift))


@pytest.mark.parametrize("vision", ["small_cnn", "resnet18", "vit", "deit"])
@pytest.mark.parametrize("text", ["bert", "distilbert"])
def test_every_weight_of_every_pair_is_trained(folder, vision, text):
    model = build(folder, vision, text, match_dim=24)
    out = model(*batch(folder))
    assert {name: tuple(x.shape) for name, x in out.logits.items()} == {
        "modality": (3, 2),
        "location": (3, 5),
    }
    assert out.fused.shape == out.vision.shape == out.text.shape == (3, DIM)
    assert out.matched.shape == (3, 24)
    (sum(x.square().sum() for x in out.logits.values()) + out.matched.square().sum()).backward()
    assert [name for name, p in model.named_parameters() if p.grad is None] == []
    inside = [id(p) for block in model.blocks() for p in block.parameters()]
    assert len(inside) == len(set(inside))
    outside = {id(p) for p in model.head.parameters()}
    assert set(inside) | outside == {id(p) for p in model.parameters()}


def test_encoders_give_what_transformers_gives(folder):
    _, ids, mask = batch(folder)
    bert = transformers.AutoModel.from_pretrained(folder / "bert").eval()
    ours = encoders.text_encoder({"name": str(folder / "bert"), "weights": "pretrained"}).eval()
    theirs = bert(input_ids=ids, attention_mask=mask).last_hidden_state
    assert torch.equal(ours(ids, mask), theirs)
    vit = transformers.AutoModel.from_pretrained(folder / "vit").eval()
    image = torch.randn(2, 3, 32, 32)
    ours = encoders.vision_encoder({"name": str(folder / "vit"), "weights": "pretrained"}, 3).eval()
    assert torch.allclose(ours(image), vit(image).last_hidden_state, atol=1e-6)
    assert ours(torch.randn(2, 1, 64, 64)).shape == (2, 65, 12)


def test_a_networks_first_token_is_its_features():
    torch.manual_seed(0)
    encoder = encoders.vision_encoder({"name": "small_cnn", "weights": "none"}, 1).eval()
    image = torch.randn(2, 1, 64, 64)
    tokens = encoder(image)
    assert torch.equal(tokens[:, 0], encoder.net(image))
    assert torch.allclose(tokens[:, 1:].mean(1), tokens[:, 0], atol=1e-5)


def test_only_the_last_blocks_of_both_encoders_train(folder):
    model = build(folder, "vit", "distilbert")
    model.trainable(1)
    trained = {
        n for n, p in model.named_parameters() if p.requires_grad and not n.startswith("head")
    }
    assert all(".layers.1." in n or ".layer.1." in n or "net.layernorm" in n for n in trained)
    assert {n.split(".")[0] for n in trained} == {"vision", "text"}


def test_random_weights_come_from_the_seed(folder):
    given = {"name": str(folder / "bert"), "weights": "none"}
    first, second = [], []
    for found in (first, second):
        torch.manual_seed(5)
        found.extend(encoders.text_encoder(given).state_dict().values())
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    trained = (
        encoders.text_encoder({"name": str(folder / "bert"), "weights": "pretrained"})
        .state_dict()
        .values()
    )
    assert not all(torch.equal(a, b) for a, b in zip(first, trained, strict=True))


def test_tokens_are_the_tokenizers(folder):
    found = encoders.tokenise(TEXTS, str(folder / "bert"), 6)
    assert found["input_ids"].tolist()[1] == [1, 10, 11, 12, 2, 0]
    assert found["attention_mask"].sum(1).tolist() == [6, 5, 6]
    assert found["input_ids"].dtype == np.int64


def test_missing_pieces_are_named(folder, tmp_path):
    with pytest.raises(FoldwiseError, match="1 of 2 samples have no text"):
        encoders.tokenise(["lung", " "], str(folder / "bert"), 6)
    with pytest.raises(FoldwiseError, match="reads 16 tokens at the most"):
        encoders.tokenise(["lung"], str(folder / "bert"), 17)
    with pytest.raises(FoldwiseError, match=r"image\.channels: 2, but .* takes 3"):
        encoders.vision_encoder({"name": str(folder / "vit"), "weights": "pretrained"}, 2)
    with pytest.raises(FoldwiseError, match=r"model\.text\.name: no folder .*save_pretrained"):
        encoders.tokenise(["lung"], str(tmp_path / "absent"), 6)
    with pytest.raises(FoldwiseError, match="no tokenizer could be loaded"):
        encoders.tokenise(["lung"], str(tmp_path), 6)
    with pytest.raises(FoldwiseError, match=r"model\.vision\.name: no transformers model"):
        encoders.vision_encoder({"name": str(tmp_path), "weights": "pretrained"}, 1)
    with pytest.raises(FoldwiseError, match=r"no folder .*save_pretrained"):
        encoders.text_encoder({"name": str(tmp_path / "absent"), "weights": "pretrained"})
    smaller = transformers.BertConfig(hidden_size=12, vocab_size=5, **SMALL)
    transformers.BertModel(smaller).save_pretrained(tmp_path)
    tokenizer().save_pretrained(tmp_path)
    with pytest.raises(FoldwiseError, match=r"gives token \d+, and the model knows 5"):
        encoders.tokenise(["small node"], str(tmp_path), 6)
    deeper = transformers.BertConfig(
        hidden_size=12, vocab_size=5, **SMALL | {"num_hidden_layers": 3}
    )
    deeper.save_pretrained(tmp_path)
    with pytest.raises(FoldwiseError, match="lack 16 of the model's tensors"):
        encoders.text_encoder({"name": str(tmp_path), "weights": "pretrained"})


@pytest.mark.parametrize("kind", ["text", "vision"])
def test_a_hub_name_without_a_network_is_one_message(kind, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    make = {
        "text": encoders.text_encoder,
        "vision": lambda named: encoders.vision_encoder(named, 3),
    }
    with pytest.raises(FoldwiseError, match=rf"model\.{kind}\.name: .*'some/name'.*no network"):
        make[kind]({"name": "some/name", "weights": "pretrained"})


def test_what_a_folder_holds_is_loaded_without_asking_the_hub(folder, monkeypatch):
    def refuse(*args, **more):
        raise AssertionError("asked the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    encoders.text_encoder({"name": str(folder / "bert"), "weights": "pretrained"})
    encoders.tokenise(["lung"], str(folder / "bert"), 6)
