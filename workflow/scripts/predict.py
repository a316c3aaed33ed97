"""New images through a bundle: `python workflow/scripts/predict.py BUNDLE FOLDER -o FILE.csv`.

Files or folders go in, a table comes out, without a study and without labels. What cannot be read
stands in the quarantine beside it, with its reason; names of files stand in `private/` beside it.
Run the same command again after a stop: what was done is not done again.
"""

import argparse
import logging
import os
import sys
from pathlib import Path

from foldwise.cohort.codes import MISFITS
from foldwise.errors import FoldwiseError
from foldwise.settings.bundle_file import read_manifest
from foldwise.train.machine import set_threads


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle", help="what `snakemake bundle` made")
    parser.add_argument("sources", nargs="+", help="images, or folders that hold them")
    parser.add_argument("-o", "--out", type=Path, required=True, help="the table to write (.csv)")
    parser.add_argument(
        "--reader", help="kind of the files where it is not the bundle's: dicom, images"
    )
    parser.add_argument(
        "--fold", type=int, action="append", help="only this fold's model; repeatable"
    )
    parser.add_argument("--texts", help="table of texts, for models that read them")
    parser.add_argument(
        "--with-names", action="store_true", help="write file names into the table: it may identify"
    )
    parser.add_argument(
        "--allow",
        action="append",
        choices=MISFITS,
        help="predict such images too, which else go to quarantine by their header; repeatable",
    )
    parser.add_argument(
        "--pixel-key",
        help="file of the key that was bundle.pixel_key: marks pictures that the training had",
    )
    parser.add_argument(
        "--dicom",
        action="store_true",
        help="also write DICOM objects of each image into private/: a structured report, and "
        "Grad-CAM as a secondary capture or the mask as a segmentation",
    )
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes that decode")
    return parser.parse_args()


def main(given: argparse.Namespace) -> None:
    # As many threads as in training: another number gives other last bits.
    set_threads(read_manifest(given.bundle)["params"]["training"]["threads"])
    # After set_threads: these import torch.
    from foldwise.bundle.predict import Request, predict
    from foldwise.pixels.cache import Crew

    request = Request(
        bundle=given.bundle,
        sources=tuple(given.sources),
        out=given.out,
        reader=given.reader,
        folds=tuple(given.fold or ()),
        texts=given.texts,
        with_names=given.with_names,
        allow=tuple(given.allow or ()),
        crew=Crew(given.workers),
        key=given.pixel_key,
        dicom=given.dicom,
    )
    done = predict(request)
    print(f"{done['predicted']} predicted, {done['quarantine']} in quarantine: {given.out}")


if __name__ == "__main__":
    os.umask(0o077)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        main(arguments())
    except FoldwiseError as error:
        sys.exit(f"Error: {error}")
