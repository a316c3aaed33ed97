"""What a prediction is asked of, and which images of it the models can be asked about."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from foldwise.bundle.intake.texts import OPTION, Texts, texts_of
from foldwise.bundle.sources import (
    Decoding,
    Image,
    Shard,
    kept_out,
    unlike,
    warn_kept_out,
    without_colour,
)
from foldwise.cohort.codes import Wanted
from foldwise.errors import FoldwiseError, plural
from foldwise.files import write_csv
from foldwise.pixels.cache import Crew
from foldwise.settings.validation import images_wanted
from foldwise.tasks.base import Rows

log = logging.getLogger("foldwise")


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


class Intake:
    """Images from their files to what the models can be asked about, and the quarantine."""

    def __init__(
        self,
        request: Request,
        manifest: Mapping[str, Any],
        reader: str,
        images: Sequence[Image],
        private: Path,
    ) -> None:
        self.out, self.number = request.out, len(images)
        self.wanted, params = wanted(request, manifest), manifest["params"]
        # Before anything is decoded: a table that is none says so at once.
        self.texts = texts_wanted(request, manifest, images)
        left_out = unlike(images, reader, self.wanted) | self.without_text(images)
        self.quarantine = list(left_out.values())
        fit = [one for one in images if one.sample not in left_out]
        masked = params["kind"] == "segmentation"
        self.decoding = Decoding(fit, reader, params["image"], private, masked)

    def without_text(self, images: Sequence[Image]) -> dict[str, dict[str, str]]:
        """Sample -> its line of the quarantine, of images whose models would read an empty text."""
        if self.texts is None:
            return {}
        lacking = [one.sample for one in images if one.sample not in self.texts]
        if lacking:
            log.warning(
                "%s in quarantine: no text, by the file names in the table of %s.",
                plural(len(lacking), "image"),
                OPTION,
            )
        return {sample: kept_out(sample, "no_text", self.wanted) for sample in lacking}

    def text_of(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The texts of a row, where the models read any."""
        return {"texts": self.texts[row["sample"]]} if self.texts is not None else {}

    def readable(self, shards: Iterable[Shard]) -> Iterator[Rows]:
        """Rows of each shard, as they come; writes the quarantine after the last.

        Raises FoldwiseError where there are none at all.
        """
        coloured, rows = [], 0
        for shard in shards:
            grey, others = without_colour(shard.rows, self.wanted)
            self.quarantine += shard.quarantine
            coloured, rows = coloured + others, rows + len(grey)
            yield [row | self.text_of(row) for row in grey]
        warn_kept_out(coloured)
        self.quarantine += coloured
        names = ["sample", "reason", "meaning"]
        path = self.out.with_name(f"{self.out.stem}_quarantine.csv")
        write_csv(path, names, self.quarantine)
        if not rows:
            raise FoldwiseError(
                f"None of {plural(self.number, 'image')} can be predicted: "
                f"{self.quarantine[0]['meaning']}. The quarantine beside {self.out} names each."
            )


def texts_wanted(
    request: Request, manifest: Mapping[str, Any], images: Sequence[Image]
) -> Texts | None:
    """The images' texts where the models read any; None where they read none."""
    if "text" in manifest["params"]["task"]:
        return texts_of(images, request.texts)
    if request.texts:
        raise FoldwiseError(f"{OPTION}: the bundle's models read no text. Leave it out.")
    return None


def wanted(request: Request, manifest: Mapping[str, Any]) -> Wanted:
    """What an image must say of itself, by the training's images and by what is allowed."""
    trained_on, allow = images_wanted(manifest), request.allow
    return Wanted(
        () if "other_modality" in allow else tuple(trained_on["modalities"]),
        grey=trained_on["colour"] == "quarantine" and "other_photometric" not in allow,
        burned_in="burned_in" in allow,
    )
