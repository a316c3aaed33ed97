"""Rule label_suspects: labels that are likely wrong, by keyed names."""

from foldwise.adapter import adapter
from foldwise.files import read_csv, read_json, write_csv, write_json
from foldwise.reliability.suspects import LISTED, find_suspects

with adapter(snakemake):
    files = snakemake.input
    rows = [row for path in files.predictions for row in read_csv(path)]
    summary, listed = find_suspects(rows, read_json(files.params)["task"], files.maps)
    write_json(snakemake.output.summary, summary)
    write_csv(snakemake.output.listed, LISTED, listed)
