"""Rule write_crate: a study with its workflow as one file, without anything private."""

from pathlib import Path

import yaml

from foldwise.adapter import adapter
from foldwise.crate.write import write_crate
from foldwise.files import read_json
from foldwise.origin import origins
from foldwise.search.chosen import with_places_left_out
from foldwise.settings.paths import with_paths

with adapter(snakemake):
    name = snakemake.wildcards.study
    settings = with_paths(dict(snakemake.params.study), name, snakemake.config)
    kept = {key: value for key, value in with_places_left_out(settings).items() if key != "name"}
    record = read_json(snakemake.input.record)
    write_crate(
        study={
            "name": name,
            "title": settings["article"]["title"] or settings["report"]["title"] or name,
            "made": record["made"],
        },
        texts={
            f"config/studies/{name}.yaml": yaml.safe_dump(kept, sort_keys=False),
            "config/config.yaml": f"studies: [{name}]\n",
        },
        made=origins(Path("results", name, "logs")),
        root=Path(snakemake.params.root),
        out=Path(snakemake.output[0]),
    )
