"""A finished run as a bundle: models, preparation, expected performance, and no patient."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from foldwise import __version__
from foldwise.bundle.card import model_card
from foldwise.bundle.cohort_facts import cohort_facts, feature_facts
from foldwise.bundle.expected import expected
from foldwise.bundle.members import facts_of, model_name, weights_of
from foldwise.bundle.onnx_model import export
from foldwise.bundle.overlap import carried as carried_names
from foldwise.bundle.portable import encoder_files, portable_params
from foldwise.bundle.torch_program import export_program
from foldwise.cohort.codes import COLOUR, GREY
from foldwise.files import read_csv, read_json
from foldwise.integrity import read_sealed
from foldwise.pixels.cache import Images
from foldwise.pixels.prepared import IN_COLOUR
from foldwise.registry import load
from foldwise.reliability.new_images import carried
from foldwise.settings.bundle_file import write_bundle
from foldwise.settings.shared_key import NEW, read_shared_key
from foldwise.train.job import FoldJob
from foldwise.train.predict import KeptModel, load_model

NOT_ASKED = {"reason": "the study's file asks for none"}


@dataclass(frozen=True)
class RunFiles:
    """What a run and its study have made, by path; the last are missing of some studies."""

    params: str
    summary: str
    cohort: str
    flow: str
    models: Mapping[int, str]
    embeddings: Mapping[int, str]
    cache: str
    holdout: str | None = None
    calibration: str | None = None
    conformal: str | None = None
    key: str | None = None


@dataclass(frozen=True)
class About:
    """What a bundle says of itself beside its numbers: from the study's settings."""

    study: str
    reader: str
    group_by: str
    licence: str | None
    contact: str | None
    code: str  # digest of the code that decides predictions
    onnx: bool
    torch_export: bool
    tokenizer: str


def make_bundle(files: RunFiles, about: About, out: str | Path) -> None:
    """Write the bundle of a run. Raises FoldwiseError for a run that cannot be handed over."""
    params = read_json(files.params)
    where = f"Study {about.study}, run {params['run']}"
    # First: what cannot be handed over is refused before a model is loaded.
    portable = portable_params(params, where)
    task = load("TASKS", params["kind"])(params["task"])
    members, content = [], encoder_files(params, where, about.tokenizer == "checked")
    for fold, path in files.models.items():
        job = FoldJob(params, task, {}, None, fold, Path())
        kept = load_model(job, path)
        # Of validation images, which the fold's model has not learned: nor has it a site's.
        features = feature_facts(np.load(files.embeddings[fold], allow_pickle=False))
        content[model_name(fold)] = weights_of(kept.model)
        facts = {"fold": fold, "features": features} | facts_of(kept)
        members.append(facts | _exported(job, kept, about, content))
    rows = read_csv(files.cohort)
    holdout, calibration, conformal = (
        read_json(path) if path else None
        for path in (files.holdout, files.calibration, files.conformal)
    )
    manifest = {
        "foldwise": __version__,
        "study": about.study,
        "reader": about.reader,
        "group_by": about.group_by,
        "licence": about.licence,
        "contact": about.contact,
        "code": about.code,
        "params": portable,
        "classes": task.answers(),
        "members": members,
        "expected": expected(read_json(files.summary), holdout),
        "reliability": carried(params["kind"], calibration, conformal),
        "overlap": _overlap(files, rows, params["image"]["channels"]),
        "looks": _looks(read_json(files.flow)["looks"], rows, files.cache),
        "cohort": cohort_facts(
            rows, task.label_columns, Images.of(rows, files.cache), params["image"]["channels"]
        ),
    }
    content["MODEL_CARD.md"] = model_card(manifest).encode()
    write_bundle(out, manifest, content)


def _looks(
    stated: Mapping[str, dict[str, int]], rows: list[dict[str, str]], cache: str
) -> dict[str, dict[str, int]]:
    """`looks` of the cohort; of files that have no header, grey and colour by their pixels."""
    if set(stated["colour"]) - {""}:
        return dict(stated)
    shards = {row["shard"] for row in rows}
    noted = {name: read_sealed(Path(cache, f"{name}.json"))["rows"] for name in shards}
    facts = (noted[row["shard"]][int(row["row"])]["facts"] for row in rows)
    colours = Counter(COLOUR if one.get(IN_COLOUR) else GREY for one in facts)
    return {**stated, "colour": dict(sorted(colours.items()))}


def _overlap(files: RunFiles, rows: list[dict[str, str]], channels: int) -> dict[str, Any] | None:
    """Keyed names of the training's pictures, where the study's file names a key to share."""
    if files.key is None:
        return None
    images = Images.of(rows, files.cache)
    key = read_shared_key(files.key, "bundle.pixel_key", NEW)
    return carried_names(images, images.places(rows), channels, key)


def _exported(
    job: FoldJob, kept: KeptModel, about: About, content: dict[str, bytes]
) -> dict[str, Any]:
    """What the list says of a member's exported files, which are put to `content`."""
    exported = {}
    for name, (wanted, make, ending) in {
        "onnx": (about.onnx, export, "onnx"),
        "torch": (about.torch_export, export_program, "pt2"),
    }.items():
        graph, facts = make(job.task, kept, job.params) if wanted else (None, dict(NOT_ASKED))
        if graph is not None:
            facts["file"] = f"{name}/fold_{job.fold}.{ending}"
            content[facts["file"]] = graph
        exported[name] = facts
    return exported
