"""What a job sees of its node, and what that means for a study. No value of a variable is noted
but those of the scheduler's own, since an environment may hold secrets."""

import importlib
import os
import platform
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from foldwise.errors import FoldwiseError
from foldwise.plan.preflight import unseen
from foldwise.settings.study import configured

LIBRARIES = ("torch", "torchvision", "pydicom", "imagecodecs", "cv2", "sklearn")
SCHEDULER = ("PBS_JOBID", "SLURM_JOB_ID", "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS")
# 64 MB: enough to see a disk that crawls, and written in seconds even there.
DISK_BYTES = 64 << 20


def probe(threads: int, mem_mb: int, gpu: bool) -> dict[str, Any]:
    """Facts of this node, for a job that asked for `threads`, `mem_mb` and perhaps a GPU."""
    return {
        "node": platform.node(),
        "python": sys.executable,
        "version": platform.python_version(),
        "requested": {"threads": threads, "mem_mb": mem_mb, "gpu": gpu},
        # What the scheduler lets this process use; cpu_count would tell the whole node's.
        "cores": len(os.sched_getaffinity(0)),
        "memory_limit_mb": memory_limit_mb(),
        "variables": {name: os.environ.get(name) for name in SCHEDULER},
        "libraries": libraries(),
        "gpus": gpus() if gpu else [],
        "temporary_gb": round(shutil.disk_usage(tempfile.gettempdir()).free / 2**30, 1),
        "unseen": unseen_here(),
        "disk_mb_s": disk_speed(Path("results")),
        "apptainer": bool(shutil.which("apptainer") or shutil.which("singularity")),
    }


def unseen_here() -> list[str]:
    """What the configured studies need and this machine does not see."""
    try:
        return unseen(configured("config/config.yaml"))
    except FoldwiseError as error:
        return [str(error)]


def libraries() -> dict[str, str]:
    """Version of each library that a study needs, or why it cannot be imported."""
    versions = {}
    for name in LIBRARIES:
        try:
            versions[name] = str(getattr(importlib.import_module(name), "__version__", "there"))
        except ImportError as error:
            versions[name] = f"FAILED: {error}"
    return versions


def gpus() -> list[dict[str, Any]]:
    """The GPUs that torch may use here, each having multiplied two matrices."""
    # Not above: where torch cannot be imported the probe has to say so, and not to fail.
    import torch

    cards = []
    for index in range(torch.cuda.device_count()):
        ones = torch.ones(256, 256, device=f"cuda:{index}")
        about = torch.cuda.get_device_properties(index)
        # A GPU may be listed and still refuse work: an old driver, a mode of exclusive use.
        works = bool((ones @ ones)[0, 0] == 256)
        cards.append({"name": about.name, "gb": round(about.total_memory / 2**30), "works": works})
    return cards


def memory_limit_mb() -> int | None:
    """The control group's limit, or None where the node sets none."""
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        if os.path.exists(path):
            text = Path(path).read_text().strip()
            # Without a limit version 2 says "max", and version 1 a number near 2^63.
            return int(text) >> 20 if text.isdigit() and int(text) < 1 << 60 else None
    return None


def disk_speed(folder: Path) -> int:
    """MB/s of writing to the results' disk from this node."""
    path = folder / f".probe.{os.getpid()}"
    began = time.monotonic()
    try:
        with open(path, "wb") as stream:
            stream.write(b"\0" * DISK_BYTES)
            stream.flush()
            # Else the node's memory is measured, which takes the bytes first.
            os.fsync(stream.fileno())
        return round(DISK_BYTES / 2**20 / (time.monotonic() - began))
    finally:
        path.unlink(missing_ok=True)


def verdict(facts: dict[str, Any], driver_python: str, unseen: list[str]) -> list[tuple[bool, str]]:
    """(works, sentence) for each thing that a study depends on.

    `unseen` is what the login node does not see either: no fault of the cluster.
    """
    requested, lines = facts["requested"], []
    # Another Python is no fault where the job runs in a container or conda environment.
    own = facts["python"] == driver_python
    lines.append((own, f"Python {facts['version']} at {facts['python']}"))
    if not own:
        lines[-1] = (True, f"{lines[-1][1]}, not the driver's: a container's or conda's")
    for name, version in facts["libraries"].items():
        if version.startswith("FAILED"):
            lines.append((False, f"{name}: {version}. Install it in the environment of the jobs."))
    enough = facts["cores"] >= requested["threads"]
    lines.append((enough, f"{facts['cores']} cores for {requested['threads']} asked"))
    limit = facts["memory_limit_mb"]
    if limit is not None:
        lines.append((limit >= requested["mem_mb"], f"{limit} MB for {requested['mem_mb']} asked"))
    if requested["gpu"]:
        lines += _of_gpu(facts)
    lines += _of_data(facts["unseen"], unseen)
    lines.append((facts["temporary_gb"] >= 1, f"{facts['temporary_gb']} GB in the node's TMPDIR"))
    lines.append((facts["disk_mb_s"] >= 5, f"{facts['disk_mb_s']} MB/s to results/"))
    return lines


def _of_data(unseen: list[str], of_driver: list[str]) -> list[tuple[bool, str]]:
    # A path that is wrong everywhere is the study's fault, and told of elsewhere.
    only_here = [problem for problem in unseen if problem not in of_driver]
    if only_here:
        return [(False, f"seen from the login node, not from here: {each}") for each in only_here]
    return [] if of_driver else [(True, "sees the data, tables and weights of the studies")]


def _of_gpu(facts: dict[str, Any]) -> list[tuple[bool, str]]:
    mask = facts["variables"]["CUDA_VISIBLE_DEVICES"]
    if not facts["gpus"]:
        return [
            (
                False,
                f"torch sees no GPU (CUDA_VISIBLE_DEVICES is {mask!r}). The job may be on a node "
                "without one (gpu queue and gpu resource of the profile), torch may be built "
                "without CUDA, or the container started without --nv.",
            )
        ]
    lines = [(gpu["works"], f"{gpu['name']}, {gpu['gb']} GB") for gpu in facts["gpus"]]
    if mask is None and len(facts["gpus"]) > 1:
        lines.append(
            (
                True,
                f"the site sets no CUDA_VISIBLE_DEVICES and shows {len(facts['gpus'])} GPUs: your "
                "own jobs spread over them, and may meet those of others there. Ask for whole "
                "nodes, or ask the site for its GPU hook.",
            )
        )
    return lines
