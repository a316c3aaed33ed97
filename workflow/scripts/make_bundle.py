"""Rule make_bundle: the models of all folds with all that another site needs, as one file."""

from foldwise.adapter import adapter
from foldwise.bundle.make import About, RunFiles, make_bundle

with adapter(snakemake):
    files, params = snakemake.input, snakemake.params
    calibration, conformal = files.reliability or (None, None)
    make_bundle(
        RunFiles(
            params=files.params,
            summary=files.summary,
            cohort=files.cohort,
            flow=files.flow,
            models=dict(zip(params.numbers, files.models, strict=True)),
            embeddings=dict(zip(params.numbers, files.embeddings, strict=True)),
            cache=f"results/cache/{params.cache}",
            holdout=next(iter(files.holdout), None),
            calibration=calibration,
            conformal=conformal,
            key=next(iter(files.key), None),
        ),
        About(**params.about, code=params.predicts),
        snakemake.output[0],
    )
