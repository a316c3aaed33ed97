"""Which files of a study its article reads. Standard library only: the rule files read this."""

from collections.abc import Mapping
from typing import Any

from foldwise.errors import FoldwiseError, nearest
from foldwise.report.catalogue import figures_of_study
from foldwise.report.files import FILES, folder_of
from foldwise.report.page import kinds_read

# What every article reads, by kind of file.
ALWAYS = ("manifest", "params", "summary", "record", "balance")
# Kinds of files of which an article knows what to say, where the study has them.
WHERE_MADE = ("comparisons", "holdout", "search", "tuned", "nested", "across")
WHERE_MADE += ("calibration", "conformal", "subgroups", "suspects", "seeds", "learning_curve")
# Every kind of file that a template may name.
KINDS = (*ALWAYS, *WHERE_MADE)


def article_files(study: Mapping[str, Any]) -> dict[str, str]:
    """Kind of file -> path, of the run that the study reports."""
    made = [*kinds_read(study), *(["across"] if study["article"]["studies"] else [])]
    kinds = (*ALWAYS, *(kind for kind in WHERE_MADE if kind in made))
    pages = folder_of(study)
    names = {"study": study["name"], "run": study["report"]["run"], "pages": pages}
    return {kind: FILES[kind].format(**names) for kind in kinds}


def article_figures(study: Mapping[str, Any]) -> dict[str, str]:
    """Name of a figure -> its picture."""
    base = f"results/{study['name']}/report/figures"
    return {name: f"{base}/{name}.png" for name in figures_of_study(study)}


def studies_of(study: dict, studies: dict[str, dict]) -> list[dict]:
    """The studies of an article, its own first. Raises FoldwiseError for one that is not run."""
    for name in study["article"]["studies"]:
        if name == study["name"]:
            raise FoldwiseError(f"{name}: article.studies names the study itself. Take it out.")
        if name not in studies:
            raise FoldwiseError(
                f"{study['name']}: article.studies: '{name}' is no study that is run."
                f"{nearest(name, studies)} Name it in config/config.yaml too. Studies: "
                f"{', '.join(studies)}."
            )
    return [study, *(studies[name] for name in study["article"]["studies"])]
