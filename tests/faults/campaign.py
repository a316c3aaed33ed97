"""A campaign of faults: `python tests/faults/campaign.py FOLDER [--rounds 200] [--seed 7]`.

Each round disturbs one thing at a moment drawn at random, runs the same again until it ends, and
compares the digest of what was made with that of an undisturbed one. FOLDER/rounds.jsonl has a line
a round with what was done; docs/faults.md sums one campaign up. Status 1 where a digest differs.
"""

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "workflow" / "scripts"), str(ROOT / "tests"), str(ROOT)]

from flow import snakemake  # noqa: E402
from foldwise.errors import FoldwiseError  # noqa: E402
from foldwise.files import sweep, temporaries  # noqa: E402
from foldwise.train.machine import set_threads  # noqa: E402
from foldwise.train.process.stop import Stop  # noqa: E402
from killed_writer import is_whole, kill_writer  # noqa: E402
from studies import density_study  # noqa: E402

set_threads(1)
# After the threads are set, and before the rounds fork, so that a training costs no imports.
from foldwise.train.sealed import load_sealed, value_digest  # noqa: E402
from training import make_images, make_params, make_rows, train  # noqa: E402

ROWS = make_rows(36)
EPOCHS = 10
PARAMS = make_params(
    size=96,
    training__epochs=EPOCHS,
    training__batch_size=4,
    training__early_stopping={"patience": None, "min_delta": 0},
)
IMAGES = make_images(ROWS, 96)
# Of 200 rounds; a study by the real rules takes a minute, the others take seconds.
SHARES = {"writer": 0.3, "training": 0.33, "full disk": 0.12, "truncation": 0.2, "driver": 0.05}
WAYS = ("group SIGKILL", "alone SIGKILL", "group SIGINT", "alone SIGTERM")
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
TARGET = "results/mine/runs/cv/cv_summary.json"
Draw = random.Random


class Campaign:
    """What the rounds need: places, and what undisturbed work comes to."""

    def __init__(self, folder: Path, disk: Path | None) -> None:
        self.folder, self.disk = folder, disk
        begun = time.monotonic()
        run_to_end(folder / "whole")
        self.seconds = time.monotonic() - begun
        self.whole = digest_of_fold(folder / "whole")
        self.study, self.study_whole = folder / "study", ""

    def fresh(self, name: str, disk: bool = False) -> Path:
        """An empty folder of that name, on the small disk or beside the log."""
        place = (self.disk if disk and self.disk else self.folder) / name
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        return place

    def ended(self, place: Path, did: str) -> dict:
        """Run a disturbed fold to its end; the verdict."""
        shutil.rmtree(place / "results", ignore_errors=True)
        run_to_end(place)
        return {"did": did, "same": digest_of_fold(place) == self.whole}

    def writer(self, draw: Draw) -> dict:
        """A process that writes lists is killed: files are whole, what is left is swept."""
        place = self.fresh("writer")
        kill_writer(place, draw.uniform(0.01, 0.1))
        whole, left = is_whole(place), sweep(place)
        return {"did": f"killed, {left} left", "same": whole and not list(temporaries(place))}

    def training(self, draw: Draw) -> dict:
        """A training is asked to leave or killed, up to four times."""
        place, did = self.fresh("training"), []
        for _ in range(draw.randint(1, 4)):
            way = draw.choice(SIGNALS)
            if kill(begin(place, draw.uniform(0, self.seconds)), way) == 0:
                break  # it had ended
            did.append(way.name)
            # As Snakemake does with the outputs of a job that failed; the saved state stays.
            shutil.rmtree(place / "results", ignore_errors=True)
        return self.ended(place, f"{len(did)} stops: {' '.join(did)}")

    def full_disk(self, draw: Draw) -> dict:
        """The disk fills up while a training writes; then there is room again."""
        if self.disk is None:
            return {"did": "skipped: no small disk may be mounted here", "same": None}
        place, filler = self.fresh("fold", disk=True), self.disk / "filler"
        pid = begin(place, draw.uniform(0, self.seconds))
        subprocess.run(f"cat /dev/zero > {filler} 2> /dev/null", shell=True, check=False)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        filler.unlink()
        return self.ended(place, f"ended with {code} on a full disk")

    def truncation(self, draw: Draw) -> dict:
        """A saved state or a kept model is cut short, or a bit of it is flipped."""
        place = self.fresh("truncation")
        kill(begin(place, draw.uniform(self.seconds / 3, self.seconds)), signal.SIGKILL)
        paths = sorted([*place.glob("state/*.pt"), *place.glob("results/*.pt")])
        if not paths:
            return {"did": "skipped: nothing was there yet", "same": None}
        path = draw.choice(paths)
        whole = value_digest(load_sealed(path))
        did = f"{damage(path, draw)} of {path.parent.name}/*.pt"
        if read_as(path) not in ("refused", whole):
            return {"did": f"{did} was read as something else", "same": False}
        return self.ended(place, did)

    def driver(self, draw: Draw) -> dict:
        """Snakemake with the real rules is killed, alone or with its jobs, or gets Ctrl-C."""
        if not self.study_whole:
            make_study(self.fresh("study"))
            self.study_whole = digest_of_study(self.study)
        place, did = self.fresh("driver"), []
        # The key too, so that the same names are drawn.
        for name in ("made", "config", "results/private"):
            shutil.copytree(self.study / name, place / name)
        for _ in range(draw.randint(1, 3)):
            way = draw.choice(WAYS)
            did.append(f"{way} {stop_driver(place, draw.uniform(2, 40), way)}")
        same = digest_of_study(place) == self.study_whole
        return {"did": ", ".join(did), "same": same}


