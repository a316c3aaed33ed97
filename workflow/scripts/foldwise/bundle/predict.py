"""New images through a bundle's models: a table in the end, and what went on the way in `private`.

Decoding, preparation and prediction are the workflow's own functions on the workflow's own rows, in
batches cut the same way, so that equal files give equal bits.
"""

import logging
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np

from foldwise.bundle.cohort_facts import distances, grey_distances
from foldwise.bundle.intake.images import Intake, Request
from foldwise.bundle.intake.producer import produced
from foldwise.bundle.members import bundle_job, members, params_of
from foldwise.bundle.reliance import columns, in_words
from foldwise.bundle.remarks import KEY_OPTION, note_colour, note_training
from foldwise.bundle.sources import Image, find, named, state_of
from foldwise.errors import FoldwiseError, plural
from foldwise.files import private_folder, read_csv, write_csv, write_json
from foldwise.hashing import digest
from foldwise.pixels.cache import Images
from foldwise.settings.bundle_file import read_manifest
from foldwise.settings.validation import check_key
from foldwise.tasks.base import Rows, Task
from foldwise.train.feed.rows import sorted_rows
from foldwise.train.job import FoldJob
from foldwise.train.machine import device
from foldwise.train.predict import KeptModel
from foldwise.train.predict_holdout import predict_together

log = logging.getLogger("foldwise")

DICOM = "dicom"  # the reader whose files lie in exams

# Images that are predicted at a time, while others are decoded; what a stop loses at most.
PART = 64


def predict(request: Request) -> dict[str, int]:
    """Write predictions and quarantine of a request; returns how many images each has.

    `<out>`: sample, answers, `calibrated_<answer>` and conformal sets where the bundle has them,
    `sd_<answer>` over the models, and how far out an image is: `distance` in features,
    `grey_distance` in brightness and contrast (1: as one in twenty training images).
    `<out stem>_quarantine.csv`: sample, reason, meaning; `<out stem>_about.json`: by which models,
    and what of these columns there is. `private/<out stem>/files.csv` beside it says which file a
    sample is; `private/<out stem>/dicom` holds what `request.dicom` asks for.
    """
    manifest = read_manifest(request.bundle)
    reader = request.reader or manifest["reader"]
    check_dicom(request, reader)
    check_key(request.key, manifest, KEY_OPTION, request.bundle)
    private = private_folder(private_folder(request.out.parent / "private") / request.out.stem)
    files = find(request.sources, reader, without=private)
    images = named(files, private, request.crew.workers)
    log.info("%s.", plural(len(images), "different image"))
    intake = Intake(request, manifest, reader, images, private)
    # Begun before anything of the models is loaded here: see `produced`.
    with produced(partial(intake.decoding.shards, request.crew)) as shards:
        models = requested_models(request, manifest, private)
        readable = intake.readable(shards)
        rows, parts = answered(models, readable, intake.decoding.folder, len(images))
    job = models.job_of(rows, intake.decoding.folder)
    table = [row for path in parts for row in read_csv(path)]
    # A network of three channels is given colour as colour: only grey ones lose it unseen.
    if job.params["image"]["channels"] == 1:
        note_colour(table, rows)
    overlap = note_training(table, job, manifest, request.key)
    write_table(request, table, images)
    done = {"predicted": len(table), "quarantine": len(intake.quarantine)}
    record = about(manifest, reader, done) | {"overlap": overlap}
    if request.dicom:
        # Here: who asks for no objects does not load what makes them.
        from foldwise.bundle.dicom.write import Answers, write_dicom

        answers = Answers(manifest, job, models.kept, parts)
        record |= {"dicom": write_dicom(answers, images, private)}
    write_json(request.out.with_name(f"{request.out.stem}_about.json"), record)
    return done


@dataclass(frozen=True)
class Models:
    """Who is asked: models of a bundle, and the job that they are asked in, as yet without rows."""

    request: Request
    manifest: Mapping[str, Any]
    job: FoldJob
    kept: Mapping[int, KeptModel]
    private: Path

    def state(self, rows: Rows) -> str:
        """Names what is answered about some rows.

        A part of other models, images or texts, or read otherwise, is never taken for this one.
        """
        seen = [[row["content"], row.get("texts")] for row in rows]
        of_bundle = [self.manifest["files"], self.manifest["reliability"]]
        reader = self.request.reader or self.manifest["reader"]
        return state_of([of_bundle, sorted(self.kept), reader, seen])

    def job_of(self, rows: Rows, folder: Path) -> FoldJob:
        """The job about some rows, with pictures in the shards of `folder`."""
        return replace(self.job, rows={"holdout": rows}, images=Images.of(rows, folder))


def requested_models(request: Request, manifest: Mapping[str, Any], private: Path) -> Models:
    """The models that a request names, loaded."""
    params = params_of(request.bundle, manifest, private)
    job = bundle_job(manifest, params, [], None, device())
    kept = members(request.bundle, manifest, job, list(request.folds) or None)
    return Models(request, manifest, job, kept, private)


