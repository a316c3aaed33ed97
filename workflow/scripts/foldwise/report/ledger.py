"""Numbers with a birth certificate: each knows the file, the key and the job it came from.

What a page or an article shows is looked up through a `Ledger`, never typed:

    ledger = Ledger(origins(Path("results/density/logs")))
    summary = ledger.source("results/density/runs/cv/cv_summary.json", Job("cv_summary", "density"))
    str(summary("kappa", "mean", form=".3f"))   # "0.721", and noted in the ledger
    write_json(path, ledger.as_json())

A key that is not in the file, and a file that is no longer what its job wrote, raise FoldwiseError.
Standard library only: the rule files read the sections, which read this.
"""

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from foldwise.errors import FoldwiseError, nearest
from foldwise.files import read_csv, read_json
from foldwise.hashing import file_digest

Key = str | int
Form = str | Callable[[Any], str]
# Characters with a meaning in Markdown, so that a class named `<=B|C` stays as it is.
SPECIAL = re.compile(r"([\\`*_{}\[\]<>|])")
UNDEFINED = "–"
# Files that the origin of a figure names one by one.
MOST_NAMED = 4
_ABSENT = object()


def escaped(text: str) -> str:
    """Text that Markdown shows as it is, on one line: a second would end a table's row."""
    return SPECIAL.sub(r"\\\1", " ".join(text.splitlines()))


def _attribute(text: str) -> str:
    """Text in an attribute of HTML within Markdown, where a bar would end the table's cell."""
    return html.escape(text).replace("|", "&#124;")


@dataclass(frozen=True)
class Job:
    """The job that makes a file: its rule, and of which study, run and fold."""

    rule: str
    study: str = ""
    run: str = ""
    fold: int = 0

    def __str__(self) -> str:
        named = (self.rule, self.study, self.run, f"fold {self.fold}" if self.fold else "")
        return " ".join(filter(None, named))


@dataclass(frozen=True)
class Number:
    """A value of a file as it is shown. In HTML it says on hovering where it comes from."""

    file: str
    key: str
    value: Any
    shown: str
    job: str
    made: str = ""

    @property
    def origin(self) -> str:
        """Key, file and job in words, with the time where that is recorded."""
        return f"{self.key} in {self.file}, made by {self.job}{self.made and f', {self.made}'}"

    def __str__(self) -> str:
        return escaped(self.shown)

    def __html__(self) -> str:
        exact = _attribute("" if self.value is None else str(self.value))
        title = _attribute(self.origin)
        return f'<data value="{exact}" title="{title}">{escaped(html.escape(self.shown))}</data>'


