"""`make demo` ends with this: one made-up image through the bundle, as a new user would do it."""

import csv
import os
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[1] / "workflow/scripts/predict.py"
# Study -> where its images lie below demo/<study>.
IMAGES = {
    "density": "archive/**/*.dcm",
    "zones": "**/*.png",
    "segmentation": "images/*.png",
    "distillation": "images/*.png",
}


def command(study: str, root: Path) -> list[str]:
    """The command that predicts the study's first image, and a table of texts where one is read."""
    demo = root / "demo" / study
    image = min(path for path in demo.glob(IMAGES[study]) if path.is_file())
    bundle = max((root / f"results/demo_{study}/bundle").glob("*.zip"))
    out = root / f"results/demo_{study}/bundle/one.csv"
    made = [sys.executable, SCRIPT, bundle, image, "-o", out]
    if study == "distillation":
        texts = out.with_name("private") / "texts.csv"
        texts.parent.mkdir(mode=0o700, exist_ok=True)
        with open(texts, "w", newline="") as stream:
            csv.writer(stream).writerows(
                [["file", "text"], [image.name, "Axial image of the head without contrast."]]
            )
        made += ["--texts", texts]
    return [os.path.relpath(part, root) if isinstance(part, Path) else part for part in made]


if __name__ == "__main__":
    words = command(sys.argv[1], Path.cwd())
    print(f"\n{' '.join(['.venv/bin/python', *words[1:]])}", flush=True)
    subprocess.run(words, check=True)
    print(Path(words[words.index("-o") + 1]).read_text())
