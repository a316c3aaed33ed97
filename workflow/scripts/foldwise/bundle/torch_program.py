"""A fold's model as a program of torch.export, for torch without this package.

The same graph as in ONNX, with the normalisation inside, and compared with the network the same
way. Foldwise writes such files and never reads them: torch unpacks what a stranger put in.
"""

import io
import logging
import warnings
from typing import Any

import torch

from foldwise.bundle.onnx_model import TOLERANCE, Exported, any_number, inputs_of, several_sizes
from foldwise.tasks.base import Batch, Task
from foldwise.train.predict import KeptModel

log = logging.getLogger("foldwise")


def export_program(
    task: Task, kept: KeptModel, params: dict[str, Any]
) -> tuple[bytes | None, dict[str, Any]]:
    """A .pt2 file's bytes and what is known of it; (None, {"reason": ...}) where there is none."""
    if several := several_sizes(params):
        return None, several
    whole, inputs = inputs_of(task, kept, params)
    try:
        content = programmed(whole, inputs)
        answers = run(content, inputs)
    # As with ONNX: what a network does that cannot be traced fails in many ways.
    except Exception as error:
        log.info("No torch.export: %s: %s", type(error).__name__, str(error)[:300])
        return None, {"reason": f"the network cannot be exported ({type(error).__name__})"}
    with torch.inference_mode():
        expected = whole(*inputs.values())
    worst = max(float((a - b).abs().max()) for a, b in zip(answers, expected, strict=True))
    # Not `>`: an answer that is no number is refused as well.
    if not worst <= TOLERANCE:
        return None, {"reason": f"torch.export differs by {worst:.2g}, over {TOLERANCE:g}"}
    # Another release may refuse the file: the version says which one reads it.
    facts = {"inputs": list(inputs), "max_difference": worst, "torch": torch.__version__}
    return content, facts | {"outputs": sorted(task.exported(whole.model, {**inputs}))}


def programmed(whole: Exported, inputs: Batch) -> bytes:
    """The program with its weights, for any number of images at once."""
    buffer = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        # Of its own internals; what counts is compared afterwards.
        warnings.simplefilter("ignore")
        program = torch.export.export(
            whole, tuple(inputs.values()), dynamic_shapes=any_number(inputs)
        )
        forget_places(program)
        torch.export.save(program, buffer)
    return buffer.getvalue()


def forget_places(program: torch.export.ExportedProgram) -> None:
    """Take out where each step stands in code: paths of this machine, maybe with a user's name."""
    for module in program.graph_module.modules():
        for node in module.graph.nodes if isinstance(module, torch.fx.GraphModule) else ():
            node.meta.pop("stack_trace", None)


def run(content: bytes, inputs: Batch) -> tuple[torch.Tensor, ...]:
    """What the file answers once it is read back."""
    program = torch.export.load(io.BytesIO(content))
    with torch.inference_mode():
        return tuple(program.module()(*inputs.values()))
