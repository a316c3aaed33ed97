"""A made-up run of a segmentation study in the shape of the results tree, without training."""

from pathlib import Path

import numpy as np

from foldwise.files import write_csv, write_json
from foldwise.report.examples import write_examples
from foldwise.tasks.segmentation import Segmentation
from made_masks import mask_images, mask_rows

TASK = {"threshold": 0.5, "tiles": {"size": None, "overlap": 0.25}}


def make_mask_run(root: Path, n_folds: int = 3, images_a_fold: int = 8, size: int = 48) -> dict:
    """Files by kind, as figures take them; probabilities are the truth, blurred by noise."""
    rng = np.random.default_rng(5)
    rows = mask_rows(n_folds * images_a_fold)
    images, task = mask_images(rows, size), Segmentation(TASK)
    paths: dict[str, list[Path]] = {"folds": [], "predictions": [], "maps": []}
    truths = images.pixels[:, 1]
    for row, truth in zip(rows, truths, strict=True):
        row["foreground"] = f"{truth.mean():.6g}"
    for fold in range(1, n_folds + 1):
        val = rows[(fold - 1) * images_a_fold : fold * images_a_fold]
        truth = truths[[images.where[row["content"]] for row in val]]
        noise = rng.normal(0, rng.uniform(0.1, 0.6, (len(val), 1, 1)), truth.shape)
        found = np.clip(0.2 + 0.6 * truth + noise, 0, 1).astype(np.float32)
        folder = root / "runs" / "cv" / f"fold_{fold}" / "results"
        own = [row | {"fold": fold} for row in val]
        table = task.table(own, {"measured": task.measure(found, truth)})
        write_csv(folder / "val_predictions.csv", list(table[0]), table)
        np.save(folder / "maps_val.npy", np.round(255 * found).astype(np.uint8))
        parts = [{"sample": r["sample"], "part": "val" if r in val else "train"} for r in rows]
        write_csv(root / "folds" / f"fold_{fold}.csv", ["sample", "part"], parts)
        paths["folds"].append(root / "folds" / f"fold_{fold}.csv")
        paths["predictions"].append(folder / "val_predictions.csv")
        paths["maps"].append(folder / "maps_val.npy")
    write_csv(root / "cohort.csv", list(rows[0]), rows)
    base = root / "runs" / "cv"
    write_json(base / "params.json", {"kind": "segmentation", "task": TASK})
    write_json(root / "manifest.json", {"group_by": "patient"})
    out = base / "examples" / "examples.json"
    folds = list(zip(paths["predictions"], paths["maps"], strict=True))
    write_examples(images, rows, 1, "jaccard", folds, out)
    singles = {"cohort": "cohort.csv", "params": "runs/cv/params.json", "manifest": "manifest.json"}
    return paths | {kind: [root / name] for kind, name in singles.items()} | {"examples": [out]}
