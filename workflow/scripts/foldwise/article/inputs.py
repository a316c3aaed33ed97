"""Which files of a study its article reads. Standard library only: the rule files read this."""

from foldwise.errors import FoldwiseError, nearest
from foldwise.report.catalogue import FILES, RULES, asked_for, figures_of_study
from foldwise.settings.kinds import held_out

# What every article reads, by kind of file.
ALWAYS = ("manifest", "cohort", "params", "summary")
# Kinds of files of which an article knows what to say, where the study has them.
WHERE_MADE = ("comparisons", "holdout", "search", "tuned", "nested")
# Every kind of file that a template may name.
KINDS = (*ALWAYS, *WHERE_MADE, "record", "balance")
RECORD = "results/{study}/report/record.json"
BALANCE = "results/{study}/folds/balance.json"


def article_files(study: dict) -> dict[str, str]:
    """Kind of file -> path, of the run that the study reports."""
    kinds = ALWAYS + tuple(kind for kind in asked_for(study) if kind in WHERE_MADE)
    names = {"study": study["name"], "run": study["report"]["run"]}
    files = {kind: FILES[kind].format(**names) for kind in kinds}
    files |= {"record": RECORD.format(**names), "balance": BALANCE.format(**names)}
    if held_out(study):
        files["holdout"] = FILES["holdout"].format(**names)
    return files


def article_figures(study: dict) -> dict[str, str]:
    """Name of a figure -> its picture."""
    base = f"results/{study['name']}/report/figures"
    return {name: f"{base}/{name}.png" for name in figures_of_study(study)}


def maker(kind: str) -> str:
    """The rule that makes a kind of file."""
    return RULES.get(kind, {"record": "report_pack", "balance": "folds"}.get(kind, ""))


def studies_of(study: dict, studies: dict[str, dict]) -> list[dict]:
    """The studies of an article, its own first. Raises FoldwiseError for one that is not run."""
    for name in study["article"]["studies"]:
        if name not in studies:
            raise FoldwiseError(
                f"{study['name']}: article.studies: '{name}' is no study that is run."
                f"{nearest(name, studies)} Name it in config/config.yaml too. Studies: "
                f"{', '.join(studies)}."
            )
    return [study, *(studies[name] for name in study["article"]["studies"])]