def make_study(folder: Path) -> None:
    """In a process of its own: OpenCV's threads would be waited for in later forks of this one."""
    pid = os.fork()
    if not pid:
        density_study(folder, patients=12)
        os._exit(0)
    os.waitpid(pid, 0)


def begin(place: Path, seconds: float) -> int:
    """Start a training in a process of its own, and come back after these seconds."""
    pid, code = os.fork(), 1
    if not pid:
        signal.alarm(300)  # a training that hangs is a finding, not the end
        try:
            code = train_here(place)
        finally:
            os._exit(code)  # also when a signal comes before there is anybody to take note of it
    time.sleep(seconds)
    return pid


def train_here(place: Path) -> int:
    """Train in this process, which is a fork; its exit status."""
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 2)
    try:
        train(place, PARAMS, rows=ROWS, images=IMAGES, stop=Stop().listen())
    except SystemExit as stopped:
        return int(stopped.code or 0)
    except (FoldwiseError, OSError):
        return 1
    return 0


def kill(pid: int, way: signal.Signals) -> int:
    """Send a signal and wait for the end; the exit status, negative for a signal."""
    os.kill(pid, way)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def run_to_end(place: Path) -> None:
    """Train without a disturbance. RuntimeError where that fails."""
    if code := os.waitstatus_to_exitcode(os.waitpid(begin(place, 0), 0)[1]):
        raise RuntimeError(f"{place}: a training that nobody disturbed ended with {code}.")


def damage(path: Path, draw: Draw) -> str:
    """Cut a file at a random byte, or flip a random bit; returns which."""
    content = bytearray(path.read_bytes())
    at = draw.randrange(len(content))
    if draw.random() < 0.5:
        path.write_bytes(content[:at])
        return f"cut at {at} of {len(content)} bytes"
    content[at] ^= 1 << draw.randrange(8)
    path.write_bytes(content)
    return f"bit flipped in byte {at} of {len(content)}"


def read_as(path: Path) -> str:
    """`refused`, or the digest of what is read: bits of an archive's padding change no value."""
    try:
        return value_digest(load_sealed(path))
    except FoldwiseError:
        return "refused"


def stop_driver(place: Path, seconds: float, way: str) -> str:
    """Run Snakemake and stop it after these seconds; returns whether it had ended before."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    command += ["--directory", str(place), "--cores", "2", TARGET]
    job = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    time.sleep(seconds)
    if job.poll() is not None:
        return "after its end"
    who, what = way.split()
    (os.killpg if who == "group" else os.kill)(job.pid, getattr(signal, what))
    job.wait(timeout=300)
    return f"after {seconds:.0f} s"


def digest_of(paths: list[Path]) -> str:
    """Of the bytes of files, one after the other."""
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()


def digest_of_fold(place: Path) -> str:
    return digest_of([place / "results/best_model.pt", place / "results/train_history.json"])


def digest_of_study(place: Path) -> str:
    """Of what the study comes to once it is run to its end."""
    snakemake(place, TARGET)
    base = place / "results" / "mine"
    return digest_of([base / "cohort.csv", *sorted(base.glob("runs/cv/fold_*/results/*.csv"))])


def plan_of(rounds: int, draw: Draw) -> list[str]:
    """Kinds of the rounds in their shares, one of each at the least, in random order."""
    kinds = [kind for kind, share in SHARES.items() for _ in range(max(1, round(rounds * share)))]
    draw.shuffle(kinds)
    return kinds


def table(done: list[dict]) -> str:
    """The summary as a table: a round that could disturb nothing counts as skipped alone."""
    lines = ["| Disturbed | Rounds | Same digest | Skipped | Seconds |\n|" + " --- |" * 5]
    for kind in SHARES:
        own = [one for one in done if one["kind"] == kind]
        tried = [one["same"] for one in own if one["same"] is not None]
        counts = f"{len(tried)} | {sum(tried)} | {len(own) - len(tried)}"
        lines.append(f"| {kind} | {counts} | {sum(one['seconds'] for one in own):.0f} |")
    return "\n".join(lines)


def main(folder: Path, rounds: int, seed: int, disk: Path | None) -> int:
    """All rounds, each a line of the log; status 1 where one was not as it should be."""
    done, campaign = [], Campaign(folder, disk)
    for number, kind in enumerate(plan_of(rounds, random.Random(seed)), 1):
        begun, disturb = time.monotonic(), getattr(campaign, kind.replace(" ", "_"))
        done.append({"round": number, "kind": kind} | disturb(random.Random(f"{seed} {number}")))
        done[-1]["seconds"] = round(time.monotonic() - begun, 2)
        with open(folder / "rounds.jsonl", "a", encoding="utf-8") as log:
            log.write(json.dumps(done[-1]) + "\n")
    print(table(done))
    return int(any(one["same"] is False for one in done))


def on_small_disk(folder: Path) -> None:
    """Start this again where a disk of some MB is mounted for it alone, if this user may do so."""
    disk, again = folder / "disk", [sys.executable, *sys.argv]
    disk.mkdir(parents=True, exist_ok=True)
    mount = 'mount -t tmpfs -o size=3m tmpfs "$0" && exec "$@"'
    probe = ["unshare", "-rm", "sh", "-c", mount, str(disk)]
    if shutil.which("unshare") and not subprocess.run([*probe, "true"], check=False).returncode:
        os.execvp("unshare", [*probe, *again, "--disk", str(disk)])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--disk", type=Path, help=argparse.SUPPRESS)
    (chosen := parser.parse_args()).folder.mkdir(parents=True, exist_ok=True)
    if chosen.disk is None:
        on_small_disk(chosen.folder)
    sys.exit(main(chosen.folder.resolve(), chosen.rounds, chosen.seed, chosen.disk))
