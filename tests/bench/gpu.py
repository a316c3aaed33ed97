"""What a GPU does while it trains: `python tests/bench/gpu.py [--quick]`, on a machine with one.

Prints the card and two tables: networks and batches beside a tuned DataLoader (speed, what a step
waits for data, how busy the GPU is), and what the ways of running cost: deterministic algorithms,
bf16, the compiler, and several small trainings at once. Last, whether a training that is stopped
and goes on ends in the same bytes. `--device cpu --quick` runs all of it on small pictures without
a GPU: a check of the bench, not a figure of it.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BENCH = Path(__file__).parent
sys.path[:0] = [str(BENCH.parents[1] / "workflow" / "scripts"), str(BENCH.parent)]

from foldwise.train.machine import set_threads  # noqa: E402

set_threads(1)

import torch  # noqa: E402
from train import measured  # noqa: E402

from foldwise.train.process.stop import Stopped  # noqa: E402
from training import StopAt, make_params, train  # noqa: E402

CASES = (("efficientnet_b0", 512, 16), ("efficientnet_b0", 512, 64), ("small_cnn", 96, 16))
MASKS = ("unet", 512, 16)  # the other ways are written for classes
WORKERS = 8  # of the DataLoader
AT_ONCE = (1, 2, 4)
VARIANTS = {
    "float32, deterministic (the default)": [],
    "float32, whatever is fastest": ["--free"],
    "bf16": ["--precision", "bf16"],
    "float32, compiled": ["--compile"],
    "bf16, compiled": ["--precision", "bf16", "--compile"],
}


def options_of(chosen: argparse.Namespace, network: str, size: int, batch: int) -> list[str]:
    """The arguments of one training: ten batches an epoch, and some epochs."""
    if chosen.quick:
        size, batch = min(size, 64), min(batch, 4)
    images = 8 * batch if chosen.quick else max(40 * batch, 640)
    values = {"network": network, "size": size, "batch": batch, "images": images, "epochs": 4}
    values["device"] = chosen.device
    return [part for name, value in values.items() for part in (f"--{name}", str(value))]


def networks(chosen: argparse.Namespace) -> None:
    """Each case beside a batch that lies ready and beside a DataLoader."""
    print("| network | batch | images/s | a step waits | GPU busy | DataLoader | times as fast |")
    print("| --- " * 7 + "|")
    for network, size, batch in CASES:
        given = options_of(chosen, network, size, batch)
        ours, ready = measured("foldwise", given), measured("ready", given)
        theirs = measured("loader", [*given, "--workers", str(WORKERS)])
        waits = f"{max(0, ours['step_ms'] - ready['step_ms']):.2f} ms"
        busy = "" if ours["busy"] is None else f"{ours['busy']:.0f} %"
        cells = [f"{network} at {size}", batch, f"{ours['speed']:.0f}", waits, busy]
        cells += [f"{theirs['speed']:.0f} images/s", f"{ours['speed'] / theirs['speed']:.2f}"]
        print("|", " | ".join(map(str, cells)), "|", flush=True)

    ours = measured("foldwise", options_of(chosen, *MASKS))
    busy = "" if ours["busy"] is None else f"{ours['busy']:.0f} %"
    network, size, batch = MASKS
    print(f"| {network} at {size} | {batch} | {ours['speed']:.0f} | | {busy} | | |", flush=True)


def variants(chosen: argparse.Namespace) -> None:
    """The first case under other ways of running."""
    print("\n| way | images/s | over the default |")
    print("| --- " * 3 + "|")
    default = None
    for name, more in VARIANTS.items():
        speed = measured("foldwise", [*options_of(chosen, *CASES[0]), *more])["speed"]
        default = default or speed
        print(f"| {name} | {speed:.0f} | {speed / default:.2f} |", flush=True)


def at_once(chosen: argparse.Namespace) -> None:
    """Small trainings side by side on one GPU, against one after another."""
    print("\n| small trainings at once | wall seconds | against one after another |")
    print("| --- " * 3 + "|")
    command = [sys.executable, str(BENCH / "ways_of_training.py"), "foldwise"]
    command += options_of(chosen, *CASES[-1])
    alone = None
    for number in AT_ONCE:
        start = time.monotonic()
        started = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(number)]
        if any(process.wait() for process in started):
            sys.exit("A training ended badly.")
        wall = time.monotonic() - start
        alone = alone or wall
        print(f"| {number} | {wall:.1f} | {number * alone / wall:.2f} |", flush=True)


def resumed(chosen: argparse.Namespace) -> None:
    """Whether a training that is stopped after some steps and goes on ends in the same bytes."""
    device, params = torch.device(chosen.device), make_params(training__epochs=4)
    with tempfile.TemporaryDirectory() as name:
        whole = train(Path(name) / "whole", params, device=device)
        try:
            train(Path(name) / "parts", params, device=device, stop=StopAt(5))
            sys.exit("The training was not stopped.")
        except Stopped:
            parts = train(Path(name) / "parts", params, device=device)
        files = [(folder / "best_model.pt").read_bytes() for folder in (whole, parts)]
    print(f"\nStopped and gone on: {'the same bytes' if files[0] == files[1] else 'OTHER bytes'}.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda", choices=["cpu", "cuda"])
    parser.add_argument("--quick", action="store_true", help="few small pictures")
    chosen = parser.parse_args()
    if chosen.device == "cuda" and not torch.cuda.is_available():
        sys.exit("There is no GPU here. --device cpu --quick checks the bench itself.")
    card = torch.cuda.get_device_name() if chosen.device == "cuda" else "no GPU: a check alone"
    print(f"{card}, torch {torch.__version__}\n")
    networks(chosen)
    variants(chosen)
    at_once(chosen)
    resumed(chosen)


if __name__ == "__main__":
    main()
