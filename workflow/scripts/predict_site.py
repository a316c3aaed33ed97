"""Rule predict_site: a bundle's models on all images of another site's cohort."""

from foldwise.adapter import adapter
from foldwise.settings.bundle_file import read_manifest
from foldwise.train.machine import set_threads

with adapter(snakemake):
    files, made = snakemake.input, snakemake.output
    set_threads(read_manifest(files.bundle)["params"]["training"]["threads"])
    # After set_threads: this imports torch.
    from foldwise.bundle.site import SiteFiles, predict_site

    predict_site(
        SiteFiles(
            bundle=files.bundle,
            cohort=files.cohort,
            cache=f"results/cache/{snakemake.params.cache}",
            texts=tuple(files.texts),
            predictions=made.predictions,
            folds=made.folds,
            maps=made.maps,
            facts=made.facts,
            same=made.same,
            id_map=files.id_map,
            key=next(iter(files.key), None),
        )
    )
