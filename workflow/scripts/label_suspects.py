"""Rule label_suspects: labels that are likely wrong, keyed for the page, by name for a reader."""

from foldwise.adapter import adapter
from foldwise.cohort.identity import write_private_csv
from foldwise.files import read_csv, read_json, write_json
from foldwise.reliability.suspects import PRIVATE, find_suspects, private_rows

with adapter(snakemake):
    files = snakemake.input
    rows = [row for path in files.predictions for row in read_csv(path)]
    found, listed = find_suspects(rows, read_json(files.params)["task"])
    write_json(snakemake.output.summary, found)
    named = private_rows(listed, read_csv(files.id_map))
    write_private_csv(snakemake.output.private, PRIVATE, named)
