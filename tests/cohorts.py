"""Cohorts of made-up archives for tests: made, decoded, audited, without the workflow."""

from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from foldwise.cohort.audit import AuditSettings, make_audit
from foldwise.cohort.build import CohortSettings, make_cohort
from foldwise.cohort.identity import Names, load_key
from foldwise.cohort.shards import locate, read_list
from foldwise.files import read_csv, read_json, write_csv
from foldwise.pixels.cache import write_shard
from foldwise.pixels.decode.base import of_content
from foldwise.registry import load
from foldwise.settings.schema import complete, schema
from usual import image_settings

CLASSES = {
    "mapping": {"1": "A", "2": "B", "3": "C", "4": "D"},
    "order": list("ABCD"),
    "drop": ["5"],
}


@dataclass
class Study:
    """A study in `folder` on `root` and `table`; `decoded` counts the images decoded so far."""

    folder: Path
    root: Path
    table: Path
    reader: str = "dicom"
    layout: str = "accession"
    name: str = "study"
    data: dict = field(default_factory=dict)
    decoded: int = 0

    @property
    def results(self) -> Path:
        return self.folder / self.name

    def settings(self) -> CohortSettings:
        """Settings as a study file gives them."""
        data = {
            "root": str(self.root),
            "table": {"path": str(self.table), "format": self.layout},
            "classes": CLASSES,
            **self.data,
        }
        return CohortSettings.of(complete(schema("data"), data), seed=7)

    def cohort(self, **changes) -> dict:
        """Make the cohort; returns its flow."""
        return make_cohort(
            replace(self.settings(), **changes),
            load("READERS", self.reader)(),
            self.results,
            self.folder / "private",
            self.folder / "cache" / "lists",
        )

    def decode(self) -> list[Path]:
        """Decode shards that are not there yet; returns the JSON files of all that are needed."""
        paths = []
        for shard in sorted({row["shard"] for row in self.rows("images")}):
            path = self.folder / "cache" / f"{shard}.json"
            if not path.exists():
                self.decoded += len(self._decode(shard, path))
            paths.append(path)
        return paths

    def _decode(self, shard: str, path: Path) -> list[dict]:
        decoder, settings = load("DECODERS", self.reader)(), image_settings(size=32)
        contents = read_list(self.folder / "cache" / "lists", shard)
        private = self.folder / "private"
        located, names = locate(private, contents), Names(load_key(private))
        read = partial(of_content, decoder, settings, located, names)
        shape = decoder.shape(settings)
        out = path.with_suffix(".npy"), path
        return write_shard(read, contents, shape, settings.dtype, out)

    def audit(self, **changes) -> dict:
        """Decode and audit; returns the manifest."""
        settings = AuditSettings.of(complete(schema("data"), {"classes": CLASSES, **self.data}))
        return make_audit(replace(settings, **changes), self.results, self.decode())

    def rows(self, name: str) -> list[dict[str, str]]:
        """Rows of a CSV of the study, such as `labels` or `private/id_map`."""
        return read_csv(self.results / f"{name}.csv")

    def json(self, name: str) -> dict:
        """A JSON file of the study."""
        return read_json(self.results / f"{name}.json")

    def public_text(self) -> str:
        """All that stands outside private/, file names and cache included."""
        texts = []
        for path in sorted(self.folder.rglob("*")):
            if path.is_file() and "private" not in path.parts and path.suffix != ".npy":
                texts.append(f"{path.relative_to(self.folder)}\n{path.read_text()}")
        return "\n".join(texts)


# Settings under which no share of quarantined images stops a cohort.
ALL = {"max_quarantine": 1.0}


def table_of(study: Study) -> list[dict[str, str]]:
    """Rows of the table of labels, with the zeros that it has lost."""
    rows = read_csv(study.table)
    return [{**row, "AccessionNumber": row["AccessionNumber"].zfill(6)} for row in rows]


def write_table(study: Study, rows: list[dict[str, str]]) -> None:
    """Write the table of labels anew."""
    write_csv(study.table, list(rows[0]), rows)


def first_file(study: Study, accession: str) -> Path:
    """The first film of an exam."""
    return sorted((study.root / accession).iterdir())[0]


def id_map_of(study: Study) -> list[dict[str, str]]:
    """Make the cohort and return who is who in it."""
    study.cohort()
    return study.rows("private/id_map")


def pictures_of(study: Study, **data) -> Study:
    """A study on the pictures in `pictures/` beside another study's results."""
    folder = study.folder / "pictures"
    return Study(study.folder / "r", folder, folder / "paths.csv", "images", "paths", data=data)
