"""Write a made-up archive, so that every kind of study runs without real data.

python phantoms/make_demo.py density demo/density [--patients N --seed S --size P --damaged]
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "workflow" / "scripts")]

from foldwise.errors import FoldwiseError  # noqa: E402
from phantoms.catalogue import STUDIES, make  # noqa: E402


def main(words: list[str] | None = None) -> int:
    """Make what the words ask for and say where it is; returns the exit status."""
    arguments = _parser().parse_args(words)
    settings = {name: getattr(arguments, name) for name in ("patients", "seed", "size", "damaged")}
    try:
        summary = make(arguments.study, arguments.folder, **settings)
    except FoldwiseError as error:
        print(error, file=sys.stderr)
        return 1
    print(summary)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Write a made-up archive of pictures and labels.")
    parser.add_argument("study", choices=sorted(STUDIES))
    parser.add_argument(
        "folder", type=Path, help="must be missing, empty, or hold the same archive"
    )
    parser.add_argument("--patients", type=int, help="how many patients, specimens or cases")
    parser.add_argument("--seed", type=int, default=1, help="equal seeds give equal files")
    parser.add_argument("--size", type=int, help="height of the pictures in pixels")
    parser.add_argument("--damaged", action="store_true", help="add broken files and rows")
    return parser


if __name__ == "__main__":
    sys.exit(main())
