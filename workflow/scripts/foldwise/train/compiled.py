"""Networks compiled by PyTorch for the steps of training, where a run asks for it.

Only steps are: validation and prediction ask the network itself, so that whoever predicts later
needs no compiler and meets the numbers of the training to the last bit.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

from foldwise.errors import FoldwiseError

# Graphs of one network: one for each side, size of batch and number of trained blocks.
GRAPHS = 64


def compiled(model: nn.Module) -> nn.Module:
    """The network compiled anew for each shape of a batch; it shares its weights with `model`.

    Not for shapes in general: which ones came first would decide the code and so the last bits, and
    a resumed training begins at another batch.
    """
    # Here: it takes seconds, and most runs have no use for it.
    import torch
    import torch._dynamo

    torch._dynamo.config.recompile_limit = GRAPHS
    # A step that is silently not compiled any more would end in other bits.
    torch._dynamo.config.fail_on_recompile_limit_hit = True
    # Dropout as without the compiler, and no more processes than the job has threads.
    options = {"fallback_random": True, "compile_threads": torch.get_num_threads()}
    return torch.compile(model, dynamic=False, options=options)


@contextmanager
def compiler_explained(enabled: bool) -> Iterator[None]:
    """Turn a failure of the compiler in the body into an error with a next step."""
    if not enabled:
        yield
        return
    from torch._dynamo.exc import FailOnRecompileLimitHit, TorchDynamoException

    try:
        yield
    except FailOnRecompileLimitHit as error:
        raise FoldwiseError(
            f"training.compile: more than {GRAPHS} shapes of batches or sets of trained blocks, "
            "each compiled by itself. Name fewer sizes in training.stages, or set "
            "training.compile: false."
        ) from error
    except TorchDynamoException as error:
        reason = str(error).strip().splitlines()[0]
        raise FoldwiseError(
            f"training.compile: PyTorch could not compile the network ({reason}). It needs a C++ "
            "compiler on a CPU (g++, or CXX names one), Triton on a GPU. Install it, or set "
            "training.compile: false."
        ) from error
