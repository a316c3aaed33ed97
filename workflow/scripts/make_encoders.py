"""Small encoders from a study's own texts: `python workflow/scripts/make_encoders.py STUDY`.

Writes `encoders/STUDY/text` (a tokenizer of the study's words and a small BERT) and
`encoders/STUDY/vision` (a small ViT), both with random weights, for machines that reach no hub, and
says what to put into the study's file.
"""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from foldwise.cohort.tables.table import TableSettings, read_table
from foldwise.errors import FoldwiseError, plural
from foldwise.settings.schema import check, complete, schema
from foldwise.settings.yaml_file import read_yaml


def main(words: list[str] | None = None) -> int:
    """Make what the words ask for; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study")
    parser.add_argument("--studies", type=Path, default=Path("config/studies"))
    parser.add_argument("--out", type=Path, help="a folder; encoders/STUDY if not named")
    parser.add_argument("--width", type=int, default=128, help="features of a token")
    parser.add_argument("--layers", type=int, default=2)
    arguments = parser.parse_args(words)
    try:
        print(make(arguments, arguments.out or Path("encoders", arguments.study)))
    except FoldwiseError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def make(arguments: argparse.Namespace, out: Path) -> str:
    """Write both encoders and return what to say of them."""
    path = arguments.studies / f"{arguments.study}.yaml"
    # Not `load_study`: a study whose encoder is still to be made has no sound file yet.
    raw = read_yaml(path)
    raw = raw if isinstance(raw, dict) else {}
    data = check("data", raw.get("data"), f"{path}: data")
    image = complete(schema("image"), raw.get("image") or {})
    if out.exists() and any(out.iterdir()):
        raise FoldwiseError(
            f"{out} is there already. Name another folder with --out, or remove it."
        )
    texts = [text for text in texts_of(data) if text]
    if not texts:
        raise FoldwiseError(
            f"{path}: data.columns.texts: no text in the table's columns named there."
        )
    # Late: transformers takes seconds, and faults of the file come first.
    from foldwise.models.make_encoders import wordpieces, write_text_encoder, write_vision_encoder

    vocabulary = wordpieces(texts)
    write_text_encoder(out / "text", vocabulary, 1, arguments.width, arguments.layers)
    write_vision_encoder(out / "vision", image["size"], 2, arguments.width, arguments.layers)
    return (
        f"Made from {plural(len(texts), 'text')}, with {len(vocabulary):,} tokens. In {path}:\n"
        f"model:\n  vision: {{name: {out}/vision, weights: pretrained}}\n"
        f"  text: {{name: {out}/text, max_tokens: 64}}"
    )


def texts_of(data: dict[str, Any]) -> Iterable[str]:
    """The texts of each row of the study's table."""
    table = read_table(TableSettings(**data["table"]))
    columns = data["columns"]["texts"]
    table.need({f"texts.{number}": name for number, name in enumerate(columns)})
    for row in table.rows:
        yield " ".join(row.get(name) for name in columns).strip()


if __name__ == "__main__":
    sys.exit(main())
