"""New images through a bundle's models: a table in the end, and what went on the way in `private`.

Decoding, preparation and prediction are the workflow's own functions on the workflow's own rows, in
batches cut the same way, so that equal files give equal bits.
"""

import logging
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from foldwise.bundle.cohort_facts import distances, grey_distances
from foldwise.bundle.members import bundle_job, members, params_of
from foldwise.bundle.reliance import columns, in_words
from foldwise.bundle.remarks import KEY_OPTION, note_colour, note_training
from foldwise.bundle.sources import (
    Image,
    decode,
    find,
    named,
    state_of,
    unlike,
    with_texts,
    without_colour,
)
from foldwise.cohort.codes import Wanted
from foldwise.errors import FoldwiseError, plural
from foldwise.files import private_folder, read_csv, write_csv, write_json
from foldwise.hashing import digest
from foldwise.pixels.cache import Crew, Images
from foldwise.settings.bundle_file import read_manifest
from foldwise.settings.validation import check_key, images_wanted
from foldwise.train.feed.rows import sorted_rows
from foldwise.train.job import FoldJob
from foldwise.train.machine import device
from foldwise.train.predict import KeptModel
from foldwise.train.predict_holdout import predict_together

log = logging.getLogger("foldwise")

DICOM = "dicom"  # the reader whose files lie in exams

# Images that are predicted between two notes of progress; what a stop loses at most.
PART = 256


@dataclass(frozen=True)
class Request:
    """What is asked: images (files or folders) of a kind, by all models or by those of `folds`."""

    bundle: str
    sources: tuple[str, ...]
    out: Path
    reader: str | None = None
    folds: tuple[int, ...] = ()
    texts: str | None = None
    with_names: bool = False
    allow: tuple[str, ...] = ()  # of MISFITS: reasons that keep no image out
    key: str | None = None  # file of the key that names the training's pictures
    dicom: bool = False  # whether objects are written that lie in the images' exams
    crew: Crew = field(default_factory=Crew)


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
    rows, out, cache = usable(request, manifest, reader, images, private)
    params = params_of(request.bundle, manifest, private)
    if "text" in params["task"]:
        with_texts(rows, images, request.texts)
    job = bundle_job(manifest, params, rows, Images.of(rows, cache), device())
    job = replace(job, rows={"holdout": unlabelled(job)})
    kept = members(request.bundle, manifest, job, list(request.folds) or None)
    # A stop loses one part at most: parts that are there are read and not predicted again.
    parts = answered(request, manifest, job, kept, private)
    table = [row for path in parts for row in read_csv(path)]
    # A network of three channels is given colour as colour: only grey ones lose it unseen.
    if params["image"]["channels"] == 1:
        note_colour(table, rows)
    overlap = note_training(table, job, manifest, request.key)
    write_table(request, table, images)
    done = {"predicted": len(table), "quarantine": out}
    said = about(manifest, reader, done) | {"overlap": overlap}
    if request.dicom:
        # Here: who asks for no objects does not load what makes them.
        from foldwise.bundle.dicom.write import Answers, write_dicom

        said |= {"dicom": write_dicom(Answers(manifest, job, kept, parts), images, private)}
    write_json(request.out.with_name(f"{request.out.stem}_about.json"), said)
    return done


def usable(
    request: Request,
    manifest: Mapping[str, Any],
    reader: str,
    images: Sequence[Image],
    private: Path,
) -> tuple[list[dict[str, Any]], int, Path]:
    """Rows of what the models can be asked about, how many others there are, folder of the pixels.

    Writes the quarantine. Raises FoldwiseError where nothing is left.
    """
    allowed, params = wanted(request, manifest), manifest["params"]
    kept_out = unlike(images, reader, allowed)
    fit = [one for one in images if one.sample not in kept_out]
    masked = params["kind"] == "segmentation"
    rows, quarantine, cache = decode(fit, reader, params["image"], private, request.crew, masked)
    rows, coloured = without_colour(rows, allowed)
    quarantine += [*kept_out.values(), *coloured]
    names = ["sample", "reason", "meaning"]
    write_csv(request.out.with_name(f"{request.out.stem}_quarantine.csv"), names, quarantine)
    if not rows:
        raise FoldwiseError(
            f"None of {plural(len(images), 'image')} can be predicted: "
            f"{quarantine[0]['meaning']}. The quarantine beside {request.out} names each."
        )
    return rows, len(quarantine), cache


