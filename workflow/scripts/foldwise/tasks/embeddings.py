"""Embeddings read back: features of a frozen network that are joined to a head's input.

A folder holds `features.npy` (N, E) and `metadata.csv`, whose column `content` names the image of
each row by the SHA-256 of its file (what `sha256sum` prints; the first 32 digits are enough).
Older folders name it by path or accession.
"""

from pathlib import Path

import numpy as np

from foldwise.contents import public_content
from foldwise.errors import FoldwiseError
from foldwise.files import read_csv
from foldwise.tasks.older_embeddings import naming_column, places_by_name

FEATURES, METADATA = "features.npy", "metadata.csv"
CONTENT_DIGITS = 32


def embeddings_of(
    folder: str | Path, rows: list[dict], id_map: str | Path | None = None
) -> np.ndarray:
    """(N, E) float32: the embeddings of cohort rows (columns sample, content).

    `id_map` is the study's private list, for folders that name images by path or accession.
    Raises FoldwiseError when a file is missing or does not fit the other, an image is named twice
    with different features, a value is not finite, or a row has none.
    """
    features, metadata = read_embeddings(folder)
    if all(row.get("content") for row in metadata):
        places = _places(folder, features, metadata, rows)
    else:
        places = places_by_name(f"{folder}/{METADATA}", metadata, rows, id_map)
    absent = [row["sample"] for row, index in zip(rows, places, strict=True) if index is None]
    if absent:
        raise FoldwiseError(
            f"model.embeddings: {len(absent)} of {len(rows)} samples have no row in {folder}/"
            f"{METADATA}, the first is {absent[0]}. Make embeddings of all images, or set "
            "model.embeddings to null."
        )
    return features[places]


def _places(
    folder: str | Path, features: np.ndarray, metadata: list[dict[str, str]], rows: list[dict]
) -> list[int | None]:
    contents = [row["content"][:CONTENT_DIGITS] for row in metadata]
    place: dict[str, int] = {}
    for index, content in enumerate(contents):
        first = place.setdefault(content, index)
        if not np.array_equal(features[first], features[index]):
            raise FoldwiseError(
                f"model.embeddings: {folder}/{METADATA} names one image twice (data rows "
                f"{first + 1} and {index + 1}) with different features. Keep one of them."
            )
    # Our own name images by their keyed content, those made elsewhere by the file's SHA-256.
    return [place.get(public_content(row), place.get(row["content"])) for row in rows]


def read_embeddings(folder: str | Path) -> tuple[np.ndarray, list[dict[str, str]]]:
    """Features (N, E) float32 and what is said of each row."""
    absent = [name for name in (FEATURES, METADATA) if not Path(folder, name).is_file()]
    if absent:
        raise FoldwiseError(
            f"model.embeddings: {folder} lacks {' and '.join(absent)}. Name a folder with both."
        )
    try:
        # No pickles: such a file may come from anywhere, and a pickle runs code.
        features = np.load(Path(folder, FEATURES), allow_pickle=False).astype(np.float32)
    except (ValueError, EOFError) as error:
        raise FoldwiseError(
            f"model.embeddings: {folder}/{FEATURES} is no array of numbers. Write it by numpy.save."
        ) from error
    rows = read_csv(Path(folder, METADATA))
    if not all(row.get("content") for row in rows):
        naming_column(f"{folder}/{METADATA}", rows)
    if features.ndim != 2 or len(features) != len(rows):
        raise FoldwiseError(
            f"model.embeddings: {folder}/{FEATURES} has shape {features.shape} and {METADATA} "
            f"{len(rows)} rows. Give one row of features for each row there."
        )
    if not np.isfinite(features).all():
        bad = int((~np.isfinite(features).all(axis=1)).sum())
        raise FoldwiseError(
            f"model.embeddings: {folder}/{FEATURES} has {bad} rows with values that are not "
            "finite. Make them again."
        )
    return features, rows
