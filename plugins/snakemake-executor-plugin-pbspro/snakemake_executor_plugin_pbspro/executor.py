"""The executor: submits jobs, watches them, and tells Snakemake the end of each."""

import atexit
import os
import secrets
import signal
import threading
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo

from snakemake_executor_plugin_pbspro import reasons
from snakemake_executor_plugin_pbspro.board import Board
from snakemake_executor_plugin_pbspro.cancel import delete
from snakemake_executor_plugin_pbspro.commands import NotNow, Pbs, Refused, key
from snakemake_executor_plugin_pbspro.fingerprint import fingerprint, targets_of
from snakemake_executor_plugin_pbspro.guard import Guard
from snakemake_executor_plugin_pbspro.inner import InnerCall
from snakemake_executor_plugin_pbspro.registry import Entry, Registry
from snakemake_executor_plugin_pbspro.request import job_name, request
from snakemake_executor_plugin_pbspro.script import write_environment, write_script


class Executor(InnerCall):
    """One connection to the server a poll, whatever the number of jobs."""

    def __init__(self, workflow: Any, logger: Any):
        # The base class starts the polling thread before it returns: all state comes first.
        if not workflow.storage_settings.assume_common_workdir:
            raise WorkflowError("pbspro needs a file system that login and compute nodes share.")
        # A default profile's `cores: all` and `resources: gpu=1` mean this machine, not a node.
        workflow.global_resources["_cores"] = None
        if workflow.resource_scopes.is_local("gpu"):
            workflow.global_resources["gpu"] = None
        self.settings = workflow.executor_settings
        self.pbs = Pbs(self.settings.patience)
        self.folder = Path(workflow.persistence.path).absolute() / "pbspro"
        self.registry = Registry(self.folder)
        self.guard = Guard(self.folder, workflow.persistence, workflow.execution_settings.lock)
        # Also when Snakemake finds nothing to do, and shuts nothing down.
        atexit.register(self.release)
        variables = workflow.spawned_job_args_factory.envvars()
        write_environment(self.folder / "environment.sh", variables)
        self.tracked: dict[str, SubmittedJobInfo] = {}
        self.alive: set[str] | None = None
        self.polled_at = self.silent_since = 0.0
        self.stopping = self.letting_go = False
        self.board = Board(self.settings, self.pbs, self.registry, logger)
        super().__init__(workflow, logger)
        self._tmpdir = str(self.folder)
        # The folder of exit codes is looked at each second; the server is asked once a poll.
        self.next_seconds_between_status_checks = min(1, self.settings.poll)

    def run_job(self, job: Any) -> None:
        """Follow the job that an earlier driver submitted, or submit it."""
        self.catch_signals()
        followed = self.earlier(job)
        entry = followed or self.prepare(job)
        info = SubmittedJobInfo(job, external_jobid=entry.job_id or None, aux={"entry": entry})
        self.tracked[entry.token] = info
        if followed or self.submit(info):
            self.report_job_submission(info)

    def prepare(self, job: Any) -> Entry:
        """Write the script and the entry of a new job."""
        self.token = f"{int(time.time()):x}{secrets.token_hex(3)}"
        entry = Entry(self.token, targets_of(job), fingerprint(job))
        entry.request = request(job, self.settings)
        parts = [job.name, f"{len(entry.targets)}_jobs"] if job.is_group() else entry.targets
        entry.name = job_name(parts, self.token)
        logs = Path(self.settings.logdir or self.folder / "logs").absolute() / job.name
        logs.mkdir(parents=True, exist_ok=True)  # its lack would cost half a minute and the log
        entry.log = str(logs / f"{entry.name}.log")
        command, workdir = self.format_job_exec(job), self.workflow.workdir_init
        write_script(self.folder, self.token, command, workdir, self.settings)
        self.registry.save(entry)
        return entry

    def submit(self, info: SubmittedJobInfo) -> bool:
        """Submit; a server that cannot now is asked again at each poll. False when it refused."""
        entry = info.aux["entry"]
        try:
            # A qsub that was cut off may have reached the server all the same.
            job_id = self.locate(entry)
            entry.tries += 1
            self.registry.save(entry)
            entry.job_id = job_id or self.submitted_as(entry)
        except NotNow as error:
            self.silence(error)
            return True
        except Refused as error:
            self.end(info, f"Job {entry.name}: {error}")
            return False
        entry.submitted = time.time()
        self.registry.save(entry)
        info.external_jobid = entry.job_id
        self.logger.info(f"Submitted {entry.name} as PBS job {entry.job_id}")
        return True

    def submitted_as(self, entry: Entry) -> str:
        """Call qsub. The environment is not copied (-V): the job script sets what it needs."""
        options = ["-N", entry.name, "-r", "n", "-S", "/bin/bash", "-j", "oe", "-k", "oed"]
        options += ["-o", entry.log, "-W", f"umask={self.settings.umask}", *entry.request]
        return self.pbs.submit([*options, str(self.folder / "scripts" / f"{entry.token}.sh")])

    def locate(self, entry: Entry) -> str:
        """The PBS id of a job, also when no driver was told it; empty when it has none."""
        if not entry.job_id and entry.tries:
            claimed = self.registry.text("claims", entry)
            entry.job_id = claimed or "".join(self.pbs.jobs("-N", entry.name)[:1])
        return entry.job_id

    def earlier(self, job: Any) -> Entry | None:
        """The entry of this very job if it runs or has succeeded. Others that make the same go."""
        match, targets = None, targets_of(job)
        for entry in self.strangers():
            if set(targets).isdisjoint(entry.targets):
                continue
            running, code = self.still_there(entry), self.registry.exit_codes().get(entry.token)
            same = entry.targets == targets and entry.fingerprint == fingerprint(job)
            made = code == 0 and all(os.path.exists(path) for path in job.output)
            if same and not (match or entry.abandoned) and (made or (running and code is None)):
                match = entry
                self.logger.info(f"Found {entry.name} again: PBS job {entry.job_id}")
                continue
            if running:
                self.logger.info(f"PBS job {entry.job_id} was given up or has other inputs.")
                if delete(self, [entry]):
                    raise WorkflowError("Nothing is submitted that two jobs would write.")
            self.registry.remove(entry)
        return match

    def strangers(self) -> list[Entry]:
        """Jobs of an earlier driver that this one has had no use for so far."""
        return [
            each for each in [*self.registry.entries.values()] if each.token not in self.tracked
        ]

    def still_there(self, entry: Entry) -> bool:
        """Whether a job of an earlier driver is queued or runs. Waits for the server's answer."""
        while self.alive is None:
            self.ask()
            if self.alive is None:
                time.sleep(self.settings.poll)
        return key(self.locate(entry) or "-") in self.alive

    async def check_active_jobs(
        self, active_jobs: list[SubmittedJobInfo]
    ) -> AsyncGenerator[SubmittedJobInfo, None]:
        """End the jobs with exit code 0; once a poll, ask the server and settle the others."""
        due = bool(active_jobs) and time.time() >= self.polled_at + self.settings.poll
        if due:
            self.ask()
        codes = {}
        try:
            self.guard.beat()
            codes = self.registry.exit_codes()
        except OSError as error:  # a network disk that is away: seen again or told at the next poll
            if due:
                self.logger.warning(f"Cannot read {self.folder} now: {error}")
        for info in active_jobs:
            code = codes.get(info.aux["entry"].token)
            ended = not self.stopping and (
                (code == 0 and self.end(info)) or (due and self.settle(info, code))
            )
            if not ended:
                yield info
        if due and not self.stopping:
            self.board.show([info.aux["entry"] for info in [*self.tracked.values()]])

    def ask(self) -> None:
        """One question for all jobs. A server that is silent leaves everything as it was."""
        polled_at = time.time()
        try:
            self.alive = set(map(key, self.pbs.jobs()))
        except NotNow as error:
            self.alive = None
            self.silence(error)
        else:
            if self.silent_since:
                self.logger.info(f"PBS answers again after {polled_at - self.silent_since:.0f} s.")
            self.silent_since = 0.0
        self.polled_at = polled_at

    def silence(self, error: NotNow) -> None:
        """Say once that the server does not answer."""
        if not self.silent_since:
            self.silent_since = time.time()
            again = f"Jobs are not lost; asking again every {self.settings.poll} s."
            self.logger.warning(f"PBS: {error}\n{again}")

    def settle(self, info: SubmittedJobInfo, code: int | None) -> bool:
        """Tell Snakemake the end of a job without exit code 0, if it has ended."""
        entry = info.aux["entry"]
        if self.alive is None:
            return False
        if not entry.job_id:
            return not self.submit(info)
        if entry.submitted >= self.polled_at or key(entry.job_id) in self.alive:
            return False
        holder = self.registry.text("claims", entry)
        if holder and key(holder) != key(entry.job_id):  # qsub was heard twice: the other runs it
            entry.job_id = holder
            return False
        try:
            facts = self.pbs.facts(entry.job_id)
        except NotNow as error:
            self.silence(error)
            return False
        if facts and facts.get("job_state") != "F":
            return False
        if facts is None and code is None:  # a network disk may show the exit code later
            entry.gone_since = entry.gone_since or time.time()
            latency = self.workflow.execution_settings.latency_wait
            if time.time() < entry.gone_since + max(latency, self.settings.poll):
                return False
        if code is None and reasons.succeeded(facts):
            return self.end(info)
        why = reasons.explain(code, facts, entry.log)
        return self.end(info, f"PBS job {entry.job_id} ({entry.name}) failed: {why}")

    def end(self, info: SubmittedJobInfo, why: str = "") -> bool:
        """Tell Snakemake that a job succeeded, or failed and why, and forget it."""
        entry = info.aux["entry"]
        self.registry.remove(entry)
        self.tracked.pop(entry.token, None)
        self.board.ended["failed" if why else "done"] += 1
        if not why:
            self.report_job_success(info)
            return True
        if info.job.is_group():  # Snakemake shows no message for groups
            self.logger.error(why)
        log = [entry.log] if os.path.exists(entry.log) else []
        self.report_job_error(info, msg=why + "\n", aux_logs=log)
        return True

    def catch_signals(self) -> None:
        """From the first job on: Snakemake's scheduler sets its own handler before that."""
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGHUP):
                if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup sets it
                    signal.signal(number, self.let_go)

    def let_go(self, number: int, _frame: Any) -> None:
        """SIGTERM and SIGHUP end the driver and leave its jobs running."""
        self.letting_go = self.stopping = True
        self.logger.warning(
            f"{signal.Signals(number).name}: this driver ends, its {len(self.tracked)} jobs go on. "
            "Run the same command again: it finds them."
        )
        raise SystemExit(1)

    def cancel_jobs(self, _active_jobs: list[SubmittedJobInfo]) -> None:
        """Delete all jobs of this folder: those of the registry, since the list that Snakemake
        hands over is empty while a poll is under way."""
        self.stopping = True
        if not self.letting_go:
            codes = self.registry.exit_codes()
            entries = [*self.registry.entries.values()]
            delete(self, [entry for entry in entries if codes.get(entry.token) != 0])

    def shutdown(self) -> None:
        """Stop polling. Scripts and entries of jobs that go on stay where they are."""
        with self.lock:
            self.wait = False
        self.wait_thread.join()
        if not self.stopping:
            self.warn_of_strangers()
        if self.release():
            # Snakemake ends by removing empty output folders: running jobs are about to fill them.
            self.dag.cleanup_workdir = lambda: None

    def release(self) -> bool:
        """Stop being this folder's driver. True if jobs go on."""
        jobs_remain = bool(self.registry.entries.keys() - self.registry.exit_codes().keys())
        self.guard.release(jobs_remain)
        return jobs_remain

    def warn_of_strangers(self) -> None:
        """Jobs of an earlier driver that this run had no use for: name those that still run."""
        running = []
        for entry in self.strangers():
            if self.still_there(entry):
                running.append(entry.job_id)
            else:
                self.registry.remove(entry)
        if running:
            ids = " ".join(running)
            self.logger.warning(f"Jobs of an earlier run that this one did not need: qdel {ids}")
