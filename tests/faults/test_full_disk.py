"""A disk that is really full: one message with place and bytes; afterwards the same bits.

A memory disk of a few MB, mounted where only the test's own processes see it.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from flow import ROOT, snakemake
from foldwise.disk import amount, no_space, require
from foldwise.errors import FoldwiseError
from foldwise.files import replacing
from studies import density_study

JOB = Path(__file__).parent / "resume_job.py"
FILES = ("best_model.pt", "train_history.json", "val_predictions.csv", "embeddings_val.npy")
MOUNT = "mount -t tmpfs -o size={size} tmpfs {place}\n"

# A job is stopped by a full disk once it has saved its state; room is made, and it goes on.
TRAINING = """
set -e
{python} {job} {disk} 2> {disk}.said &
until ls {disk}/state/*.pt > /dev/null 2>&1; do sleep 0.02; done
cat /dev/zero > {disk}/filler 2> /dev/null || true
! wait $!
test -n "$(ls {disk}/state/*.pt)"
rm {disk}/filler
{python} {job} {disk} 2> {disk}.log
cp -r {disk}/results {disk}.out
"""
SHARD = """
import sys
sys.path[:0] = {paths!r}
from foldwise.errors import FoldwiseError
from foldwise.files import write_text
from test_cache import write, Path
import numpy as np, test_cache
test_cache.SHAPE = (1, 1024, 1024)
disk = Path({disk!r})
filler = disk / "filler"
filler.write_bytes(bytes(3 << 20))
try:
    write(disk, "a", ["c1", "c2", "c3"], 2)
except FoldwiseError as error:
    print(error)
print(sorted(path.name for path in disk.iterdir()))
filler.unlink()
rows = write(disk, "a", ["c1", "c2", "c3"], 2)
print([row["status"] for row in rows], np.load(disk / "a.npy")[:, 0, 5, 7])
"""


def mounted(place, size, script):
    """Run a shell script with a memory disk at `place`, in a namespace of its own."""
    if not shutil.which("unshare"):
        pytest.skip("no unshare here: a small disk cannot be mounted")
    place.mkdir(parents=True, exist_ok=True)
    mount = MOUNT.format(size=size, place=place)
    if subprocess.run(["unshare", "-rm", "sh", "-c", mount], capture_output=True).returncode:
        pytest.skip("this user may not mount a memory disk")
    command = ["unshare", "-rm", "sh", "-c", mount + script]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


@pytest.mark.slow
def test_training_goes_on_after_room_was_made_to_the_same_bytes(tmp_path):
    whole, disk = tmp_path / "whole", tmp_path / "disk"
    subprocess.run([sys.executable, JOB, whole], check=True, timeout=300)
    script = TRAINING.format(python=sys.executable, job=JOB, disk=disk)
    done = mounted(disk, "4m", script)
    said = Path(f"{disk}.said").read_text()
    assert done.returncode == 0, done.stderr + said
    assert "FoldwiseError: No space left while writing" in said
    assert "bytes) are free" in said or "0 bytes are free" in said
    for name in FILES:
        assert (Path(f"{disk}.out") / name).read_bytes() == (
            whole / "results" / name
        ).read_bytes(), name


def test_a_shard_without_room_is_told_and_no_picture_is_blamed(tmp_path):
    paths = [str(ROOT / "workflow/scripts"), str(ROOT / "tests"), str(ROOT / "tests/unit")]
    code = tmp_path / "shard.py"
    code.write_text(SHARD.format(paths=paths, disk=str(tmp_path / "disk")))
    done = mounted(tmp_path / "disk", "5m", f"{sys.executable} {code}")
    assert done.returncode == 0, done.stderr
    said, left, rows = done.stdout.strip().splitlines()
    assert "it needs 3.0 MB (3,145,728 bytes)" in said
    assert "2.0 MB (2,097,152 bytes) are free" in said
    assert left == "['filler']"
    assert rows == "['ok', 'ok', 'ok'] [1 2 3]"


def test_no_room_for_the_images_is_told_before_one_is_decoded(tmp_path):
    density_study(tmp_path, image={"size": 256})
    cache = tmp_path / "results" / "cache"
    command = (
        f"cd {tmp_path}\nexec {sys.executable} -m snakemake --snakefile {ROOT}/Snakefile --cores 2 "
        "--nocolor results/mine/cohort.csv"
    )
    done = mounted(cache, "2m", command)
    said = done.stdout + done.stderr
    assert done.returncode
    assert "Traceback" not in said
    assert "56 images to decode need 3.5 MB (3,670,016 bytes)" in said
    assert "rule cache_shard" not in said
    snakemake(tmp_path, "results/mine/cohort.csv")


def test_what_numpy_and_quotas_say_is_told_too(tmp_path, monkeypatch):
    monkeypatch.setattr("foldwise.disk.free_bytes", lambda place: 0)
    for error in (OSError("1024 requested and 4 written"), OSError(122, "Disk quota exceeded")):
        with pytest.raises(FoldwiseError, match="No space left"), replacing(tmp_path / "a.npy"):
            raise error
    assert list(tmp_path.iterdir()) == []


def test_amounts_and_places(tmp_path):
    assert amount(999) == "999 bytes"
    assert amount(5 << 30) == "5.0 GB (5,368,709,120 bytes)"
    require(tmp_path / "not" / "there" / "yet", 1, "files", "")
    with pytest.raises(FoldwiseError, match=r"files need 1048576\.0 GB"):
        require(tmp_path, 1 << 50, "files", "")
    assert f"while writing {tmp_path}/x: it needs 1.0 kB" in str(no_space(tmp_path / "x", 1024))
