"""Where a classifier looks: Grad-CAM of films that a reader cares about.

Selvaraju et al. 2017, "Grad-CAM", ICCV; the digits of the library pytorch-grad-cam, whose import
takes longer than the work. The map is of the class that was predicted: what speaks for it, whether
it is right or not.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from foldwise.files import replacing, write_json
from foldwise.report.cam.films import Film, choose_films
from foldwise.report.cam.overlay import grey_levels, overlay
from foldwise.train.job import FoldJob
from foldwise.train.predict import load_model

# Fewer places a side than this and a map says little: three places of a picture of 96 pixels.
FEWEST_PLACES = 6


def gradcam_fold(
    job: FoldJob,
    predictions: Sequence[dict[str, str]],
    model_path: str | Path,
    per_class: int,
) -> None:
    """Write a PNG a film, gradcam.json (what each shows) and gradcam.npz into the job's folder.

    predictions: the val_predictions.csv of the job's fold. The PNG's name says sample, prediction
    and truth. gradcam.npz: films and maps, (N, H, W) uint8 each, in the order of gradcam.json.
    """
    answers = job.task.answers()
    films = choose_films(predictions, answers, per_class)
    by_sample = {row["sample"]: row for row in job.part("val")}
    shown = [by_sample[film.sample] for film in films]
    kept = load_model(job, model_path)
    feed = kept.feed(job, shown)
    pictures, maps = [], []
    for i, film in enumerate(films):
        # One at a time: a few dozen films, and no batch size to run out of memory at.
        batch = feed.batch(np.array([i]), kept.size)
        number = output_of(answers, film.part, film.predicted)
        heat = class_map(kept.model, job.task, batch, number)
        pictures.append(grey_levels(batch["image"][0].cpu().numpy(), *feed.normalisation(i)))
        maps.append(np.round(heat * 255).astype(np.uint8))
    _write(job.out, films, pictures, maps)


def output_of(answers: Mapping[str, Sequence[str]], part: str, name: str) -> int:
    """Number of a class among all outputs, flattened: the parts' classes one after another."""
    before = list(answers)[: list(answers).index(part)]
    return sum(len(answers[one]) for one in before) + list(answers[part]).index(name)


def _write(folder: Path, films: list[Film], pictures: list, maps: list) -> None:
    for film, picture, heat in zip(films, pictures, maps, strict=True):
        with replacing(folder / f"{film.stem}.png") as temporary:
            Image.fromarray(overlay(picture, heat)).save(temporary, format="PNG")
    with replacing(folder / "gradcam.npz") as temporary:
        np.savez_compressed(temporary, films=np.array(pictures), maps=np.array(maps))
    entries = [asdict(film) | {"file": f"{film.stem}.png"} for film in films]
    write_json(folder / "gradcam.json", {"films": entries})


def class_map(model: nn.Module, task: Any, batch: dict[str, Tensor], number: int) -> np.ndarray:
    """(H, W) float32 from 0 to 1: places that speak for class `number` of the batch's one image."""
    layer = layer_with_places(model, batch["image"])
    scores = _Scores(model, task, batch)
    return gradcam(scores, layer, batch["image"], number, model.layout.to_map)


def layer_with_places(model: nn.Module, image_1chw: Tensor) -> nn.Module:
    """The model's Grad-CAM layer or, on small pictures, the last block with 6 places a side."""
    last, layout = model.gradcam_layer, model.layout
    if layout.to_map is not None:
        return last  # Tokens: as many places in every layer.
    blocks = [layout.net.get_submodule(names[0]) for names in layout.blocks if len(names) == 1]
    places: dict[nn.Module, int] = {}

    def note(block: nn.Module, _: Any, out: Tensor) -> None:
        places[block] = min(out.shape[2:], default=0)  # None in a classifier's hidden layers.

    hooks = [block.register_forward_hook(note) for block in {*blocks, last}]
    with torch.no_grad():
        layout.net(image_1chw)
    for hook in hooks:
        hook.remove()
    fine = [block for block in (*blocks, last) if places[block] >= FEWEST_PLACES]
    return fine[-1] if fine else last


def gradcam(
    model: nn.Module,
    layer: nn.Module,
    image_1chw: Tensor,
    number: int,
    to_map: Callable[[Tensor], Tensor] | None = None,
) -> np.ndarray:
    """(H, W) Grad-CAM, 0 to 1, of output `number` of `model` at `layer` for one image.

    to_map: the layer's output as (B, D, h, w) where it is not yet. A map without any support for
    the class is zero throughout.
    """
    # Grad-CAM takes the gradient at a layer, which may lie in a part that was frozen.
    states = [(p, p.requires_grad) for p in model.parameters()]
    try:
        model.requires_grad_(True)
        places, gradient = _at_layer(model, layer, image_1chw, number)
    finally:
        # The library leaves gradients behind, as large as the model.
        model.zero_grad(set_to_none=True)
        for parameter, before in states:
            parameter.requires_grad_(before)
    if to_map is not None:
        places, gradient = to_map(places), to_map(gradient)
    places, gradient = (one.cpu().numpy() for one in (places, gradient))
    heat = (gradient.mean(axis=(2, 3))[:, :, None, None] * places).sum(axis=1)[0]
    # To the picture's size at full range, and to full range again, which interpolation narrows.
    heat = _full_range(np.maximum(heat, 0))
    heat = cv2.resize(heat, (image_1chw.shape[-1], image_1chw.shape[-2]))
    return np.nan_to_num(_full_range(np.maximum(heat, 0)))


def _at_layer(
    model: nn.Module, layer: nn.Module, image_1chw: Tensor, number: int
) -> tuple[Tensor, Tensor]:
    """The layer's output and the gradient of output `number` at it, both as the layer gives it."""
    places: list[Tensor] = []
    gradients: list[Tensor] = []

    def note(_: nn.Module, __: Any, out: Tensor) -> None:
        places.append(out.detach())
        # By a hook: what follows may change the layer's output in place (DenseNet's ReLU).
        out.register_hook(gradients.append)

    model.eval()
    hook = layer.register_forward_hook(note)
    try:
        model(image_1chw)[0][number].backward()
    finally:
        hook.remove()
    return places[0], gradients[-1]


def _full_range(heat: np.ndarray) -> np.ndarray:
    """From 0 to 1; the little that is added keeps an empty map empty."""
    heat = heat - heat.min()
    return np.float32(heat / (1e-7 + heat.max()))


class _Scores(nn.Module):
    """The model as image -> (B, K) scores of all parts' classes: logits, or log odds of them."""

    def __init__(self, model: nn.Module, task: Any, batch: dict[str, Tensor]) -> None:
        super().__init__()
        self.model, self.task, self.batch = model, task, batch

    def forward(self, image_bchw: Tensor) -> Tensor:
        n_classes = sum(len(classes) for classes in self.task.answers().values())
        if not getattr(self.model, "embedding_dim", 0):
            logits = self.model(image_bchw).flatten(1)
            if logits.shape[1:] == (n_classes,):
                return logits
        p = self.task.predict(self.model, self.batch | {"image": image_bchw})["probability"]
        p = p.flatten(1)
        # Log odds and not probabilities: where a network is sure, these have no gradient left.
        return p.clamp(1e-6, 1 - 1e-6).logit()
