"""The report pack of a run: Markdown, web page, figures, ledger, record, assets."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from foldwise.files import replacing, write_json, write_text
from foldwise.report import pages
from foldwise.report.catalogue import ASSET_FILES, ASSETS, OF_KIND, files
from foldwise.report.context import context_of
from foldwise.report.draw import figure
from foldwise.report.entries import FIGURES
from foldwise.report.inputs import best_fold, of_fold
from foldwise.report.ledger import Ledger
from foldwise.report.record import run_record
from foldwise.report.sections import Sections

TEMPLATE = "pack.md.j2"
HELD = "holdout"


def report_pack(
    study: dict[str, Any],
    run: str,
    folds: Sequence[int],
    figures: Mapping[str, str | Path],
    out: str | Path,
    started: Mapping[str, str] | None = None,
) -> None:
    """Write index.html, report.md, figures/, assets/, ledger.json and record.json into `out`.

    study: settings with "name"; figures: name (of catalogue.FIGURES) -> PNG made by rule `figure`.
    started: "command" and "started" of the run that is going on. Files are read from
    results/<study> below the working folder.
    """
    out, name = Path(out), study["name"]
    paths = files(ASSET_FILES, name, run, folds)
    record = run_record(study, Path("results") / name, run, paths["histories"], started)
    write_json(out / "record.json", record)
    ledger = Ledger()
    sections = Sections(ledger, name, run, list(folds))
    context = context_of(study, sections, out / "record.json", HELD in figures)
    if context["holdout"]["n"] is None:
        figures = {name: path for name, path in figures.items() if FIGURES[name].section != HELD}
    context["figures"] = _figures(figures, out)
    write_text(out / "report.md", pages.markdown(TEMPLATE, context))
    write_text(out / "index.html", pages.page(TEMPLATE, context, out))
    write_json(out / "ledger.json", ledger.as_json())
    make_assets(study, paths, [a for a, f in ASSETS.items() if f in figures], out / "assets")


def _figures(figures: Mapping[str, str | Path], out: Path) -> dict[str, dict[str, str]]:
    """Title, caption and file (a copy beside the page) of each figure."""
    shown = {}
    for name, path in figures.items():
        file = f"figures/{name}.png"
        if Path(path).resolve() != (out / file).resolve():
            with replacing(out / file) as temporary:
                shutil.copyfile(path, temporary)
        entry = FIGURES[name]
        facts = {"title": entry.title, "caption": entry.caption, "section": entry.section}
        shown[name] = facts | {"file": file}
    return shown


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
