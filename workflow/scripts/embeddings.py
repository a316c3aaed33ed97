"""Rule embeddings: features of a frozen network, once for all runs and folds."""

from pathlib import Path

from foldwise.adapter import adapter
from foldwise.contents import read_cohort
from foldwise.train.machine import set_threads

with adapter(snakemake):
    set_threads(snakemake.threads)
    # After set_threads: these import torch.
    from foldwise.pixels.cache import Images
    from foldwise.train.embed import make_embeddings
    from foldwise.train.machine import device

    rows, settings = read_cohort(snakemake.input.cohort), snakemake.params.settings
    make_embeddings(
        folder=Path(snakemake.output.features).parent,
        images=Images.of(rows, f"results/cache/{snakemake.params.cache}"),
        rows=rows,
        channels=settings["image"]["channels"],
        weights=settings["model"]["embedding_weights"],
        device=device(),
    )
