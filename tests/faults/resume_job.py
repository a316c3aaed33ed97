"""A training job of a second or two as a process of its own: `resume_job.py <folder>`."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
if __name__ == "__main__":
    sys.path[:0] = [str(ROOT / "workflow" / "scripts"), str(ROOT / "tests")]

from foldwise.train.machine import set_threads  # noqa: E402
from foldwise.train.predict import predict_fold  # noqa: E402
from foldwise.train.process.stop import Stop  # noqa: E402
from training import make_images, make_job, make_params, make_rows, train  # noqa: E402

EPOCHS = 12


def main(folder: Path) -> None:
    """Train the fold, then predict, as the two rules do; at a signal it saves and leaves."""
    stop = Stop().listen()
    set_threads(1)
    params = make_params(
        size=160,
        training__epochs=EPOCHS,
        training__batch_size=4,
        training__head_only_epochs=2,
        training__early_stopping={"patience": None, "min_delta": 0},
    )
    rows = make_rows(36)
    images = make_images(rows, 160)
    out = train(folder, params, rows=rows, images=images, stop=stop)
    paths = out / "val_predictions.csv", out / "embeddings_val.npy"
    job = make_job(out, params, images, (rows[:24], rows[24:]))
    predict_fold(job, out / "best_model.pt", *paths)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
