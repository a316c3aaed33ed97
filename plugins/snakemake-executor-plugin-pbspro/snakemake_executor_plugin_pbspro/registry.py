"""What was submitted, on disk: what a driver that died leaves to the next one.

    .snakemake/pbspro/jobs/<token>.json   one job: id, what it makes, from what, its request
                      exits/<token>       its exit code, written by the job under another name first
                      claims/<token>      id of the one PBS job that may run it
                      status/<token>      a line on how far it is, if its program leaves one
                      scripts/<token>.sh

An entry is written before qsub and removed when Snakemake has been told the end.
"""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass
class Entry:
    """One job as submitted. `submitted` and `gone_since` are seconds since 1970."""

    token: str
    targets: list[str]
    fingerprint: str
    name: str = ""
    log: str = ""
    request: list[str] = field(default_factory=list)
    job_id: str = ""
    tries: int = 0
    submitted: float = 0.0
    gone_since: float = 0.0
    abandoned: bool = False


class Registry:
    """The entries, and the small files that jobs leave."""

    def __init__(self, folder: Path):
        self.folder = folder
        for name in ("jobs", "exits", "claims", "status", "scripts", "logs"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        os.chmod(folder, 0o700)
        entries = [Entry(**json.loads(path.read_text())) for path in folder.glob("jobs/*.json")]
        self.entries = {entry.token: entry for entry in entries}
        self.earlier = sorted(self.entries)  # of a driver before this one

    def save(self, entry: Entry) -> None:
        """Write an entry whole: a driver killed here leaves the old one or the new one."""
        self.entries[entry.token] = entry
        path = self.folder / "jobs" / f"{entry.token}.json"
        path.with_suffix(".tmp").write_text(json.dumps(asdict(entry)))
        os.replace(path.with_suffix(".tmp"), path)

    def remove(self, entry: Entry) -> None:
        """Forget a job. The entry goes first: without it a job that starts late steps back."""
        self.entries.pop(entry.token, None)
        for name in ("jobs/{}.json", "exits/{}", "claims/{}", "status/{}", "scripts/{}.sh"):
            (self.folder / name.format(entry.token)).unlink(missing_ok=True)

    def exit_codes(self) -> dict[str, int]:
        """Exit codes that jobs have left. Listing the folder makes a network disk show them."""
        left = self.entries.keys() & set(os.listdir(self.folder / "exits"))
        texts = {token: self.text("exits", self.entries[token]) for token in left}
        return {token: int(text) for token, text in texts.items() if text.isdigit()}

    def started(self) -> set[str]:
        """Tokens of the jobs that have started."""
        return set(os.listdir(self.folder / "claims"))

    def text(self, kind: str, entry: Entry) -> str:
        """What a job left in `exits`, `claims` or `status`; empty when nothing is there."""
        try:
            return (self.folder / kind / entry.token).read_text(errors="replace").strip()
        except FileNotFoundError:
            return ""
