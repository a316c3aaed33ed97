"""What made these results: data, code, command, packages, machines, jobs, all settings."""

from typing import Any

from foldwise.report.ledger import Source, escaped
from foldwise.report.run import Run, Study
from foldwise.times import duration


def applies(study: Study) -> bool:
    """To any study."""
    return True


def reads(study: Study) -> tuple[str, ...]:
    """Nothing but what any section may read."""
    return ()


def values(run: Run) -> dict[str, Any]:
    """Tables of the record."""
    record = run.file("record")
    return {
        "record": _facts(record),
        "versions": [(name, record("versions", name)) for name in record.value("versions")],
        "settings": _settings(record),
        "jobs": _jobs(record),
    }


def _facts(record: Source) -> list[tuple[str, Any]]:
    # Without git there is neither commit nor state.
    rows = [
        ("Data hash", record("data_hash")),
        ("Commit", record.maybe("git", "commit")),
        ("Uncommitted code", record.maybe("git", "dirty", form=_yes)),
        ("Settings not as committed", record.maybe("git", "settings_dirty", form=_yes)),
        ("Command", record("command")),
        ("Command given", record("started")),
        ("Report made", record("made")),
        ("Python", record("python")),
        ("System", record("system")),
    ]
    machines = range(len(record.value("trained_on")))
    return rows + [("Trained on", record("trained_on", i)) for i in machines]


def _settings(record: Source, *keys: str) -> list[tuple[str, Any]]:
    """Every setting of the run by its dotted path."""
    value = record.value("settings", *keys)
    if isinstance(value, dict) and value:
        return [row for key in value for row in _settings(record, *keys, key)]
    return [(escaped(".".join(keys)), record("settings", *keys))]


def _jobs(record: Source) -> list[dict[str, Any]]:
    """A row a rule: number of jobs, their time together, the largest memory."""
    return [
        {
            "title": record("rules", i, "title"),
            "rule": record("rules", i, "rule"),
            "jobs": record("rules", i, "jobs"),
            "time": record("rules", i, "seconds", form=duration),
            "memory": record("rules", i, "max_rss_mb", form=".0f"),
        }
        for i in range(len(record.value("rules")))
    ]


def _yes(value: bool) -> str:
    return "yes" if value else "no"
