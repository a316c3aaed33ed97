"""Rule audit: what decoding said of each image, and the analysed set that follows."""

from pathlib import Path

from foldwise.adapter import adapter
from foldwise.cohort.audit import AuditSettings, make_audit

with adapter(snakemake):
    settings = snakemake.params.settings
    make_audit(
        settings=AuditSettings.of(settings["data"], trains=not settings["validate.bundle"]),
        study=Path(snakemake.output.cohort).parent,
        shards=[path for path in snakemake.input.shards if path.endswith(".json")],
    )
