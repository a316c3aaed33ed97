"""Made-up predictions of one image, as val_predictions.csv has them, of each kind of study."""

import numpy as np

from foldwise.evaluate.metrics.segmentation import image_row

HEADS = {"site": ["a", "b", "c"], "body_part": ["x", "y"]}
TASKS = {
    "classification": {"classes": ["A", "B", "C"]},
    "zones": {"zones": ["left", "right"]},
    "segmentation": {},
    "distillation": {"heads": HEADS},
}


def probabilities(prefix, names, random):
    drawn = random.dirichlet(np.ones(len(names)))
    return {f"{prefix}{n}": str(p) for n, p in zip(names, drawn, strict=True)}


def row(kind, i, random):
    """A made-up prediction of one image, as val_predictions.csv has it."""
    named = {"sample": str(i), "group": f"g{i // 2}", "exam": f"e{i}"}
    if kind == "classification":
        return named | {"label": "ABC"[i % 3]} | probabilities("p_", "ABC", random)
    if kind == "zones":
        for k, zone in enumerate(TASKS[kind]["zones"]):
            named |= {f"label_{zone}": str((i + k) % 5)}
            named |= probabilities(f"p_{zone}_", range(5), random)
        return named
    if kind == "segmentation":
        sums = image_row(random.random((12, 12)), random.random((12, 12)) > 0.6, 0.5)
        return named | {key: str(value) for key, value in sums.items()}
    for head, classes in HEADS.items():
        named |= {f"label_{head}": classes[i % len(classes)]}
        named |= probabilities(f"p_{head}_", classes, random)
    return named
