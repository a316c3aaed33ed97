"""Tiny untrained encoders with a tokenizer, made from a study's own texts where no hub is in reach.

Each is a folder that transformers' `from_pretrained` reads. They know the words of the texts they
are made from and nothing of language: a start from random weights, for small studies and trials.
"""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
HEADS = 2  # of attention in a small text encoder
LONGEST_TEXT = 96
PATCHES_ACROSS = 8


def wordpieces(texts: Iterable[str]) -> dict[str, int]:
    """A WordPiece vocabulary: whole words that occur twice, and letters to spell all others.

    Sorted by frequency, then by letter, so that equal texts give equal numbers.
    """
    # Digits one by one: a vocabulary of all numbers in the texts would learn none of them.
    counts = Counter(re.findall(r"[a-z]+|[0-9]|[^\sa-z0-9]", " ".join(texts).lower()))
    often = [word for word, n in sorted(counts.items(), key=lambda kv: (-kv[1], kv[0])) if n > 1]
    letters = sorted({letter for word in counts for letter in word})
    # [PAD] first: BERT's configuration takes number 0 for padding.
    pieces = [*SPECIAL, *letters, *(f"##{letter}" for letter in letters), *often]
    return {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}


def write_text_encoder(
    folder: Path,
    words: dict[str, int],
    seed: int,
    width: int = 32,
    layers: int = 1,
    distilled: bool = False,
) -> None:
    """Write tokenizer, configuration and random weights of a BERT (or a DistilBERT)."""
    from transformers import BertConfig, BertModel, DistilBertConfig, DistilBertModel

    write_tokenizer(folder, words)
    shared = {"vocab_size": len(words), "max_position_embeddings": LONGEST_TEXT}
    if distilled:
        sizes = {"dim": width, "hidden_dim": 2 * width, "n_layers": layers, "n_heads": HEADS}
        _write_random(folder, DistilBertModel, DistilBertConfig(**shared, **sizes), seed)
        return
    sizes = {"hidden_size": width, "intermediate_size": 2 * width}
    sizes |= {"num_hidden_layers": layers, "num_attention_heads": HEADS}
    _write_random(folder, BertModel, BertConfig(**shared, **sizes), seed)


def write_vision_encoder(
    folder: Path, size: int, seed: int, width: int = 32, layers: int = 2, heads: int = 2
) -> None:
    """Write configuration and random weights of a ViT for `size` x `size` pictures."""
    from transformers import ViTConfig, ViTModel

    config = ViTConfig(
        image_size=size,
        patch_size=max(4, size // PATCHES_ACROSS),
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
    )
    _write_random(folder, ViTModel, config, seed)


def write_tokenizer(folder: Path, words: dict[str, int]) -> None:
    """Write a lower-case WordPiece tokenizer that frames each text as [CLS] ... [SEP]."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.WordPiece(words, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    # In the order in which BertProcessing takes them.
    ends = [(name, words[name]) for name in ("[SEP]", "[CLS]")]
    tokenizer.post_processor = processors.BertProcessing(*ends)
    names = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=LONGEST_TEXT,
        **dict(zip(names, SPECIAL, strict=True)),
    )
    wrapped.save_pretrained(folder)


def _write_random(folder: Path, model_class: type, config: object, seed: int) -> None:
    import torch
    from transformers.utils import logging

    logging.disable_progress_bar()
    # Whoever calls this keeps the random state that it had.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model_class(config).save_pretrained(folder)