def check_dicom(request: Request, reader: str) -> None:
    """Refuse objects that would be about nothing, before anything is decoded."""
    if request.dicom and reader != DICOM:
        raise FoldwiseError(
            f"--dicom writes reports into the exams of DICOM images, and these files are read as "
            f"'{reader}', which belong to no exam. Leave --dicom out, or give DICOM files and "
            f"--reader {DICOM}."
        )


def unlabelled(job: FoldJob) -> list[dict[str, Any]]:
    """Rows as a cohort's, of images of which nothing is known."""
    labels = job.task.unlabelled()
    return [
        # Nothing is known of patients here: each image is a group of its own.
        row | labels | {"group": row["sample"], "exam": "", "fold": 1}
        for row in job.part("holdout")
    ]


def about(manifest: Mapping[str, Any], reader: str, done: Mapping[str, int]) -> dict[str, Any]:
    """What a table of predictions is of; a table is passed on without the log that said so."""
    reliability = in_words(manifest)
    if "calibration" in reliability:
        log.info("Neither calibrated probabilities nor sets: %s", reliability["calibration"])
    bundle = {name: manifest[name] for name in ("study", "foldwise", "licence")}
    bundle["digest"] = digest(manifest["files"])
    return {"bundle": bundle, "reader": reader} | done | {"reliability": reliability}


def wanted(request: Request, manifest: Mapping[str, Any]) -> Wanted:
    """What an image must say of itself, by the training's images and by what is allowed."""
    found, allow = images_wanted(manifest), request.allow
    return Wanted(
        () if "other_modality" in allow else tuple(found["modalities"]),
        grey=found["colour"] == "quarantine" and "other_photometric" not in allow,
        burned_in="burned_in" in allow,
    )


def answered(
    request: Request,
    manifest: Mapping[str, Any],
    job: FoldJob,
    kept: Mapping[int, KeptModel],
    private: Path,
) -> list[Path]:
    """Tables of a row an image, in order of content; parts that were made are left as they are."""
    rows = job.part("holdout")
    # Batches are cut at the same rows in one go and in parts.
    step = (
        max(1, PART // job.params["training"]["batch_size"]) * job.params["training"]["batch_size"]
    )
    found: list[Path] = []
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        # A part of other models, images or texts, or read otherwise, is never taken for this one.
        seen = [[row["content"], row.get("texts")] for row in part]
        of_bundle = [manifest["files"], manifest["reliability"]]
        reader = request.reader or manifest["reader"]
        state = state_of([of_bundle, sorted(kept), reader, seen])
        path = private / "parts" / f"{state}.csv"
        if not path.exists():
            answer_part(job, part, kept, manifest, path)
        found.append(path)
        log.info("Predicted %d of %d images.", min(start + step, len(rows)), len(rows))
    return found


def answer_part(
    job: FoldJob,
    rows: Sequence[dict[str, Any]],
    kept: Mapping[int, KeptModel],
    manifest: Mapping[str, Any],
    out: Path,
) -> None:
    """Write the answers of some rows: the mean of the models, their spread, the distance."""
    own = FoldJob(
        job.params, job.task, {"holdout": list(rows)}, job.images, 1, out.parent, job.device
    )
    files = [out.with_suffix(ending) for ending in (".all.csv", ".folds.csv", ".maps.npy")]
    features = predict_together(own, kept, *files)
    # One model is not averaged: of masks, a mean in double precision counts other last digits.
    together = read_csv(files[1] if len(kept) == 1 else files[0])
    alone: dict[str, list[dict[str, str]]] = {}
    each = read_csv(files[1])
    relied = columns(manifest, [row["sample"] for row in together], each)
    for row in each:
        alone.setdefault(row["sample"], []).append(row)
    # An answer on an image unlike the training ones is a guess, however sure its probability looks.
    far = distance(features, manifest)
    ordered, channels = sorted_rows(list(rows)), job.params["image"]["channels"]
    known = manifest["cohort"]["intensity"]
    grey = grey_distances(job.images, job.images.places(ordered), channels, known)
    table = []
    for place, row in enumerate(together):
        said = job.task.without_truth(row)
        answer = {k: v for k, v in said.items() if k not in ("group", "exam", "fold")}
        spread = spread_of(alone[row["sample"]], answer)
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
