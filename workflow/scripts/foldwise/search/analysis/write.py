"""The files of an analysis: seven figures and four documents."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from foldwise.errors import plural
from foldwise.files import write_text
from foldwise.report.files import ANALYSIS_FIGURES
from foldwise.report.style import look, save
from foldwise.search.analysis.figures import DRAWN
from foldwise.search.analysis.loss_figures import DRAWN as LOSS_DRAWN
from foldwise.search.analysis.mathematics import mathematics
from foldwise.search.analysis.report import report
from foldwise.search.analysis.tables import code, document, table
from foldwise.search.analysis.trials import Searched
from foldwise.search.analysis.tuning import tuning


def write_analysis(
    folder: str | Path,
    searched: Searched,
    gradients: Mapping[str, Any] | None = None,
    benchmarks: Iterable[Path] = (),
) -> None:
    """Write all files; `gradients` is what `gradients.report_of` gives, None without models."""
    base = Path(folder)
    base.mkdir(parents=True, exist_ok=True)
    with look():
        figures = [draw(searched) for draw in DRAWN] + [draw(gradients) for draw in LOSS_DRAWN]
        for name, figure in zip(ANALYSIS_FIGURES, figures, strict=True):
            save(figure, base / f"{name}.png")
    write_text(base / "REPORT.md", report(searched))
    write_text(base / "MATHEMATICAL_ANALYSIS_SUMMARY.md", mathematics(searched.study, gradients))
    write_text(base / "HYPERPARAMETER_TUNING_SUMMARY.md", tuning(searched, benchmarks))
    # Last: it lists the files that are there.
    write_text(base / "ANALYSIS_COMPLETE.md", made(base, searched))


def made(base: Path, searched: Searched) -> str:
    """What was made, with sizes in bytes."""
    rows = [(code(path.name), f"{path.stat().st_size:,}") for path in sorted(base.iterdir())
            if path.suffix in (".png", ".md") and path.name != "ANALYSIS_COMPLETE.md"]  # fmt: skip
    counts = (
        f"{plural(len(searched.trials), 'trial')} compared. Start with REPORT.md; every number in "
        "these files is computed from the trials."
    )
    return document(
        f"Analysis of the search of {searched.study}",
        [("Done", counts), ("Files", table(["File", "Bytes"], rows))],
    )