def check_dicom(request: Request, reader: str) -> None:
    """Refuse objects that would be about nothing, before anything is decoded."""
    if request.dicom and reader != DICOM:
        raise FoldwiseError(
            f"--dicom writes reports into the exams of DICOM images, and these files are read as "
            f"'{reader}', which belong to no exam. Leave --dicom out, or give DICOM files and "
            f"--reader {DICOM}."
        )


def unlabelled(task: Task, rows: Rows) -> Rows:
    """Rows as a cohort's, of images of which nothing is known."""
    labels = task.unlabelled()
    return [
        # Nothing is known of patients here: each image is a group of its own.
        row | labels | {"group": row["sample"], "exam": "", "fold": 1}
        for row in rows
    ]


def about(manifest: Mapping[str, Any], reader: str, done: Mapping[str, int]) -> dict[str, Any]:
    """What a table of predictions is of; a table is passed on without the log that said so."""
    reliability = in_words(manifest)
    if "calibration" in reliability:
        log.info("Neither calibrated probabilities nor sets: %s", reliability["calibration"])
    bundle = {name: manifest[name] for name in ("study", "foldwise", "licence")}
    bundle["digest"] = digest(manifest["files"])
    return {"bundle": bundle, "reader": reader} | done | {"reliability": reliability}


def answered(
    models: Models, chunks: Iterable[Rows], folder: Path, number: int
) -> tuple[Rows, list[Path]]:
    """Predict rows as they come, in order of content; all of them, and the tables of their answers.

    A part begins as soon as its rows are there. A table that was made is left as it is. `number`:
    of all images, for the log.
    """
    job, answers, tables = models.job, [], []
    # Batches are cut at the same rows in one go and in parts.
    batch_size = job.params["training"]["batch_size"]
    step = max(1, PART // batch_size) * batch_size
    rows = chain.from_iterable(chunks)
    while part := unlabelled(job.task, list(islice(rows, step))):
        path = models.private / "parts" / f"{models.state(part)}.csv"
        if not path.exists():
            answer_part(models.job_of(part, folder), models.kept, models.manifest, path)
        answers += part
        tables.append(path)
        log.info("Predicted %d of %d images.", len(answers), number)
    return answers, tables


def answer_part(
    job: FoldJob, kept: Mapping[int, KeptModel], manifest: Mapping[str, Any], out: Path
) -> None:
    """Write the answers of a job's rows: the mean of the models, their spread, the distance."""
    files = [out.with_suffix(ending) for ending in (".all.csv", ".folds.csv", ".maps.npy")]
    features = predict_together(job, kept, *files)
    # One model is not averaged: of masks, a mean in double precision counts other last digits.
    together = read_csv(files[1] if len(kept) == 1 else files[0])
    by_model: dict[str, list[dict[str, str]]] = {}
    each = read_csv(files[1])
    relied = columns(manifest, [row["sample"] for row in together], each)
    for row in each:
        by_model.setdefault(row["sample"], []).append(row)
    # An answer on an image unlike the training ones is a guess, however sure its probability looks.
    far = distance(features, manifest)
    ordered, channels = sorted_rows(job.part("holdout")), job.params["image"]["channels"]
    training_grey = manifest["cohort"]["intensity"]
    grey = grey_distances(job.images, job.images.places(ordered), channels, training_grey)
    table = []
    for place, row in enumerate(together):
        prediction = job.task.without_truth(row)
        answer = {k: v for k, v in prediction.items() if k not in ("group", "exam", "fold")}
        spread = spread_of(by_model[row["sample"]], answer)
        unlike = {"distance": f"{far[place]:.3f}", "grey_distance": f"{grey[place]:.3f}"}
        table.append(answer | relied[place] | spread | unlike)
    write_csv(out, list(table[0]), table)
    for path in files[:2]:
        path.unlink()


def spread_of(rows: Sequence[Mapping[str, str]], answer: Mapping[str, str]) -> dict[str, str]:
    """`sd_<name>`: standard deviation (n - 1) over the models of each number that they give."""
    if len(rows) < 2:
        return {}
    names = [name for name in answer if name.startswith("p_") or name == "predicted"]
    numbers = {name: [row[name] for row in rows] for name in names}
    return {
        f"sd_{name}": f"{statistics.stdev(map(float, values)):.6g}"
        for name, values in numbers.items()
        if all(value.replace(".", "").replace("e-", "").isdigit() for value in values)
    }


def distance(features: Mapping[int, np.ndarray], manifest: Mapping[str, Any]) -> np.ndarray:
    """(N,) how unlike the training images: 1 is the 95th percentile of theirs, mean over models."""
    facts = {one["fold"]: one["features"] for one in manifest["members"]}
    shares = [
        distances(values, facts[fold]["mean"], facts[fold]["std"]) / (facts[fold]["far"] or 1.0)
        for fold, values in features.items()
    ]
    return np.mean(shares, axis=0)


def write_table(request: Request, table: list[dict[str, str]], images: Sequence[Image]) -> None:
    """Write the predictions; with names, a row a file, the file's name before its sample."""
    if request.with_names:
        files = {one.sample: one.files for one in images}
        table = [{"file": str(path)} | row for row in table for path in files[row["sample"]]]
    write_csv(request.out, list(table[0]), table)
