"""Image and text encoders as sequences of tokens (B, T, D) whose token 0 speaks for the whole."""

import inspect
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from torch import Tensor, nn

from foldwise import registry
from foldwise.errors import FoldwiseError
from foldwise.models.vision import VisionModel

HINT = (
    "Give a folder with config.json, model.safetensors and the tokenizer's files (what "
    "save_pretrained writes), or a model name of the Hugging Face hub and a network."
)


class NetworkTokens(nn.Module):
    """A vision network of the registry: its features first, then each place of its last map."""

    def __init__(self, model: VisionModel):
        super().__init__()
        self.net, self.layout = model.backbone, model.layout
        self.width = model.layout.map_width or model.width

    def blocks(self) -> list[nn.Module]:
        """Feature blocks from the image."""
        return self.layout.parts()

    def forward(self, image_bchw: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, 1 + places, width)."""
        if hasattr(self.net, "tokens"):
            return self.net.tokens(image_bchw)
        maps: list[Tensor] = []
        layer = self.net.get_submodule(self.layout.gradcam)
        hook = layer.register_forward_hook(lambda module, inputs, out: maps.append(out))
        try:
            features = self.net(image_bchw)
        finally:
            hook.remove()
        last = self.layout.to_map(maps[0]) if self.layout.to_map else maps[0]
        # One width for all tokens: where hidden layers widen the features, the map's mean speaks.
        first = last.mean(dim=(2, 3)) if self.layout.map_width else features
        return torch.cat([first[:, None], last.flatten(2).transpose(1, 2)], dim=1)


class HubTokens(nn.Module):
    """A transformers model whose layers keep one width (ViT, DeiT, BERT, DistilBERT class)."""

    def __init__(self, net: nn.Module):
        super().__init__()
        # Token 0 is used as it leaves the layers; a pooler would be weights that nothing trains.
        if getattr(net, "pooler", None) is not None:
            net.pooler = None
        self.net, self.width = net, net.config.hidden_size

    def blocks(self) -> list[nn.Module]:
        """Embeddings, then each layer; what follows the layers belongs to the last."""
        lists = [m for m in self.net.modules() if isinstance(m, nn.ModuleList)]
        # The longest list: some models have a second, short one beside their layers.
        layers = max(lists, key=len)
        inside = {id(parameter) for parameter in layers.parameters()}
        before, after, passed = [], [], False
        for child in self.net.children():
            passed = passed or any(id(parameter) in inside for parameter in child.parameters())
            (after if passed else before).append(child)
        tail = [m for m in after if not any(id(p) in inside for p in m.parameters())]
        return [nn.ModuleList(before), *layers[:-1], nn.ModuleList([layers[-1], *tail])]


class HubVision(HubTokens):
    """An image encoder of transformers; a grey image is given to each of its channels."""

    def forward(self, image_bchw: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, T, width)."""
        channels = getattr(self.net.config, "num_channels", image_bchw.shape[1])
        if image_bchw.shape[1] == 1:
            image_bchw = image_bchw.expand(-1, channels, -1, -1)
        parameters = inspect.signature(self.net.forward).parameters
        sized = (
            {"interpolate_pos_encoding": True} if "interpolate_pos_encoding" in parameters else {}
        )
        return self.net(image_bchw, **sized).last_hidden_state


class HubText(HubTokens):
    """A text encoder of transformers."""

    def forward(self, input_ids_bl: Tensor, mask_bl: Tensor) -> Tensor:
        """(B, L) token numbers and mask -> (B, L, width)."""
        return self.net(input_ids=input_ids_bl, attention_mask=mask_bl).last_hidden_state


def vision_encoder(settings: dict[str, Any], channels: int) -> NetworkTokens | HubVision:
    """Of settings name (of the registry, or folder or hub name of transformers) and weights."""
    name = settings["name"]
    if registry.has("VISION", name):
        # Weights are called after their data there; one output, since the head is not used.
        weights = settings["weights"].replace("pretrained", "imagenet")
        make = registry.load("VISION", name)
        # The head, and with it its dropout, is not used.
        return NetworkTokens(make({"name": name, "weights": weights, "dropout": 0.0}, channels, 1))
    net = from_hub(name, settings["weights"], "model.vision.name")
    expected = getattr(net.config, "num_channels", channels)
    if channels not in (1, expected):
        raise FoldwiseError(
            f"image.channels: {channels}, but the model in '{name}' takes {expected}. "
            f"Set image.channels to 1 or {expected}."
        )
    return HubVision(net)


