"""Objects beside predictions: a report an image, and what can be shown of the answer."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import UID

from foldwise.bundle.dicom.pictures import capture, on_source, segmentation
from foldwise.bundle.dicom.report import report
from foldwise.bundle.dicom.source import NotReferable, Source, read_source
from foldwise.bundle.sources import Image
from foldwise.cohort.identity import write_private_csv
from foldwise.errors import plural
from foldwise.files import private_folder, read_csv, replacing
from foldwise.hashing import digest
from foldwise.pixels.dicom.file import read_picture
from foldwise.pixels.prepare import ImageSettings, place_of
from foldwise.report.cam.films import plain_name
from foldwise.report.cam.gradcam import class_map, output_of
from foldwise.report.cam.overlay import grey_levels, overlay
from foldwise.train.job import FoldJob
from foldwise.train.predict import KeptModel

log = logging.getLogger("foldwise")
FULL = 255  # of maps as they are kept
STEP = 100  # images between two lines of progress


@dataclass(frozen=True)
class Answers:
    """What was predicted, by which models: a table of `rows` in the order of the job's."""

    manifest: Mapping[str, Any]
    job: FoldJob
    kept: Mapping[int, KeptModel]
    parts: Sequence[Path]  # tables, each with its maps beside it

    def each(self) -> Iterator[tuple[dict[str, str], np.ndarray]]:
        """Each row, and its map (S, S) uint8; of length 0 where nothing is said of pixels."""
        for path in self.parts:
            maps = np.load(path.with_suffix(".maps.npy"), mmap_mode="r", allow_pickle=False)
            yield from zip(read_csv(path), maps, strict=True)


def write_dicom(answers: Answers, images: Sequence[Image], private: Path) -> dict[str, Any]:
    """Write the objects of all images into `private`/dicom; returns how many, and what has none.

    `private`/dicom.csv says which file each is about. An object that is there is not made again.
    """
    folder, writer = private_folder(private / "dicom"), Writer(answers, private / "dicom")
    files, listed = {one.sample: one.files[0] for one in images}, []
    for place, (row, map_hw) in enumerate(answers.each()):
        sample, path = row["sample"], files[row["sample"]]
        try:
            names, reason = writer.write(place, row, map_hw, path), ""
        except NotReferable as error:
            names, reason = [], str(error)
        names_of = " ".join(names)
        listed.append({"sample": sample, "file": str(path), "objects": names_of, "reason": reason})
        if (place + 1) % STEP == 0:
            log.info("DICOM objects of %d images written.", place + 1)
    write_private_csv(private / "dicom.csv", ["sample", "file", "objects", "reason"], listed)
    left_out = Counter(one["reason"] for one in listed if one["reason"])
    for reason, number in left_out.items():
        log.warning("%s without a DICOM object: %s.", plural(number, "image"), reason)
    made = [name for one in listed for name in one["objects"].split()]
    log.info("%s in %s.", plural(len(made), "DICOM object"), folder)
    return {"objects": len(made), "left_out": dict(left_out)}


class Writer:
    """Writes what belongs to one image at a time."""

    def __init__(self, answers: Answers, folder: Path) -> None:
        self.manifest, self.job, self.folder = answers.manifest, answers.job, folder
        self.settings = ImageSettings(**self.job.params["image"])
        self.by = [digest(self.manifest["files"]), sorted(answers.kept)]
        kept, rows = list(answers.kept.values()), self.job.part("holdout")
        # Grad-CAM is of networks that answer classes by an image alone, as in a study.
        shown = all(hasattr(one.model, "gradcam_layer") for one in kept)
        self.parts = list(self.job.task.answers()) if shown else []
        self.models = [(one, one.feed(self.job, rows)) for one in kept if self.parts]

    def write(
        self, place: int, row: Mapping[str, str], map_hw: np.ndarray, path: Path
    ) -> list[str]:
        """Names of the objects of an image, the `place`th of all. Raises NotReferable."""
        # Without the sample: its name is of this folder, and equal answers are equal objects.
        answers = {name: value for name, value in row.items() if name != "sample"}
        source, names = Source(read_source(path), digest([*self.by, answers], 64)), []
        for name, uid, make in self._objects(source, place, row, map_hw, path):
            target = self.folder / f"{row['sample']}_{name}.dcm"
            if not _is_there(target, uid):
                made = _made(make)
                with replacing(target) as temporary:
                    made.save_as(temporary)
            names.append(target.name)
        return names

    def _objects(
        self, source: Source, place: int, row: Mapping[str, str], map_hw: np.ndarray, path: Path
    ) -> Iterator[tuple[str, UID, Callable[[], Dataset]]]:
        """Name, UID and maker of each object of an image."""
        number = place + 1
        yield "report", source.uid("report"), lambda: report(source, row, self.manifest, number)
        for n, part in enumerate(self.parts):
            answer = row[f"predicted_{part}" if part else "predicted"]
            own = place * len(self.parts) + n + 1
            yield (
                f"gradcam_{plain_name(part)}" if part else "gradcam",
                source.uid("gradcam", part),
                partial(self._capture, source, place, part, answer, own),
            )
        if map_hw.size:
            yield "mask", source.uid("mask"), lambda: self._mask(source, map_hw, path, number)

    def _capture(self, source: Source, place: int, part: str, answer: str, number: int) -> Dataset:
        """The picture as the networks get it, and over it the mean of their maps."""
        task, heats = self.job.task, []
        size = max(kept.size for kept, _ in self.models)
        for kept, feed in self.models:
            batch = feed.batch(np.array([place]), kept.size)
            heat = class_map(kept.model, task, batch, output_of(task.answers(), part, answer))
            heats.append(cv2.resize(heat, (size, size)))
        _, feed = self.models[0]
        image = feed.batch(np.array([place]), size)["image"][0].cpu().numpy()
        grey = grey_levels(image, *feed.normalisation(place))
        picture = overlay(grey, np.round(np.mean(heats, axis=0) * FULL).astype(np.uint8))
        named = f" of {part}" if part else ""
        description = f"Grad-CAM of {answer}{named}, mean of {plural(len(heats), 'model')}"
        return capture(source, picture, part, description, number)

    def _mask(self, source: Source, map_hw: np.ndarray, path: Path, number: int) -> Dataset:
        """The mask on the image's own pixels, by the threshold of the study."""
        picture = read_picture(path, self.settings.reduce_levels)
        where, shape = place_of(picture, self.settings), picture.full_shape
        share = on_source(map_hw / np.float32(FULL), where, self.settings.size, shape)
        mask = share >= self.job.params["task"]["threshold"]
        return segmentation(source, mask, self.manifest, number)


def _made(make: Callable[[], Dataset]) -> Dataset:
    try:
        return make()
    # The library checks what it takes over; a header that DICOM forbids has many forms, and its
    # own words would show a value of it.
    except (KeyError, TypeError, ValueError) as error:
        log.debug("No object: %s.", type(error).__name__)
        raise NotReferable(
            f"its header holds what no object may take over ({type(error).__name__})"
        ) from error


def _is_there(path: Path, uid: UID) -> bool:
    if not path.exists():
        return False
    # Of other answers, as after another bundle into the same folder: made anew.
    return pydicom.dcmread(path, specific_tags=["SOPInstanceUID"]).SOPInstanceUID == uid
