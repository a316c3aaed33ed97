"""A fold's model as ONNX, for programs without torch, compared with torch before it is kept.

The network takes prepared pixels as 0..1 and normalises them itself, so that whoever uses it needs
no number of this package.
"""

import importlib.util
import logging
import warnings
from typing import Any

import numpy as np
import torch
from torch import nn

from foldwise.hashing import stream_seed
from foldwise.tasks.base import Batch, Task
from foldwise.train.feed.normalise import by_picture
from foldwise.train.job import CPU
from foldwise.train.predict import KeptModel

# Largest difference of a probability from torch's, beyond which a file is not handed over.
TOLERANCE = 1e-5
PACKAGES = ("onnx", "onnxscript", "onnxruntime")
# One image would let the exporter take the size of a batch for a constant.
BATCH = 2
# Images at once that a graph is made for.
MOST = 4096
# Token numbers of the drawn text stay below this: any tokeniser has as many.
TOKENS = 8

log = logging.getLogger("foldwise")


class Exported(nn.Module):
    """Normalisation and network: what the task says is asked of a model, as one graph."""

    def __init__(self, task: Task, kept: KeptModel, more: list[str], own: bool = False) -> None:
        super().__init__()
        self.task, self.model, self.more, self.own = task, kept.model, more, own
        mean, std = (torch.tensor(part)[:, None, None] for part in kept.normalise)
        self.register_buffer("mean", mean)
        self.register_buffer("std", std)

    def forward(self, image: torch.Tensor, *others: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """(B, C, S, S) in 0..1, and what else the task reads -> its answers, sorted by name."""
        batch = {"image": self._normalised(image), **dict(zip(self.more, others))}  # noqa: B905
        answers = self.task.exported(self.model, batch)
        return tuple(answers[name] for name in sorted(answers))

    def _normalised(self, image: torch.Tensor) -> torch.Tensor:
        if not self.own:
            return (image - self.mean) / self.std
        mean = image.mean(dim=(2, 3), keepdim=True)
        variance = ((image - mean) ** 2).mean(dim=(2, 3), keepdim=True)
        # A constant channel is left as it is, as where the network was trained.
        return (image - mean) / torch.where(variance > 0, variance, 1.0).sqrt()


def example(kept: KeptModel, channels: int, text: dict[str, Any] | None) -> Batch:
    """Inputs of a batch by name, drawn: pixels in 0..1, and token numbers where texts are read."""
    generator = torch.Generator().manual_seed(stream_seed(0, "onnx"))
    size = (BATCH, channels, kept.size, kept.size)
    inputs = {"image": torch.rand(size, generator=generator)}
    if text:
        length = (BATCH, text["max_tokens"])
        mask = torch.ones(length, dtype=torch.int64)
        # The second text is shorter: padding has a part of its own in attention.
        mask[1, length[1] // 2 :] = 0
        # From 1: number 0 is padding here.
        tokens = torch.randint(1, TOKENS, length, generator=generator)
        inputs |= {"input_ids": tokens * mask, "attention_mask": mask}
    return inputs


def export(task: Task, kept: KeptModel, params: dict[str, Any]) -> tuple[bytes | None, dict]:
    """ONNX bytes and what is known of them: inputs, outputs, the largest difference from torch.

    (None, {"reason": ...}) where there is none: a package lacks, the graph cannot be traced, or
    the difference is more than TOLERANCE. Weights stand in the bundle either way.
    """
    lacking = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if lacking:
        return None, {"reason": f"{', '.join(lacking)} not installed where the bundle was made"}
    if several := several_sizes(params):
        return None, several
    whole, inputs = inputs_of(task, kept, params)
    names = sorted(task.exported(whole.model, {**inputs}))
    try:
        content = traced(whole, inputs, names)
    # The exporter fails in its own many ways; a bundle without ONNX is whole all the same.
    except Exception as error:
        log.info("No ONNX: %s: %s", type(error).__name__, str(error)[:300])
        return None, {"reason": f"the network cannot be exported ({type(error).__name__})"}
    with torch.inference_mode():
        expected = whole(*inputs.values())
    given = run(content, inputs)
    worst = max(float(np.abs(a - b.numpy()).max()) for a, b in zip(given, expected, strict=True))
    facts = {"inputs": list(inputs), "outputs": names, "max_difference": worst}
    # Not `>`: an answer that is no number is refused as well.
    if not worst <= TOLERANCE:
        return None, {"reason": f"ONNX differs from torch by {worst:.2g}, over {TOLERANCE:g}"}
    return content, facts


def several_sizes(params: dict[str, Any]) -> dict[str, str]:
    """Why no graph of one size can be made of a model; empty where it can."""
    if params["image"]["fit"] != "native":
        return {}
    return {"reason": "pictures of several sizes (image.fit native) make no fixed graph"}


def inputs_of(task: Task, kept: KeptModel, params: dict[str, Any]) -> tuple[Exported, Batch]:
    """A member as one graph, and a batch that it can be traced with."""
    inputs = example(kept, params["image"]["channels"], params["task"].get("text"))
    more, own = [name for name in inputs if name != "image"], by_picture(params)
    # On the CPU: what is exported is asked there too, and a GPU's rounding is no fault of it.
    model = KeptModel(kept.model.to(CPU), *_rest(kept))
    return Exported(task, model, more, own).eval(), inputs


def _rest(kept: KeptModel) -> tuple[Any, int, int]:
    return kept.normalise, kept.size, kept.epoch


def any_number(inputs: Batch) -> tuple[Any, ...]:
    """What `dynamic_shapes` is for any number of images at once: `image`, then all others."""
    # Named as free: else the number of images would be fixed to the example's.
    batch = torch.export.Dim("batch", min=1, max=MOST)
    image, *others = [{0: batch} for _ in inputs]
    return (image, tuple(others)) if others else (image,)


def traced(whole: Exported, inputs: Batch, names: list[str]) -> bytes:
    """The graph with weights inside, for any number of images at once."""
    with warnings.catch_warnings(), torch.no_grad():
        # The exporter warns of its own internals; what counts is compared afterwards.
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            whole,
            tuple(inputs.values()),
            input_names=list(inputs),
            output_names=names,
            dynamic_shapes=any_number(inputs),
            dynamo=True,
            verbose=False,
        )
    # The property and not `save`, whose targets are not the same in all releases of torch.
    return without_places(program.model_proto)


def without_places(model: Any) -> bytes:
    """A graph's bytes without what the exporter notes of each step: files on this machine."""
    # Its notes are for whoever mends the exporter; they may hold a user's name.
    for part in (model.graph, *model.functions):
        for noted in (part, *part.node, *part.value_info):
            noted.ClearField("metadata_props")
    for value in (*model.graph.input, *model.graph.output, *model.graph.initializer):
        value.ClearField("metadata_props")
    return model.SerializeToString()


def run(content: bytes, inputs: Batch) -> list[np.ndarray]:
    """What onnxruntime answers, in the order of the outputs."""
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return session.run(None, {name: value.numpy() for name, value in inputs.items()})
