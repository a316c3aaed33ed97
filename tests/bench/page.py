"""What the page costs: `python tests/bench/page.py [--images 2000 20000]`.

Pages of made-up studies with a thumbnail a case: seconds for what the explorer reads and for the
page, its megabytes, and in headless Chromium the time until it can be used (from the request to the
end of all scripts) and until a click on the confusion matrix has drawn its cases. Needs chromium.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "workflow" / "scripts"), str(ROOT / "tests")]

import cv2  # noqa: E402
import numpy as np  # noqa: E402

from browser import browser, go  # noqa: E402
from foldwise.files import read_csv, read_json  # noqa: E402
from foldwise.report.cases import write_cases  # noqa: E402
from foldwise.report.explorer.projections import write_projections  # noqa: E402
from foldwise.report.explorer.thresholds import write_operating_points  # noqa: E402
from foldwise.report.pack import report_pack  # noqa: E402
from made_runs import make_run  # noqa: E402
from report_pages import STUDY  # noqa: E402

FOLDS, CLASSES, FEATURES, SIDE = 5, "ABCD", 512, 256
IMAGES_A_PATIENT = 10 / 3  # of `make_run`
CLICK = """
const done = arguments[0], start = performance.now();
document.querySelector('#explore-cases .matrix td.right button').click();
requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
"""


class Drawn:
    """A cache of pictures that are drawn when they are taken: clouds with grain, as films have."""

    shape, dtype = (1, SIDE, SIDE), np.dtype(np.uint8)

    def places(self, rows: list[dict[str, str]]) -> list[int]:
        return [int(row["content"][:8], 16) for row in rows]

    def inside(self, places: list[int]) -> np.ndarray:
        return np.tile([0, SIDE, 0, SIDE], (len(places), 1))

    def take(self, places: list[int], out: np.ndarray) -> None:
        for plane, seed in zip(out, places, strict=True):
            random = np.random.default_rng(seed)
            clouds = random.uniform(20, 220, (6, 6)).astype(np.float32)
            grain = random.normal(0, 8, (SIDE, SIDE))
            plane[0] = np.clip(cv2.resize(clouds, (SIDE, SIDE)) + grain, 0, 255)


def timed(what: str, work: Callable[[], Any]) -> None:
    """Do it and say how long it took."""
    start = time.perf_counter()
    work()
    print(f"  {what:<32}{time.perf_counter() - start:8.2f} s")


def build(images: int, root: Path) -> Path:
    """A study of about so many images, all that its page reads, and the page."""
    os.chdir(root)
    run = make_run(root, FOLDS, CLASSES, patients=round(images / IMAGES_A_PATIENT))
    base, paths = run.results / "runs" / "cv", run.paths()
    params, predictions = read_json(base / "params.json"), paths["predictions"]
    cohort = read_csv(run.results / "cohort.csv")
    embeddings = [path.with_name("embeddings_val.npy") for path in predictions]
    for k, path in enumerate(embeddings):
        random = np.random.default_rng(k)
        np.save(path, random.normal(size=(len(np.load(path)), FEATURES)).astype(np.float32))
    out = base / "cases.json"
    timed("cases", lambda: write_cases(params, predictions, cohort, Drawn(), out))
    out = base / "operating_points.json"
    timed("operating points", lambda: write_operating_points(params, predictions, out))
    out = base / "projections.json"
    timed("projections", lambda: write_projections(params, predictions, embeddings, out))
    pack = run.results / "report"
    timed("page", lambda: report_pack(STUDY, run.folds, {}, pack))
    return pack / "index.html"


def used(page: Path) -> None:
    """Open it in a browser, and click."""
    with browser() as opened:
        go(opened, page)
        timing = "const t = performance.getEntriesByType('navigation')[0]; return t.loadEventEnd"
        usable, click = opened.execute_script(timing), opened.execute_async_script(CLICK)
        print(f"  {'until usable':<32}{usable / 1000:8.2f} s")
        print(f"  {'a click on the matrix':<32}{click / 1000:8.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, nargs="+", default=[2000, 20_000])
    for images in parser.parse_args().images:
        with tempfile.TemporaryDirectory() as folder:
            print(f"{images:,} images")
            page = build(images, Path(folder))
            cases = read_json(page.parents[1] / "runs" / "cv" / "cases.json")
            shown = (
                f"{page.stat().st_size / 1e6:8.1f} MB, {cases['shown']:,} of {cases['images']:,}"
            )
            print(f"  {'page':<32}{shown} images as cases")
            used(page)


if __name__ == "__main__":
    main()
