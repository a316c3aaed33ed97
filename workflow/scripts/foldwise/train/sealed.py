"""Weights and states on a disk, with a digest of their content inside: what was saved is read.

`torch.load` finds a file that was cut short, but takes other bits for other weights.
"""

import hashlib
import io
from pathlib import Path
from typing import Any

import torch

from foldwise.errors import FoldwiseError
from foldwise.files import replacing

SEAL = "seal"
AGAIN = "Delete it and run the same command again: what is needed is made anew."


def save_sealed(path: str | Path, value: dict[str, Any]) -> None:
    """torch.save, but equal values are equal bytes: the file's name would become part of them."""
    buffer = io.BytesIO()
    torch.save(value | {SEAL: value_digest(value)}, buffer)
    with replacing(path, buffer.tell()) as temporary:
        temporary.write_bytes(buffer.getbuffer())


def load_sealed(path: str | Path) -> dict[str, Any]:
    """What was saved, in main memory. Raises FoldwiseError for a file that holds anything else."""
    content = Path(path).read_bytes()  # apart, so that a file that is gone is no damaged one
    try:
        value = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    # An archive with wrong bytes may fail in any way that Python has.
    except Exception as error:
        raise FoldwiseError(f"{path} was cut short or damaged. {AGAIN}") from error
    seal = value.pop(SEAL, None) if isinstance(value, dict) else None
    if seal is None or seal != value_digest(value):
        raise FoldwiseError(
            f"{path} was damaged or changed after it was written: its content and its seal "
            f"differ. {AGAIN}"
        )
    return value


def value_digest(value: Any) -> str:
    """Digest of nested dicts and lists of tensors, numbers and words, with names and types."""
    total = hashlib.sha256()
    _add(total, value)
    return total.hexdigest()


def _add(total: Any, value: Any) -> None:
    if isinstance(value, torch.Tensor):
        # Equal bytes in another type or shape are other weights.
        total.update(f"{value.dtype} {tuple(value.shape)}".encode())
        # As bytes: NumPy has no bfloat16.
        flat = value.detach().cpu().contiguous().flatten()
        total.update(flat.view(torch.uint8).numpy().data if flat.numel() else b"")
    elif isinstance(value, dict):
        # With its length: values of nested dicts could else run together to the same bytes.
        total.update(f"dict {len(value)}".encode())
        for key, item in value.items():
            total.update(repr(key).encode())
            _add(total, item)
    elif isinstance(value, list | tuple):
        total.update(f"{type(value).__name__} {len(value)}".encode())
        for item in value:
            _add(total, item)
    else:
        total.update(repr(value).encode())
