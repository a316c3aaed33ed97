"""Prediction with a bundle beside the bare decoder: `python tests/bench/bundle.py [IMAGES]`.

Images a second of wall time, one process that decodes, and CPU time an image by part; ratios of one
run are what counts, on a busy machine those of CPU time.
"""

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "workflow/scripts"), str(ROOT / "tests")]

import numpy as np  # noqa: E402

from foldwise.bundle.predict import Request, predict  # noqa: E402
from foldwise.hashing import file_digest  # noqa: E402
from foldwise.pixels.cache import Crew  # noqa: E402
from foldwise.pixels.picture_files import read_picture  # noqa: E402
from foldwise.pixels.prepare import ImageSettings, prepared  # noqa: E402
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
        settings = ImageSettings(**made.params["image"], digested=False)
        parts = {
            "decoding": read_picture,
            "digest of the file": file_digest,
            "decoding and preparing": lambda path: prepared(read_picture(path), settings),
        }
        found = {name: spent(lambda f=f: [f(path) for path in paths]) for name, f in parts.items()}
        request = Request(str(made.bundle), (str(paths[0].parent),), Path(base, "p.csv"))
        found["prediction"] = spent(lambda: predict(replace(request, crew=Crew(1))))
    print(f"{number} pictures of {SIDE} x {SIDE}, two models, of an image:")
    for name, (wall, cpu) in found.items():
        print(f"{name:24} {1000 * cpu / number:6.1f} ms of CPU, {1000 * wall / number:6.1f} ms")
    bare, whole = found["decoding"], found["prediction"]
    print(f"decoding is {bare[1] / whole[1]:.2f} of the CPU time of prediction, ", end="")
    print(f"which reaches {bare[0] / whole[0]:.2f} of the decoder's images a second")


def spent(work: Callable[[], Any]) -> tuple[float, float]:
    """Seconds of wall time and of CPU time, child processes counted in."""
    start, before = time.perf_counter(), cpu_seconds()
    work()
    return time.perf_counter() - start, cpu_seconds() - before


def cpu_seconds() -> float:
    """Of this process and of all its children that have ended."""
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


if __name__ == "__main__":
    bench(int(sys.argv[1]) if len(sys.argv) > 1 else 64)
