"""Rule report_pack: the page, its Markdown, the ledger of its numbers, the record of the run."""

from pathlib import Path

from foldwise.adapter import adapter
from foldwise.report.command import remembered
from foldwise.report.pack import report_pack
from foldwise.settings.paths import with_paths

with adapter(snakemake):
    settings, name = snakemake.params.study, snakemake.wildcards.study
    study = with_paths(settings, name, snakemake.config)
    report_pack(
        study=study,
        folds=snakemake.params.folds,
        figures={Path(path).stem: path for path in snakemake.input.figures},
        out=Path(snakemake.output.page).parent,
        started=remembered(name),
    )
