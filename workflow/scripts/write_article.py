"""Rule write_article: text, documents, tables, checklists, model card and ledger of an article."""

from pathlib import Path

from foldwise.adapter import adapter
from foldwise.article.build import write_article
from foldwise.article.inputs import article_figures, article_files
from foldwise.article.study import Study
from foldwise.origin import origins
from foldwise.report.ledger import Ledger
from foldwise.settings.paths import with_paths

with adapter(snakemake):
    shown = [with_paths(one, one["name"], snakemake.config) for one in snakemake.params.studies]
    recorded = {}
    for settings in shown:
        recorded |= origins(Path("results") / settings["name"] / "logs")
    ledger = Ledger(recorded)
    studies = [
        Study(settings, article_files(settings), article_figures(settings), ledger)
        for settings in shown
    ]
    out = Path(snakemake.output.text).parent
    write_article(studies, studies[0].settings["article"], ledger, out)
