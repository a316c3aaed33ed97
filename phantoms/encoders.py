"""Tiny untrained encoders with a tokenizer, so that no demonstration has to download any.

`<root>/encoders/{teacher,student}_{text,vision}`, each a folder that transformers'
`from_pretrained` reads.
"""

from collections.abc import Iterable
from pathlib import Path

from foldwise.models.make_encoders import wordpieces, write_text_encoder, write_vision_encoder


def write_encoders(root: Path, texts: Iterable[str], seed: int, size: int) -> None:
    """Write four encoders for these texts and pictures of `size` x `size` pixels."""
    words = wordpieces(texts)
    folder = root / "encoders"
    write_text_encoder(folder / "teacher_text", words, seed, width=64, layers=2)
    write_text_encoder(folder / "student_text", words, seed + 1, width=32, layers=1, distilled=True)
    write_vision_encoder(folder / "teacher_vision", size, seed + 2, width=64, layers=3)
    write_vision_encoder(folder / "student_vision", size, seed + 3, width=32, layers=2)