@dataclass
class Ledger:
    """Reads numbers from files and notes each with its origin.

    origins: path -> what its job recorded of itself (`foldwise.origin.origins`).
    """

    origins: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    numbers: list[Number] = field(default_factory=list)
    figures: dict[str, dict[str, Any]] = field(default_factory=dict)
    _contents: dict[str, Any] = field(default_factory=dict)
    _digests: dict[str, str] = field(default_factory=dict)
    _jobs: dict[str, Job] = field(default_factory=dict)

    def source(self, path: str | Path, job: Job) -> "Source":
        """The numbers of one file, which was made by `job`."""
        self._jobs[str(path)] = job
        return Source(self, str(path), job)

    def content(self, path: str) -> Any:
        """Content of a JSON file, or rows of a CSV file; read once, and as its job wrote it."""
        if path not in self._contents:
            # Before it is read: a number from a changed file must not even be looked at.
            self._digests[path] = self._checked(path)
            self._contents[path] = read_csv(path) if path.endswith(".csv") else read_json(path)
        return self._contents[path]

    def note(self, number: Number) -> Number:
        """Keep a number that is shown."""
        self.numbers.append(number)
        return number

    def note_figure(self, name: str, path: str | Path, job: Job, reads: list[str]) -> None:
        """Keep a figure that is shown: its file, the job that drew it, the files that it reads."""
        digest = self._checked(str(path))
        facts = {"file": str(path), "sha256": digest, "reads": sorted(reads)}
        self.figures[name] = facts | self._of_job(str(path), job)

    def origin_of_figure(self, name: str) -> str:
        """What drew a figure, of which files, in words."""
        facts = self.figures[name]
        made = self.made(facts["file"])
        files = ", ".join(facts["reads"][:MOST_NAMED])
        more = len(facts["reads"]) - MOST_NAMED
        files += f" and {more} more" if more > 0 else ""
        return f"made by {facts['job']}{made and f', {made},'} from {files}"

    def as_json(self) -> dict[str, Any]:
        """`files`: path -> digest and job; `numbers`: file, key, value, text, job; `figures`."""
        entries = [
            {"file": n.file, "key": n.key, "value": n.value, "shown": n.shown, "job": n.job}
            # A number that is shown in two places in one form is one entry.
            for n in {(n.file, n.key, n.shown): n for n in self.numbers}.values()
        ]
        files = {
            path: {"sha256": self._digests[path], **self._of_job(path, self._jobs[path])}
            for path in sorted({number.file for number in self.numbers})
        }
        return {"files": files, "numbers": entries, "figures": self.figures}

    def made(self, path: str) -> str:
        """When the file was made and by which code, as far as its job recorded it."""
        origin = self.origins.get(path)
        return f"{origin['made']}, code {origin['code'] or 'unknown'}" if origin else ""

    def _of_job(self, path: str, job: Job) -> dict[str, Any]:
        """Job, rule and run of a file, and what the job recorded: code, settings, time."""
        recorded = self.origins.get(path, {})
        facts = {key: recorded.get(key) for key in ("code", "settings", "made")}
        return {"job": str(job), "rule": job.rule, "run": job.run or None} | facts

    def _checked(self, path: str) -> str:
        """Digest of the file's bytes. FoldwiseError where it is not as its job wrote it."""
        digest_now = file_digest(path)
        recorded = self.origins.get(path)
        if recorded and recorded["sha256"] != digest_now:
            raise FoldwiseError(
                f"{path}: not what rule {recorded['rule']} wrote on {recorded['made']}; it was "
                "changed afterwards. Delete it, and the same command makes it again."
            )
        return digest_now


@dataclass(frozen=True)
class Source:
    """One file of a ledger."""

    ledger: Ledger
    file: str
    job: Job

    def value(self, *keys: Key) -> Any:
        """The value at a path of keys, for decisions; None where there is none. Not noted."""
        value = self._at(keys)
        return None if value is _ABSENT else value

    def __call__(self, *keys: Key, form: Form = str) -> Number:
        """The number at a path of keys, shown by a format or a function; `–` where undefined.

        FoldwiseError where the file has no such key: `maybe` is for what may be absent.
        """
        value = self._at(keys)
        if value is _ABSENT:
            raise FoldwiseError(f"{self.file}: nothing at '{_dotted(keys)}'.{self._near(keys)}")
        return self._shown(keys, value, form)

    def maybe(self, *keys: Key, form: Form = str) -> Number:
        """Like a call; `–` also where the file has no such key."""
        return self._shown(keys, self.value(*keys), form)

    def interval(
        self, *keys: Key, form: Form = ".3f", sides: tuple[Key, Key] = (0, 1)
    ) -> list[Number]:
        """The two bounds `sides` at a path of keys; empty where there is no interval."""
        if None in (self.value(*keys, side) for side in sides):
            return []
        return [self(*keys, side, form=form) for side in sides]

    def _at(self, keys: tuple[Key, ...]) -> Any:
        content = self.ledger.content(self.file)
        for key in keys:
            listed = isinstance(content, list) and isinstance(key, int) and key < len(content)
            if listed or (isinstance(content, dict) and key in content):
                content = content[key]
            else:
                return _ABSENT
        return content

    def _shown(self, keys: tuple[Key, ...], value: Any, form: Form) -> Number:
        # CSV files say by an empty cell what JSON says by null.
        if value is None or value == "":
            shown = UNDEFINED
        elif isinstance(value, list):
            shown = ", ".join(map(str, value)) or "none"
        else:
            shown = format(value, form) if isinstance(form, str) else form(value)
        made = self.ledger.made(self.file)
        return self.ledger.note(Number(self.file, _dotted(keys), value, shown, str(self.job), made))

    def _near(self, keys: tuple[Key, ...]) -> str:
        above = self.value(*keys[:-1])
        return nearest(str(keys[-1]), above) if isinstance(above, dict) and keys else ""


def _dotted(keys: tuple[Key, ...]) -> str:
    return ".".join(str(key) for key in keys)
