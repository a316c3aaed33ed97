"""From a job's neutral resources and the site's settings to the options of qsub."""

import math
import re
import shlex
from typing import Any

from snakemake_executor_plugin_pbspro.registry import Entry
from snakemake_executor_plugin_pbspro.settings import ExecutorSettings


def job_name(parts: list[str], token: str) -> str:
    """A name that qsub accepts and that no other job has: `train_fold.fold_3.1f0c9a2b`."""
    words = ".".join(parts)
    clean = re.sub(r"[^A-Za-z0-9_.-]+", "_", words).strip("_.-")[:180]
    return f"{clean or 'job'}.{token}" if clean[:1].isalpha() else f"j_{clean}.{token}"


def gpus(resources: Any, settings: ExecutorSettings) -> int:
    """GPUs to ask for: jobs of a group may share one."""
    return math.ceil(int(resources.get("gpu") or 0) / max(1, settings.jobs_per_gpu))


def ncpus(resources: Any, settings: ExecutorSettings) -> int:
    """Cores to ask for: those of the job, or what the site ties to its GPUs if that is more."""
    cores = int(resources.get("_cores") or 1)
    return max(cores, settings.cpus_per_gpu * gpus(resources, settings))


def walltime(resources: Any, settings: ExecutorSettings, attempt: int) -> int:
    """Seconds to ask for, 0 for the queue's default; a retry gets more."""
    minutes = float(resources.get("runtime") or 0) * settings.retry_walltime ** (attempt - 1)
    if settings.max_walltime:
        minutes = min(minutes, settings.max_walltime)
    return math.ceil(minutes * 60)


def chunk(resources: Any, settings: ExecutorSettings, processes: int) -> str:
    """One chunk: `1:ncpus=8:ngpus=1:mem=32000mb`, whole megabytes as PBS wants them.

    `processes` are the Snakemakes that run on the node, whose memory PBS counts as the job's.
    """
    parts = ["1", f"ncpus={ncpus(resources, settings)}"]
    count = gpus(resources, settings)
    if count:
        parts.append(f"{settings.gpu_resource}={count}")
    if resources.get("mem_mb"):
        parts.append(f"mem={int(resources['mem_mb']) + settings.overhead_mb * processes}mb")
    extra = resources.get("pbs_chunk") or (settings.gpu_chunk if count else settings.chunk)
    return ":".join([*parts, extra] if extra else parts)


def asked(job: Any, settings: ExecutorSettings) -> dict[str, Any]:
    """What is asked for: queue, chunk, walltime in seconds and further options of qsub."""
    resources = job.resources
    on_gpu = gpus(resources, settings) > 0
    queue = resources.get("pbs_queue") or (on_gpu and settings.gpu_queue) or settings.queue
    extra = resources.get("pbs_extra") or (settings.gpu_extra if on_gpu else settings.extra)
    processes = 1 + len(job.jobs) if job.is_group() else 1
    return {
        "queue": queue,
        "chunk": chunk(resources, settings, processes),
        "walltime": walltime(resources, settings, job.attempt),
        "extra": shlex.split(extra),
    }


def options(entry: Entry, settings: ExecutorSettings) -> list[str]:
    """Options of qsub. The environment is not copied (-V): the job script sets what it needs."""
    asked, umask = entry.asked, f"umask={settings.umask}"
    options = ["-N", entry.name, "-r", "n", "-S", "/bin/bash", "-W", umask]
    options += ["-j", "oe", "-k", "oed", "-o", entry.log, "-l", f"select={asked['chunk']}"]
    for flag, value in (
        ("-q", asked["queue"]),
        ("-P", settings.project),
        ("-A", settings.account),
        ("-l", f"walltime={asked['walltime']}" if asked["walltime"] else ""),
    ):
        options += [flag, value] if value else []
    return options + asked["extra"]
