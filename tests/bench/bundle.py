"""Prediction with a bundle beside the bare decoder: `python tests/bench/bundle.py [IMAGES]`.

Images a second of wall time, one process that decodes; ratios of one run are what counts.
"""

import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "workflow/scripts"), str(ROOT / "tests")]

import numpy as np  # noqa: E402

from foldwise.bundle.predict import Request, predict  # noqa: E402
from foldwise.pixels.cache import Crew  # noqa: E402
from foldwise.pixels.picture_files import read_picture  # noqa: E402
from made_bundles import make  # noqa: E402

SIDE = 2048


def pictures(folder: Path, number: int) -> list[Path]:
    """Large pictures whose grey varies slowly, as PNG."""
    import cv2

    folder.mkdir()
    random, paths = np.random.default_rng(1), []
    for n in range(number):
        small = random.integers(0, 256, (32, 32), dtype=np.uint8)
        paths.append(folder / f"{n:04}.png")
        assert cv2.imwrite(str(paths[-1]), cv2.resize(small, (SIDE, SIDE)))
    return paths


def bench(number: int) -> None:
    """Print both rates and their ratio."""
    with tempfile.TemporaryDirectory() as base:
        made = make(Path(base, "made"))
        paths = pictures(Path(base, "in"), number)
        start = time.perf_counter()
        for path in paths:
            read_picture(path)
        bare = number / (time.perf_counter() - start)
        start = time.perf_counter()
        predict(
            Request(str(made.bundle), (str(paths[0].parent),), Path(base, "p.csv"), crew=Crew(1))
        )
        whole = number / (time.perf_counter() - start)
    print(
        f"{number} pictures of {SIDE} x {SIDE}, two models: decoder {bare:.1f} images/s, ", end=""
    )
    print(f"whole prediction {whole:.1f} images/s, {whole / bare:.2f} of it")


if __name__ == "__main__":
    bench(int(sys.argv[1]) if len(sys.argv) > 1 else 64)
