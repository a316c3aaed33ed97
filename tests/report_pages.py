"""A made-up run's report pack, and what stands on its page."""

import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from foldwise.hashing import digest
from foldwise.report import style
from foldwise.report.catalogue import figure_inputs, figures_of
from foldwise.report.draw import figure
from foldwise.report.pack import report_pack
from made_holdout import make_holdout
from made_repeats import make_repeats
from made_runs import make_gradcam, make_run

STUDY = {
    "name": "density",
    "kind": "classification",
    "seed": 42,
    "data": {
        "root": "/archive/CANARY",
        "table": {"path": "CANARY.csv"},
        "group": "patient",
        "splits": {},
        "columns": {"texts": [], "second": None, "label": "density", "subgroups": {}},
    },
    "folds": {"preset": None, "holdout": 0.0},
    "search": None,
    "article": {"studies": []},
    "seeds": [],
    "learning_curve": None,
    "report": {
        "title": None,
        "run": "cv",
        "compare": [],
        "search": [],
        "baselines": None,
        "gradcam_per_class": 3,
        "thumbnails": "image",
        "calibration": "temperature",
        "error": 0.1,
        "subgroup_least": 10,
    },
}
OUT = Path("results/density/report")
# Digest of a figure's name and inputs -> its PNG.
DRAWN = {}
STARTED = {"command": "snakemake --cores 2", "started": "2026-01-01T12:00:00+00:00"}


def reporting(**changes):
    """STUDY with other settings of the report."""
    return STUDY | {"report": STUDY["report"] | changes}


def build(root, n_folds=3, classes=("A", "B"), study=STUDY, patients=8, group_by="patient"):
    """A made-up run in `root` (the working folder) and its pack."""
    run = make_run(root, n_folds, classes, patients=40, group_by=group_by)
    make_gradcam(run)
    held = study["folds"]["holdout"] > 0
    if held:
        make_holdout(run, patients)
    names = figures_of("classification", holdout=held)
    if study["seeds"] or study["learning_curve"]:
        make_repeats(run)
        names += ["learning_curve"] if study["learning_curve"] else []
    figures = {}
    for name in names:
        figures[name] = OUT / "figures" / f"{name}.png"
        draw_once(name, figure_inputs(name, study, run.folds), figures[name])
    report_pack(study, run.folds, figures, OUT, STARTED)
    return root / OUT


def draw_once(name, paths, out):
    """A figure; one that this process drew of files of the same content is not drawn again."""
    read = [(kind, _content(path)) for kind, found in paths.items() for path in found]
    key = digest([name, read])
    if key in DRAWN:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(DRAWN[key])
    else:
        with pytest.MonkeyPatch.context() as patch:
            # Pixels of print take longer to write than to draw; figures have tests of their own.
            patch.setattr(style, "DPI", 60)
            figure(name, paths, out)
        DRAWN[key] = out.read_bytes()


def _content(path):
    """Digests of a file, and of the arrays that lie beside it where it has any."""
    files = [Path(path), Path(path).with_suffix(".npz")]
    return [hashlib.sha256(file.read_bytes()).hexdigest() for file in files if file.exists()]


class Page(HTMLParser):
    """Numbers (value, title, text), cells that hold digits outside of them, and all addresses."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.numbers, self.addresses, self.untraced = [], [], []
        self.cell = self.number = None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.addresses += [found[name] for name in ("src", "href") if name in found]
        if tag == "data":
            self.number = [found["value"], found["title"], ""]
        if tag == "td":
            self.cell = "right" in found.get("style", "")

    def handle_endtag(self, tag):
        if tag == "data":
            self.numbers.append(self.number)
            self.number = None
        if tag == "td":
            self.cell = None

    def handle_data(self, data):
        if self.number:
            self.number[2] += data
        elif self.cell and re.search(r"\d", data):
            self.untraced.append(data)
