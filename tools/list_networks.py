"""Write workflow/scripts/foldwise/models/torchvision.json: torchvision's classification networks.

Run by hand after an update of torchvision; a test says when it is due. Sides are tried on networks
without weights (torch's meta device), so that no network takes memory or a download.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "workflow" / "scripts")]

import torch  # noqa: E402
from torchvision import models  # noqa: E402
from torchvision.models.regnet import BlockParams  # noqa: E402

from foldwise.errors import FoldwiseError  # noqa: E402
from foldwise.models.torchvision_networks import backbone  # noqa: E402

FILE = ROOT / "workflow" / "scripts" / "foldwise" / "models" / "torchvision.json"
# Networks that are left out, and why.
LEFT_OUT = {"maxvit_t": "takes pictures of one size only, 224 pixels"}
# GoogLeNet and Inception turn ImageNet's normalisation into this one in their first layer, which a
# grey picture cannot pass; ours start behind it.
HALF = ("googlenet", "inception_v3")
MOST, COARSE = 160, 8  # Pixels.


def names() -> list[str]:
    """The networks that a study may name."""
    return [name for name in models.list_models(module=models) if name not in LEFT_OUT]


@contextmanager
def without_weights() -> Iterator[None]:
    """Modules made here have shapes and no values."""
    original = BlockParams.from_init_params

    def from_init_params(*args, **kwargs):
        with torch.device("cpu"):  # RegNet computes its widths with tensors.
            return original(*args, **kwargs)

    BlockParams.from_init_params = from_init_params
    try:
        with torch.device("meta"):
            yield
    finally:
        BlockParams.from_init_params = original


def row(name: str) -> dict:
    """What is written of one network."""
    with without_weights():
        net = backbone(name, 3).net.eval()
    step = getattr(net, "patch_px", 1)
    between = step if step > 1 else COARSE
    weights = models.get_model_weights(name).DEFAULT
    preparation = weights.transforms()
    half = name in HALF or preparation.mean == [0.5] * 3
    return {
        "step": step,
        "least": next(side for side in range(between, MOST, between) if takes(net, side)),
        "file": weights.url.rsplit("/", 1)[-1],
        "normalisation": "half" if half else "imagenet",
    }


def takes(net: torch.nn.Module, side: int) -> bool:
    """Whether a network makes features of a picture of this side."""
    try:
        with torch.no_grad():
            net(torch.zeros(2, 3, side, side, device="meta"))
    except (RuntimeError, FoldwiseError):
        return False
    return True


if __name__ == "__main__":
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(row(name))}" for name in names())
    FILE.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")
    print(f"wrote {FILE.relative_to(ROOT)}: {len(names())} networks")
