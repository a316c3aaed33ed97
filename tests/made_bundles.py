"""A bundle in seconds: pictures on a disk, two folds of a small network, a summary, one file."""

import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from foldwise.bundle.make import About, RunFiles, make_bundle
from foldwise.bundle.members import model_name
from foldwise.bundle.sources import Decoding, find, named
from foldwise.evaluate.fold import measure_levels
from foldwise.evaluate.metrics.intervals import Bootstrap
from foldwise.evaluate.summary import FoldResult, summarise
from foldwise.files import private_folder, read_csv, write_csv, write_json
from foldwise.pixels.cache import Crew, Images
from foldwise.registry import load
from foldwise.reliability.calibration import mend
from foldwise.reliability.conformal import conformal
from foldwise.settings.bundle_file import FORMAT, read_file, read_manifest, write_bundle
from foldwise.train.job import FoldJob
from foldwise.train.loop import train_fold
from foldwise.train.predict import predict_fold
from training import make_params

CLASSES = ["A", "B", "C"]
CANARY = "Zanzibar"
# Of conformal sets: twelve groups, of which six are left, allow no smaller one.
ERROR = 0.2


@dataclass(frozen=True)
class Made:
    """A bundle, the folder of its pictures, and what the workflow itself predicts for them."""

    bundle: Path
    pictures: Path
    params: dict[str, Any]
    validated: dict[int, list[Path]]  # fold -> its validation pictures
    predictions: dict[int, list[dict[str, str]]]  # fold -> val_predictions.csv


