"""What the terminal says of a run: jobs in words, messages of what failed, reasons in one line."""

import logging

import pytest
from snakemake_interface_logger_plugins.common import LogEvent

from foldwise.plan.terminal import Calm, because, error_of_log

PLAIN = logging.Formatter("%(message)s")


def record(event=None, message="", level=logging.INFO, **fields):
    made = logging.LogRecord("snakemake", level, "", 0, message, None, None)
    made.__dict__.update(fields | ({"event": event} if event else {}))
    return made


def job(message="Training fold 2", reason="", files=()):
    told = {"rule_name": "train_fold", "rule_msg": message, "reason": reason, "input": list(files)}
    return record(LogEvent.JOB_INFO, **told)


def test_a_job_is_a_line_with_its_place():
    calm = Calm(PLAIN, dry_run=False)
    assert calm.format(record(LogEvent.RUN_INFO, stats={"total": 7})) == "7 jobs to run."
    assert calm.format(job()).endswith("  [0/7]  Training fold 2")
    assert calm.format(record(LogEvent.PROGRESS, done=3, total=8)) == ""
    assert calm.format(job()).endswith("  [3/8]  Training fold 2")
    assert calm.format(record(LogEvent.PROGRESS, done=8, total=8)) == "All 8 jobs are done."


def test_what_a_search_came_to_stands_below_its_last_line(tmp_path):
    short = tmp_path / "in_short.txt"
    short.write_text("Best 1 of 1 trial:\n1. trial_0000: kappa 0.5\n")
    files = [str(tmp_path / "study.db"), str(short)]
    lines = Calm(PLAIN, dry_run=False).format(job("The search is finished", "", files)).splitlines()
    assert lines[0].endswith("  The search is finished")
    assert lines[1:] == ["Best 1 of 1 trial:", "1. trial_0000: kappa 0.5"]
    # A plan is made before there is such a file.
    short.unlink()
    assert Calm(PLAIN, dry_run=True).format(job(files=files)).endswith("Training fold 2")


def test_a_plan_that_became_shorter_has_an_end_of_its_own():
    ends = record(message="Complete log(s): /x.log")

    def finished(done, *between):
        calm = Calm(logging.Formatter(), dry_run=False)
        for one in (record(LogEvent.PROGRESS, done=done, total=8), *between):
            calm.format(one)
        return calm.format(ends)

    assert finished(3).startswith("All jobs are done: what was planned beyond them")
    assert finished(8) == "Complete log(s): /x.log"
    assert finished(3, record(message="no", level=logging.ERROR)) == "Complete log(s): /x.log"
    stop = record(message="Terminating processes on user request")
    assert finished(3, stop) == "Complete log(s): /x.log"


def test_after_a_stop_nothing_is_called_failed():
    calm = Calm(PLAIN, dry_run=False)
    end = "WorkflowError:\nAt least one job did not complete successfully."
    asked = "Terminating processes on user request, this might take some time."
    assert calm.format(record(message=end)) == end
    assert calm.format(record(message=asked)).startswith("Stopping: what is being trained is saved")
    error = {"rule_name": "train_fold", "rule_msg": "Training", "log": [], "aux": {}}
    assert calm.format(record(LogEvent.JOB_ERROR, **error)) == ""
    assert calm.format(record(message=end)) == "Stopped; the same command goes on."


def test_a_plan_says_what_and_why():
    calm = Calm(PLAIN, dry_run=True)
    first, second = calm.format(job(reason="Missing output files: a.pt, b.json, c")).splitlines()
    assert first.split(maxsplit=1) == ["train_fold", "Training fold 2"]
    assert second.strip() == "missing output files: a.pt and 2 more"
    table = record(LogEvent.RUN_INFO, "table", stats={"total": 7})
    assert calm.format(table) == ""
    assert calm.format(table) == "\ntable"


def test_a_plan_says_what_it_cannot_know(tmp_path):
    """Before the archive is listed there may be more jobs; before that is checked again, fewer."""
    for there, said in ((False, "they come on top"), (True, "fewer jobs may run")):
        path = tmp_path / "images.csv"
        if there:
            path.touch()
        calm = Calm(PLAIN, dry_run=True)
        cohort = job(files=[])
        cohort.__dict__.update(rule_name="cohort", output=[str(path)])
        calm.format(cohort)
        table = record(LogEvent.RUN_INFO, "table", stats={"total": 7})
        assert [calm.format(table) for _ in range(2)][1].splitlines()[-1].endswith(f"{said}.")


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("", ""),
        ("Input files updated by another job: a, b", "follows from a job above"),
        (
            "Input files updated by another job: a; Set of input files has changed since last run",
            "Set of input files has changed since last run",
        ),
        ("Updated input files: a", "updated input files: a"),
        ("Forced execution", "Forced execution"),
    ],
)
def test_reasons_are_short(reason, said):
    assert because(reason) == said


def test_long_changes_of_params_are_cut():
    assert len(because(f"Params have changed since last execution: {'x' * 999}")) < 130


def test_what_failed_is_said_in_full(tmp_path):
    path = tmp_path / "a.log"
    path.write_text(
        "2026-01-01 10:00:00,123 Epoch 1\n2026-01-01 10:00:01,456 Error: Fold 3 has no sample.\n"
        "Lower folds.n.\n"
    )
    failed = record(
        LogEvent.JOB_ERROR,
        level=logging.ERROR,
        rule_name="folds",
        rule_msg=None,
        log=[str(path)],
        aux={},
    )
    said = Calm(PLAIN, dry_run=False).format(failed)
    assert "FAILED: rule folds" in said
    assert "    Fold 3 has no sample.\n    Lower folds.n.\n" in said
    assert "Epoch 1" not in said
    assert f"Log: {path}" in said


def test_without_a_message_the_end_of_the_log_is_shown(tmp_path):
    path = tmp_path / "a.log"
    assert "no log" in error_of_log(path)[0]
    path.write_text("")
    assert "empty" in error_of_log(path)[0]
    path.write_text("\n".join(map(str, range(99))))
    assert error_of_log(path) == [str(n) for n in range(87, 99)]


def test_warnings_stay_and_noise_goes():
    calm = Calm(PLAIN, dry_run=False)
    assert calm.format(record(message="Take care", level=logging.WARNING)) == "Take care"
    assert calm.format(record(message="Select jobs to execute...")) == ""
    text = "RuleException:\nCalledProcessError in file x, line 3:\nCommand 'y'"
    error = {"level": logging.ERROR}
    assert calm.format(record(message=f"{text} returned non-zero exit status 1.", **error)) == ""
    ended = calm.format(record(message=f"{text} died with <Signals.SIGKILL: 9>.", **error))
    assert ended == "A job was ended by SIGKILL, which came from outside."
    assert calm.format(record(LogEvent.JOB_FINISHED, "Finished jobid: 3")) == ""
