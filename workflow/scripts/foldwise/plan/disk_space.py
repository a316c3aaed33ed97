"""Room on the disk: what decoded images and models may take, and what there is.

Standard library only.
"""

from pathlib import Path
from typing import Any

from foldwise.disk import amount, free_bytes
from foldwise.files import listed
from foldwise.plan import state

# A fold's weights, resume state and predictions, bytes: EfficientNet-B0 takes 60 MB, DenseNet 90.
FOLD_BYTES = 250 << 20
# Below this not even tables and logs find room.
LEAST_BYTES = 32 << 20


def disk_space(
    studies: list[dict[str, Any]],
    reading: list[dict[str, Any]],
    results: Path,
    files: dict[str, int],
) -> tuple[list[str], list[str]]:
    """Problems and warnings: no room at all, and less than decoded images and models may take.

    `reading` are the studies whose images may have to be decoded; how many these are only the
    cohort knows, and the archive's files are the most: `files`, by root.
    """
    # By cache: studies that share one decode their images once.
    caches = {state.cache_key(study): study for study in reading}
    images = (
        max(0, image_bytes(study) * files[study["data"]["root"]] - _stored(results / "cache" / key))
        for key, study in caches.items()
    )
    need = sum(images) + sum(model_bytes(study, results) for study in studies)
    free = free_bytes(results)
    if free >= max(need, LEAST_BYTES):
        return [], []
    message = (
        f"{results}: {amount(free)} free; decoded images and models take up to {amount(need)}. "
        "Free some, link results/ to a larger disk, or lower image.size."
    )
    # A warning, since the need is a bound: many archives hold files that no table names.
    return ([message], []) if free < LEAST_BYTES else ([], [message])


def _stored(folder: Path) -> int:
    return sum(path.stat().st_size for path in listed(folder, "*.npy"))


def image_bytes(study: dict[str, Any]) -> int:
    """Bytes of one decoded image, with its mask where it has one."""
    image = study["image"]
    planes = image["channels"] + (study["data"]["reader"] == "pairs")
    return image["size"] ** 2 * planes * image["bits"] // 8


def model_bytes(study: dict[str, Any], results: Path) -> int:
    """Bytes of models and resume states that are not made yet; trials are cleared away."""
    if study["validate"]["bundle"]:
        return 0
    runs = results / study["name"] / "runs"
    made = sum(1 for run in study["runs"] for _ in runs.glob(f"{run}/fold_*/results/best_model.pt"))
    due = len(state.fold_numbers(study)) * len(study["runs"])
    return FOLD_BYTES * max(0, due - made)
