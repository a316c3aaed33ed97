"""What rules ask for against what their finished jobs used, and requests that would do.

Requests are those of the rules as Snakemake reads them, and of the `set-resources` of a profile.
Use is what stands in the benchmark files that it writes (psutil, every 30 s at most: short peaks
may be missed). Standard library, PyYAML and Snakemake only.
"""

import csv
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from snakemake.api import SnakemakeApi
from snakemake.settings.types import OutputSettings, Quietness, ResourceSettings

from foldwise.settings.yaml_file import read_yaml

# Room above the largest job seen: memory grows with the data, time with a busy node.
MEMORY_FACTOR, TIME_FACTOR = 1.5, 2.0
MEMORY_STEP_MB, TIME_STEP_MIN = 100, 5
# Less is not proposed: the measurement of a job of seconds says little, that of a job shorter than
# this nothing of its memory.
LEAST_MB, LEAST_MIN, SHORT_S = 500, 5, 3


@dataclass
class Rule:
    """A rule: its benchmark's path and what it asks for (MB, minutes, cores); None: computed."""

    name: str
    benchmark: str
    mem_mb: int | None = None
    runtime: int | None = None
    threads: int | None = 1


@dataclass
class Use:
    """Finished jobs of one rule: peak memory (MB), time (s) and mean cores of each."""

    memory_mb: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    cores: list[float] = field(default_factory=list)


def read_rules(snakefile: str | Path, profile: str | Path | None = None) -> list[Rule]:
    """Rules of a workflow that have a benchmark, with a profile's overrides."""
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        workflow = api.workflow(resource_settings=ResourceSettings(), snakefile=Path(snakefile))
        # Snakemake's own listing has names alone; it is made of these objects.
        rules = [rule for rule in workflow._workflow.rules if rule.benchmark]
        read = [Rule(rule.name, str(rule.benchmark), *_requested(rule.resources)) for rule in rules]
    for rule in read:
        _override(rule, profile)
    return read


def _requested(resources: Mapping[str, Any]) -> list[int | None]:
    """Memory, time and threads of a rule; None for what is computed for each job."""
    resource_values = (resources.get(name) for name in ("mem_mb", "runtime", "_cores"))
    # A function of wildcards or attempt has no value before there is a job.
    return [
        one.value if one is not None and not one.is_evaluable() else None for one in resource_values
    ]


def _override(rule: Rule, profile: str | Path | None) -> None:
    settings = read_yaml(Path(profile) / "config.yaml") if profile else {}
    changes = (settings.get("set-resources") or {}).get(rule.name) or {}
    for key in ("mem_mb", "runtime"):
        if isinstance(changes.get(key), int):
            setattr(rule, key, changes[key])
    threads = (settings.get("set-threads") or {}).get(rule.name)
    rule.threads = threads if isinstance(threads, int) else rule.threads


def measured(rule: Rule, root: str | Path = ".") -> Use:
    """What the finished jobs of a rule used, from all files that its benchmark path matches."""
    use = Use()
    # Every wildcard is taken for any text: jobs of all studies and folds count.
    for path in sorted(Path(root).glob(re.sub(r"\{[^{}]+\}", "*", rule.benchmark))):
        with open(path, encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream, delimiter="\t"):
                seconds, cpu = _number(row.get("s")), _number(row.get("cpu_time"))
                _note(use.seconds, row.get("s"))
                if seconds is not None and seconds >= SHORT_S:
                    _note(use.memory_mb, row.get("max_rss"))
                if seconds and cpu is not None:
                    use.cores.append(cpu / seconds)
    return use


def _number(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None  # `-` or `NA`: too short to be measured


def _note(values: list[float], text: str | None) -> None:
    number = _number(text)
    if number is not None:
        values.append(number)


def propose(rule: Rule, use: Use) -> dict[str, int]:
    """Requests with room above the largest job: `mem_mb`, `runtime`, `threads`, where measured.

    Threads that a rule computes stay: results depend on them.
    """
    proposed = {}
    if use.memory_mb:
        memory = _up(max(use.memory_mb) * MEMORY_FACTOR, MEMORY_STEP_MB)
        # The floor never raises a rule that asks for less already.
        proposed["mem_mb"] = max(memory, min(LEAST_MB, rule.mem_mb or LEAST_MB))
    if use.seconds:
        minutes = max(use.seconds) / 60 * TIME_FACTOR
        proposed["runtime"] = max(_up(minutes, TIME_STEP_MIN), LEAST_MIN)
    if use.cores and rule.threads is not None:
        # 0.2 cores over a whole one are start and end of a job, and no reason for one more.
        proposed["threads"] = max(1, math.ceil(max(use.cores) - 0.2))
    return proposed


def _up(value: float, step: int) -> int:
    return math.ceil(value / step) * step


def table(rows: Iterable[tuple[Rule, Use]]) -> str:
    """A table for the terminal: requested, largest used, proposed."""
    lines = [
        f"{'':22}{'jobs':>6}  {'memory, MB':^24}  {'time, min':^24}  {'cores':^18}",
        f"{'rule':22}{'':6}  {'asked':>7}{'used':>8}{'enough':>9}  "
        f"{'asked':>7}{'used':>8}{'enough':>9}  {'asked':>5}{'used':>6}{'enough':>7}",
    ]
    for rule, use in rows:
        enough = propose(rule, use)
        parts = [
            _shown(rule.mem_mb, 7) + _shown(max(use.memory_mb, default=None), 8),
            _shown(enough.get("mem_mb"), 9) + "  " + _shown(rule.runtime, 7),
            _shown(max(use.seconds, default=0) / 60, 8, ".1f") + _shown(enough.get("runtime"), 9),
            "  " + _shown(rule.threads, 5) + _shown(max(use.cores, default=None), 6, ".1f"),
            _shown(enough.get("threads"), 7),
        ]
        lines.append(f"{rule.name[:22]:22}{len(use.seconds):6}  " + "".join(parts))
    return "\n".join(lines)


def _shown(value: float | None, width: int, form: str = ".0f") -> str:
    return f"{'-' if value is None else format(value, form):>{width}}"


def overrides(rows: Iterable[tuple[Rule, Use]]) -> dict[str, Any]:
    """`set-resources` and `set-threads` of a profile: only what differs from what is asked now."""
    resources, threads = {}, {}
    for rule, use in rows:
        enough = propose(rule, use)
        changed = {
            key: enough[key]
            for key in ("mem_mb", "runtime")
            if key in enough and enough[key] != getattr(rule, key)
        }
        resources |= {rule.name: changed} if changed else {}
        if "threads" in enough and enough["threads"] != rule.threads:
            threads[rule.name] = enough["threads"]
    shown = {"set-resources": resources, "set-threads": threads}
    return {key: value for key, value in shown.items() if value}