def text_encoder(settings: dict[str, Any]) -> HubText:
    """Of settings name (folder or hub name of transformers), weights (pretrained or none)."""
    return HubText(from_hub(settings["name"], settings["weights"], "model.text.name"))


def from_hub(source: str, weights: str, where: str) -> nn.Module:
    """A transformers model in float32; `weights` none draws them from torch's generator.

    Raises FoldwiseError when there is none or when the file lacks weights of the model.
    """
    present(source, where)
    if weights == "none":
        config = loaded(transformers.AutoConfig, source, where)
        return transformers.AutoModel.from_config(config)
    net, info = loaded(
        transformers.AutoModel, source, where, dtype=torch.float32, output_loading_info=True
    )
    # transformers only warns of them and draws them at random. The pooler is not used (HubTokens).
    missing = sorted(key for key in info["missing_keys"] if not key.startswith("pooler."))
    if missing:
        raise FoldwiseError(
            f"{where}: the weights in '{source}' lack {len(missing)} of the model's tensors, the "
            f"first is {missing[0]}. {HINT}"
        )
    return net


def loaded(kind: Any, source: str, where: str, **how: Any) -> Any:
    """`kind.from_pretrained` of a folder, of the hub's files kept here, or of the hub itself.

    What is there needs no network. Raises FoldwiseError where nothing can be had.
    """
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # It counts its tries aloud.
    what = "tokenizer" if kind is transformers.AutoTokenizer else "transformers model"
    try:
        # What is kept here first: compute nodes have no network, and a hub's file may change.
        return kind.from_pretrained(source, local_files_only=True, **how)
    except (OSError, ValueError) as error:
        if Path(source).is_dir():
            raise FoldwiseError(
                f"{where}: no {what} could be loaded from the folder '{source}' "
                f"({type(error).__name__}). {HINT}"
            ) from error
    try:
        return kind.from_pretrained(source, **how)
    except (OSError, ValueError) as error:
        raise FoldwiseError(
            f"{where}: no {what} '{source}': there is no such folder, it was not fetched before, "
            f"and the Hugging Face hub gave none (no network, or no such name). {HINT}"
        ) from error


def present(source: str, where: str) -> None:
    """FoldwiseError for what is written as a path and is no folder."""
    written_as_path = source.startswith((".", "/", "~")) or source.count("/") > 1
    if written_as_path and not Path(source).is_dir():
        raise FoldwiseError(f"{where}: no folder {source}. {HINT}")


def tokenise(texts: Sequence[str], source: str, max_tokens: int) -> dict[str, np.ndarray]:
    """{"input_ids", "attention_mask"}: (N, max_tokens) int64, padded or cut.

    `source`: folder or hub name of tokenizer and config. Raises FoldwiseError when there is no
    tokenizer, a text is empty, or a token is unknown to the model.
    """
    empty = sum(not text.strip() for text in texts)
    if empty:
        raise FoldwiseError(
            f"data.columns.texts: {empty} of {len(texts)} samples have no text. Exclude them "
            "(data.exclusions) or name another column."
        )
    present(source, "model.text.name")
    tokenizer = loaded(transformers.AutoTokenizer, source, "model.text.name")
    config = loaded(transformers.AutoConfig, source, "model.text.name")
    longest = getattr(config, "max_position_embeddings", max_tokens)
    if max_tokens > longest:
        raise FoldwiseError(
            f"model.text.max_tokens: {max_tokens}, but the model in '{source}' reads {longest} "
            f"tokens at the most. Set it to {longest} or less."
        )
    # Padded to one length and not to the batch's longest: a row's bits must not hang on its batch.
    tokens = tokenizer(list(texts), padding="max_length", truncation=True, max_length=max_tokens)
    arrays = {key: np.array(tokens[key], np.int64) for key in ("input_ids", "attention_mask")}
    highest = arrays["input_ids"].max()
    # Checked here: on a GPU a wrong index ends in an assertion that names neither text nor model.
    if highest >= config.vocab_size:
        raise FoldwiseError(
            f"model.text.name: the tokenizer in '{source}' gives token {highest}, and the model "
            f"knows {config.vocab_size}. {HINT}"
        )
    return arrays
