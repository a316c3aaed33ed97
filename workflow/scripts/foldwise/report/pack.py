"""The report pack of a run: Markdown, web page, figures, ledger, record, assets."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from foldwise.files import replacing, write_json, write_text
from foldwise.origin import origins
from foldwise.report import render
from foldwise.report.catalogue import ASSETS, OF_KIND, asset_files, figure_inputs
from foldwise.report.draw import figure
from foldwise.report.entries import FIGURES
from foldwise.report.files import paths_of
from foldwise.report.inputs import best_fold, of_fold
from foldwise.report.ledger import Job, Ledger
from foldwise.report.page import shown
from foldwise.report.record import run_record
from foldwise.report.run import Figures, Run
from foldwise.report.sections.heading import title_of

HOLDOUT = "holdout"


def report_pack(
    study: dict[str, Any],
    folds: Sequence[int],
    figures: Mapping[str, str | Path],
    out: str | Path,
    started: Mapping[str, str] | None = None,
) -> None:
    """Write index.html, report.md, figures/, assets/, ledger.json and record.json into `out`.

    study: settings with "name"; figures: name (of entries.FIGURES) -> PNG made by rule `figure`.
    started: "command" and "started" of the run that is going on. Files are read from
    results/<study> below the working folder.
    """
    out, results = Path(out), Path("results") / study["name"]
    paths = paths_of(asset_files(study), study, folds)
    record = run_record(study, results, paths["histories"], started)
    # First: sections read it as one of the run's files.
    write_json(out / "record.json", record)
    ledger = Ledger(origins(results / "logs"))
    run = Run(ledger, study, folds, Figures())
    # An empty holdout has empty figures: the page is as that of a study without one.
    if run.holdout is None:
        figures = {name: path for name, path in figures.items() if FIGURES[name].section != HOLDOUT}
    run.figures.update(_figures(run, figures, out))
    sections = shown(run)
    write_text(out / "report.md", render.markdown(sections))
    pictures = [one for _, values in sections for one in values.get("pictures") or ()]
    made_by = {one["file"]: one["origin"] for one in [*run.figures.values(), *pictures]}
    write_text(out / "index.html", render.page(sections, title_of(study), made_by, out))
    write_json(out / "ledger.json", {"data": record["data_hash"], **ledger.as_json()})
    make_assets(study, paths, [a for a, f in ASSETS.items() if f in figures], out / "assets")


def _figures(run: Run, figures: Mapping[str, str | Path], out: Path) -> dict[str, dict[str, str]]:
    """Title, caption, file (a copy in the page's folder) and origin of each figure, noted."""
    listed = {}
    for name, path in figures.items():
        file = f"figures/{name}.png"
        # Rule `figure` may write where the page lies: a file copied onto itself would be emptied.
        if Path(path).resolve() != (out / file).resolve():
            with replacing(out / file) as temporary:
                shutil.copyfile(path, temporary)
        entry, job = FIGURES[name], Job("figure", run.study["name"], run.name)
        reads = figure_inputs(name, run.study, run.folds).values()
        run.ledger.note_figure(name, path, job, [one for many in reads for one in many])
        facts = {
            "title": entry.title,
            "caption": entry.caption_of(run.single),
            "section": entry.section,
        }
        listed[name] = facts | {"file": file, "origin": run.ledger.origin_of_figure(name)}
    return listed


def make_assets(
    study: Mapping[str, Any], paths: Mapping[str, Sequence], assets: Sequence[str], out: Path
) -> None:
    """`<study>_<asset>_seed<seed>.png` of the best fold, which a line above the figure names."""
    number = best_fold(paths)
    one = of_fold(paths, number)
    note = f"{study['name']}: fold {number}, the best of {len(paths['histories'])}"
    for asset in assets:
        file = out / f"{study['name']}_{asset}_seed{study['seed']}.png"
        if ASSETS[asset] in OF_KIND.get(study["kind"], ASSETS.values()):
            figure(ASSETS[asset], one, file, note)
