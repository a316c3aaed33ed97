"""From a job's neutral resources and the site's settings to the options of qsub."""

import math
import re
import shlex
from typing import Any

from snakemake_executor_plugin_pbspro.settings import ExecutorSettings


def job_name(parts: list[str], token: str) -> str:
    """A name that qsub accepts and that no other job has: `train_fold.fold_3.1f0c9a2b`."""
    clean = re.sub(r"[^A-Za-z0-9_.-]+", "_", ".".join(parts)).strip("_.-")[:180]
    return f"{clean or 'job'}.{token}" if clean[:1].isalpha() else f"j_{clean}.{token}"


def request(job: Any, settings: ExecutorSettings) -> list[str]:
    """What a job asks for: a chunk, a walltime, a queue, who pays, and the site's extras."""
    resources, count = job.resources, gpus(job.resources, settings)
    extra, queue = settings.extra, settings.queue
    if count:
        extra, queue = settings.gpu_extra, settings.gpu_queue or queue
    seconds = walltime(resources, settings, job.attempt)
    options = ["-l", f"select={chunk(job, settings)}"]
    for flag, value in (
        ("-q", resources.get("pbs_queue") or queue),
        ("-P", settings.project),
        ("-A", settings.account),
        ("-l", f"walltime={seconds}" if seconds else ""),
    ):
        options += [flag, value] if value else []
    return options + shlex.split(resources.get("pbs_extra") or extra)


def chunk(job: Any, settings: ExecutorSettings) -> str:
    """One chunk: `1:ncpus=8:ngpus=1:mem=32000mb`, whole megabytes as PBS wants them."""
    resources, count = job.resources, gpus(job.resources, settings)
    cores = max(int(resources.get("_cores") or 1), settings.cpus_per_gpu * count)
    parts = ["1", f"ncpus={cores}"]
    if count:
        parts.append(f"{settings.gpu_resource}={count}")
    if resources.get("mem_mb"):
        snakemakes = 1 + len(job.jobs) if job.is_group() else 1  # PBS counts them as the job's
        parts.append(f"mem={int(resources['mem_mb']) + settings.overhead_mb * snakemakes}mb")
    extra = resources.get("pbs_chunk") or (settings.gpu_chunk if count else settings.chunk)
    return ":".join([*parts, extra] if extra else parts)


def gpus(resources: Any, settings: ExecutorSettings) -> int:
    """GPUs to ask for: jobs of a group may share one."""
    return math.ceil(int(resources.get("gpu") or 0) / max(1, settings.jobs_per_gpu))


def walltime(resources: Any, settings: ExecutorSettings, attempt: int) -> int:
    """Seconds to ask for, 0 for the queue's default; a retry gets more."""
    minutes = float(resources.get("runtime") or 0) * settings.retry_walltime ** (attempt - 1)
    longest = settings.max_walltime or minutes
    return math.ceil(min(minutes, longest) * 60)
