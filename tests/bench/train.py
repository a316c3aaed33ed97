"""Training beside the best ways of doing it: `python tests/bench/train.py [--device cuda ...]`.

One network, the same pictures, batches and strengths of augmentation, each way in a process of its
own: foldwise; a plain loop over one batch that lies ready on the device, which has no cost of data
at all; the same loop over torch's DataLoader, with as many workers as are fastest; over MONAI's
CacheDataset; and timm's recipe (its loader, optimiser, schedule and averaged weights), where timm
is installed. All judge a validation part after each epoch.

Prints images a wall second from the end of the first epoch on, how much a step takes beyond that of
the ready batch, CPU seconds for 1,000 images, busy cores (on a GPU also how busy nvidia-smi found
it), and the seconds until kappa of the validation part was at least `--kappa`.
"""

import argparse
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).parent
HEADER = "| way | images/s | over a ready batch, ms a step | CPU s of 1,000 | cores | {} |"


def measured(way: str, arguments: list[str]) -> dict:
    """What a process that trains so has printed."""
    command = [sys.executable, str(BENCH / "ways_of_training.py"), way, *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{way}: the training ended with status {done.returncode}.")
    return json.loads(done.stdout.splitlines()[-1])


def fastest(workers: list[int], arguments: list[str]) -> tuple[int, dict]:
    """The number of workers with which the DataLoader gives the most images, and what it gives."""
    runs = {
        number: measured("loader", [*arguments, "--workers", str(number)]) for number in workers
    }
    best = max(runs, key=lambda number: runs[number]["speed"])
    return best, runs[best]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--network", default="small_cnn")
    parser.add_argument("--size", default="96")
    parser.add_argument("--images", default="256")
    parser.add_argument("--batch", default="16")
    parser.add_argument("--epochs", default="8")
    parser.add_argument("--kappa", default="0.8")
    parser.add_argument("--precision", default="float32", choices=["float32", "bf16"])
    parser.add_argument("--workers", type=int, nargs="*", default=[0, 1, 2])
    chosen = vars(parser.parse_args())
    workers = chosen.pop("workers")
    arguments = [part for name, value in chosen.items() for part in (f"--{name}", value)]
    best, loader = fastest(workers, arguments)
    many = ["--workers", str(best)]
    rows = {
        "foldwise": measured("foldwise", arguments),
        "a batch that lies ready": measured("ready", arguments),
        f"DataLoader, {best} workers": loader,
        "MONAI CacheDataset": measured("monai", [*arguments, *many]),
    }
    if importlib.util.find_spec("timm"):
        rows["timm's recipe"] = measured("timm", [*arguments, *many])
    else:
        print("timm is not installed: its recipe is left out.")
    print(HEADER.format(f"GPU busy | kappa {chosen['kappa']} after | foldwise / this"))
    print("| --- " * 8 + "|")
    for way, row in rows.items():
        beyond = row["step_ms"] - rows["a batch that lies ready"]["step_ms"]
        busy = "" if row["busy"] is None else f"{row['busy']:.0f} %"
        reached = "not reached" if row["reached"] is None else f"{row['reached']:.1f} s"
        if way == "a batch that lies ready":
            reached = ""  # It sees the same few pictures again and again.
        cells = [f"{row['speed']:.0f}", f"{beyond:.2f}", f"{row['cpu']:.2f}", f"{row['cores']:.2f}"]
        ratio = f"{rows['foldwise']['speed'] / row['speed']:.2f}"
        print("|", " | ".join([way, *cells, busy, reached, ratio]), "|")


if __name__ == "__main__":
    main()
