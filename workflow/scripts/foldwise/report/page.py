"""The page: its sections in their order, the files that they read, and what each shows.

A section is a module below `report/sections` and a template of the same name in
`workflow/report/sections`. The module has

    applies(study) -> bool        whether the settings ask for the section
    reads(study) -> tuple         kinds of files (`report.files`) that it reads, beyond SHARED
    values(run) -> dict | None    what its template shows; None where these results have nothing

Standard library only: the rule files read this.
"""

from types import ModuleType
from typing import Any

from foldwise.report.files import ALWAYS
from foldwise.report.run import Run, Study
from foldwise.report.sections import (
    answers,
    baselines,
    cohort,
    comparison,
    folds,
    gradcam,
    heading,
    holdout,
    methods,
    record,
    results,
    study,
    training,
    warnings,
)
from foldwise.report.sections.explorer import cases, embeddings, thresholds
from foldwise.report.sections.reliability import calibration, conformal, subgroups, suspects
from foldwise.report.sections.repeats import learning_curve, seeds
from foldwise.report.sections.searched import analysis, nested, search, tuned
from foldwise.settings.kinds import has_holdout

SECTIONS = (
    heading,
    warnings,
    study,
    cohort,
    folds,
    results,
    baselines,
    answers,
    calibration,
    conformal,
    thresholds,
    subgroups,
    suspects,
    cases,
    embeddings,
    comparison,
    seeds,
    learning_curve,
    search,
    analysis,
    tuned,
    nested,
    holdout,
    training,
    gradcam,
    methods,
    record,
)


def sections_of(settings: Study) -> list[ModuleType]:
    """The sections that a study's page has."""
    return [section for section in SECTIONS if section.applies(settings)]


def name_of(section: ModuleType) -> str:
    """Name of a section: that of its module and of its template."""
    return section.__name__.rpartition(".")[2]


def kinds_read(settings: Study) -> list[str]:
    """Kinds of files that the page's text reads, each once."""
    kinds = [*ALWAYS, *(["holdout"] if has_holdout(settings) else [])]
    kinds += [kind for section in sections_of(settings) for kind in section.reads(settings)]
    return list(dict.fromkeys(kinds))


def shown(run: Run) -> list[tuple[str, dict[str, Any]]]:
    """Name of each section and what its template is given, in the page's order."""
    facts, sections = run.facts(), []
    for section in sections_of(run.study):
        values = section.values(run.of_section(section.__name__, section.reads(run.study)))
        if values is not None:
            sections.append((name_of(section), facts | values))
    return sections
