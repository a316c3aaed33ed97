"""The analysis of a search: its main figures, and links to all that was made."""

from typing import Any

from foldwise.report.files import ANALYSIS_DOCUMENTS, ANALYSIS_FIGURES, ANALYSIS_SHOWN, FILES, RULES
from foldwise.report.ledger import Job
from foldwise.report.run import Run, Study

# From the page's folder.
FOLDER = "../search/analysis"
CAPTIONS = {
    "fig1_top5_configurations": (
        "The best trials",
        "The objective at the best and at the last epoch.",
    ),
    "fig2_parameter_effects": (
        "The objective by each setting",
        "Every trial, mean and spread, the best trial as a star; of trials that one search drew.",
    ),
    "fig7_pixel_gradient_analysis": (
        "What each loss weighs",
        "Shares of easy, medium and hard elements and of their gradient, measured on the best "
        "trial's own predictions.",
    ),
}


def applies(study: Study) -> bool:
    """To studies whose report tells of the search."""
    return "search" in study["report"]["search"]


def reads(study: Study) -> tuple[str, ...]:
    """The report of the analysis, and the figures that are shown."""
    return ("analysis", *(f"analysis_{name}" for name in ANALYSIS_SHOWN))


def values(run: Run) -> dict[str, Any]:
    """Pictures with their origins, and names of the files to look at."""
    return {
        "folder": FOLDER,
        "pictures": [_picture(run, name) for name in ANALYSIS_SHOWN],
        "analysis_figures": ANALYSIS_FIGURES,
        "documents": ANALYSIS_DOCUMENTS,
    }


def _picture(run: Run, name: str) -> dict[str, str]:
    study, kind = run.study["name"], f"analysis_{name}"
    job = Job(RULES[kind], study, "", 0)
    trials = FILES["trials"].format(study=study)
    run.ledger.note_figure(name, FILES[kind].format(study=study), job, [trials])
    title, caption = CAPTIONS[name]
    origin = run.ledger.origin_of_figure(name)
    return {"title": title, "caption": caption, "file": f"{FOLDER}/{name}.png", "origin": origin}