def write_pictures(folder: Path, number: int, seed: int = 7) -> list[Path]:
    """PNG files whose grey level tells the class, in turn; named by the canary."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    paths = []
    for n in range(number):
        level = 60 + 50 * (n % 3)
        pixels = random.normal(level, 25, (44, 40)).clip(1, 254).astype(np.uint8)
        pixels[0, 0], pixels[0, 1] = 0, 255
        paths.append(folder / f"{CANARY}_{n:03}.png")
        assert cv2.imwrite(str(paths[-1]), pixels)
    return paths


def make(
    folder: Path, number: int = 24, looks: dict | None = None, key: str = "", **changes: Any
) -> Made:
    """Everything below `folder`, in-process: what the rules of a study do, one after the other."""
    settings = {"model__name": "small_cnn", "training__epochs": 2, "image__window": "none"}
    params = make_params(32, **(settings | changes))
    paths = write_pictures(folder / "pictures", number)
    rows, images = cohort(folder, paths, params)
    files = {row["content"]: row["file"] for row in rows}
    task = load("TASKS", params["kind"])(params["task"])
    models, embeddings, predictions, validated, results = {}, {}, {}, {}, []
    for fold in (1, 2):
        # By groups, as folds are.
        is_val = [int(row["group"][1:]) % 2 == fold - 1 for row in rows]
        val = [row | {"fold": fold} for row, own in zip(rows, is_val, strict=True) if own]
        train = [row | {"fold": fold} for row, own in zip(rows, is_val, strict=True) if not own]
        out = folder / f"fold_{fold}"
        job = FoldJob(params, task, {"train": train, "val": val}, images, fold, out)
        train_fold(job)
        models[fold], embeddings[fold] = out / "best_model.pt", out / "embeddings_val.npy"
        predict_fold(job, models[fold], out / "val_predictions.csv", embeddings[fold])
        predictions[fold] = read_csv(out / "val_predictions.csv")
        validated[fold] = [files[row["content"]] for row in val]
        levels = measure_levels(predictions[fold], task.measured)
        metrics = {**levels["image"]["metrics"], "levels": levels}
        results.append(FoldResult(fold, metrics, predictions[fold], len(train), len(val)))
    summary = summarise(results, task.measured, Bootstrap(params["seed"], "patient", resamples=200))
    write_json(folder / "cv_summary.json", summary)
    write_json(folder / "params.json", params)
    rows = [row for fold in predictions for row in predictions[fold]]
    bootstrap = Bootstrap(params["seed"], "patient", resamples=50)
    mended, _ = mend(rows, params["task"], "temperature", bootstrap)
    write_json(folder / "calibration.json", mended)
    write_json(folder / "conformal.json", conformal(rows, params["task"], ERROR, bootstrap))
    looks = looks or {"modality": {"": number}, "colour": {"": number}}
    write_json(folder / "flow.json", {"looks": looks})
    if key:
        (folder / "shared.key").write_text(key)
    files = {"onnx": False, "torch_export": False, "tokenizer": "refuse"}
    about = About("made", "images", "patient", "CC-BY-4.0", None, "code", **files)
    run = RunFiles(
        params=folder / "params.json",
        summary=folder / "cv_summary.json",
        cohort=folder / "cohort.csv",
        flow=folder / "flow.json",
        models=models,
        embeddings=embeddings,
        cache=folder / "cache",
        calibration=folder / "calibration.json",
        conformal=folder / "conformal.json",
        key=folder / "shared.key" if key else None,
    )
    make_bundle(run, about, folder / "made-0.1.0.zip")
    return Made(folder / "made-0.1.0.zip", folder / "pictures", params, validated, predictions)


def cohort(folder: Path, paths: list[Path], params: dict) -> tuple[list[dict], Images]:
    """Rows with labels, and the images of the cache; cohort.csv and the cache in `folder`."""
    private = private_folder(folder / "private")
    images = named(find(paths, "images"), private)
    decoding = Decoding(images, "images", params["image"], private)
    rows = [row for shard in decoding.shards(Crew()) for row in shard.rows]
    (folder / "cache").symlink_to(decoding.folder)
    file_of = {one.content: one.files[0] for one in images}
    for row in rows:
        number = int(file_of[row["content"]].stem.partition("_")[2])
        own = {"group": f"g{number // 2}", "exam": f"e{number // 2}", "label": CLASSES[number % 3]}
        row |= own | {"file": file_of[row["content"]]}
        row.pop("facts")
    public = [{k: v for k, v in row.items() if k != "file"} for row in rows]
    write_csv(folder / "cohort.csv", list(public[0]), public)
    ids = [{"sample": row["sample"], "file": row["file"].name, "row": "2"} for row in rows]
    ids = [one | {"accession": "", "patient": "p"} for one in ids]
    write_csv(private / "id_map.csv", list(ids[0]), ids)
    return rows, Images.of(rows, folder / "cache")


def keep(made: Made, out: Path, named: str) -> None:
    """A bundle of a few kilobytes for later versions to read: its first model, in four values.

    `python tests/made_bundles.py NAME` writes one into tests/kept/, where those of earlier formats
    and contents stay: bundle_format_1 is without calibration, _calibrated with it.
    """
    manifest = read_manifest(made.bundle)
    name = model_name(1)
    state = load_tensors(read_file(made.bundle, manifest, name))
    coarse = {key: (value * 8).round().clamp(-1, 2) / 8 for key, value in state.items()}
    coarse = {k: v.to(state[k].dtype) if "num_" not in k else state[k] for k, v in coarse.items()}
    manifest["members"] = manifest["members"][:1]
    card = read_file(made.bundle, manifest, "MODEL_CARD.md")
    write_bundle(out / "whole.zip", manifest, {"MODEL_CARD.md": card, name: save_tensors(coarse)})
    path = out / f"bundle_format_{FORMAT}{named}.zip"
    with zipfile.ZipFile(out / "whole.zip") as whole, zipfile.ZipFile(path, "w") as small:
        for one in whole.namelist():
            info = zipfile.ZipInfo(one, (1980, 1, 1, 0, 0, 0))
            small.writestr(info, whole.read(one), zipfile.ZIP_LZMA)
    (out / "whole.zip").unlink()


def picture_of_numbers() -> np.ndarray:
    """(44, 40) uint8 by arithmetic alone, the same on any machine."""
    rows, columns = np.mgrid[:44, :40]
    return ((rows * 7 + columns * 13) % 256).astype(np.uint8)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        keep(make(Path(folder), number=48), Path(__file__).parent / "kept", sys.argv[1])
