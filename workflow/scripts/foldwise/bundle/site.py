"""A bundle's models on the cohort of another site: predictions, and what that cohort looks like."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from foldwise.bundle.cohort_facts import cohort_facts, distances, label_groups
from foldwise.bundle.members import bundle_job, members, params_of
from foldwise.bundle.overlap import compared, counted, picture_names
from foldwise.cohort.identity import write_private_csv
from foldwise.cohort.tables.exclusions import ENTRY, entry
from foldwise.contents import read_cohort
from foldwise.files import read_csv, write_json
from foldwise.pixels.cache import Images
from foldwise.settings.bundle_file import read_manifest
from foldwise.settings.shared_key import read_shared_key
from foldwise.train.feed.rows import sorted_rows
from foldwise.train.machine import device
from foldwise.train.predict_holdout import predict_together


@dataclass(frozen=True)
class SiteFiles:
    """What rule `predict_site` reads and writes."""

    bundle: str
    cohort: str
    cache: str
    texts: tuple[str, ...]
    predictions: str
    folds: str
    maps: str
    facts: str
    same: str
    id_map: str
    key: str | None = None


def predict_site(files: SiteFiles) -> None:
    """Write what the models say of every image of a cohort, together and each, and its facts."""
    manifest = read_manifest(files.bundle)
    texts = {row.pop("sample"): row for path in files.texts for row in read_csv(path)}
    rows = [
        # A table of predictions names a fold; here the number says nothing.
        row | {"fold": 1} | ({"texts": texts[row["sample"]]} if row["sample"] in texts else {})
        for row in sorted_rows(read_cohort(files.cohort))
    ]
    images = Images.of(rows, files.cache)
    # Encoders are read from files: afterwards nothing of the bundle lies about.
    with tempfile.TemporaryDirectory() as folder:
        params = params_of(files.bundle, manifest, Path(folder))
        job = bundle_job(manifest, params, rows, images, device())
        kept = members(files.bundle, manifest, job)
        features = predict_together(job, kept, files.predictions, files.folds, files.maps)
    columns, channels = job.task.label_columns, params["image"]["channels"]
    facts = {"cohort": cohort_facts(rows, columns, images, channels)}
    facts["groups"] = label_groups(rows, columns)
    facts |= {"far": far(features, manifest), "overlap": overlap(files, manifest, rows, images)}
    write_json(files.facts, facts)


def overlap(
    files: SiteFiles, manifest: Mapping[str, Any], rows: Sequence[dict[str, Any]], images: Images
) -> dict[str, Any]:
    """Counts of pictures that the training had too; which they are goes to a private list."""
    names, channels = None, manifest["params"]["image"]["channels"]
    if files.key is not None:
        key = read_shared_key(files.key, "validate.pixel_key")
        names = picture_names(images, images.places(rows), channels, key)
    state, same = compared(manifest, names)
    named = {row["sample"]: row for row in read_csv(files.id_map)}
    keyed = ["sample", "group", "exam"]
    reason = f"in the training of {manifest['study']}"
    listed = [
        entry(named[row["sample"]], reason) | {key: row[key] for key in keyed}
        for row, own in zip(rows, same, strict=False)
        if own
    ]
    write_private_csv(files.same, [*ENTRY, *keyed], listed)
    return counted(state, same, [row["group"] for row in rows])


def far(features: Mapping[int, np.ndarray], manifest: Mapping[str, Any]) -> dict[str, int]:
    """How many images are farther out than one in twenty of the training images, by most models."""
    facts = {one["fold"]: one["features"] for one in manifest["members"]}
    votes = [
        distances(values, facts[fold]["mean"], facts[fold]["std"]) > facts[fold]["far"]
        for fold, values in features.items()
    ]
    outside = np.mean(votes, axis=0) > 0.5
    return {"n": len(outside), "far": int(outside.sum())}
