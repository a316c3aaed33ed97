"""A study as a Workflow Run Crate (RO-Crate 1.1): files, workflow, and which job made what."""

import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rocrate.model.contextentity import ContextEntity
from rocrate.rocrate import ROCrate

from foldwise.crate.contents import of_study, of_workflow
from foldwise.files import replacing

PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
KINDS = {
    ".json": "application/json",
    ".csv": "text/csv",
    ".md": "text/markdown",
    ".html": "text/html",
    ".png": "image/png",
    ".pdf": "application/pdf",
    ".yaml": "application/yaml",
    ".txt": "text/plain",
}
HOW = (
    "Unpack it, make the environment of requirements.lock, and run `python "
    "workflow/scripts/rebuild.py .`: it measures all predictions anew and makes the tables of the "
    "article of that; each has to be the same bytes. With the archive and its table named in "
    "config/studies, `snakemake` makes all anew. The licence is that of the workflow; data and "
    "results are their owner's."
)


def write_crate(
    study: Mapping[str, Any],
    texts: Mapping[str, str],
    made: Mapping[str, Mapping[str, Any]],
    root: Path,
    out: Path,
) -> None:
    """Write the crate of a study, a zip file whose bytes hang on its content alone.

    Args:
        study: "name", "title", "made" (time of its record) and "python" (version).
        texts: path in the crate -> content of files that are made for it.
        made: path of a result -> rule and time of its job (`foldwise.origin.origins`).
        root: folder of the workflow.
        out: the zip file.
    """
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        # The profiles of runs are written against this version.
        crate = ROCrate(gen_preview=False, version="1.1")
        files = _add_files(crate, study, texts, root, folder / "texts")
        _describe(crate, study)
        _add_actions(crate, study, made, files)
        crate.write(folder / "crate")
        _pack(folder / "crate", out)


def _add_files(
    crate: ROCrate, study: Mapping[str, Any], texts: Mapping[str, str], root: Path, folder: Path
) -> dict[str, Any]:
    """Add all files; returns the entities of those that are results."""
    main = crate.add_workflow(root / "Snakefile", "Snakefile", main=True, lang="snakemake")
    main["name"] = "Foldwise"
    for path, place in of_workflow(root):
        if place != "Snakefile":
            _add(crate, path, place)
    for place, text in texts.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text(text, encoding="utf-8")
        _add(crate, folder / place, place)
    return {place: _add(crate, path, place) for path, place in of_study(study["name"])}


def _add(crate: ROCrate, path: Path, place: str) -> Any:
    facts = {"name": Path(place).name, "contentSize": str(path.stat().st_size)}
    if path.suffix in KINDS:
        facts["encodingFormat"] = KINDS[path.suffix]
    if place.startswith("workflow/scripts/") and path.suffix == ".py":
        facts["@type"] = ["File", "SoftwareSourceCode"]
    return crate.add_file(path, place, properties=facts)


def _describe(crate: ROCrate, study: Mapping[str, Any]) -> None:
    crate.name = study["title"]
    crate.description = f"Study {study['name']}, made by Foldwise. {HOW}"
    crate.datePublished = study["made"]
    crate.license = "https://spdx.org/licenses/MIT"
    profiles = []
    for address, name in PROFILES.items():
        facts = {"@type": "CreativeWork", "name": name, "version": address.rpartition("/")[2]}
        profiles.append(crate.add(ContextEntity(crate, address, properties=facts)))
    crate.root_dataset["conformsTo"] = profiles


def _add_actions(
    crate: ROCrate,
    study: Mapping[str, Any],
    made: Mapping[str, Mapping[str, Any]],
    files: Mapping[str, Any],
) -> None:
    """The whole run as one action of the workflow, and an action of each finished job."""
    run = _action(crate, "#run", f"Snakemake run of study {study['name']}", study["made"])
    # Profile of workflow runs: one action of the main entity stands for the whole.
    run["instrument"] = crate.mainEntity
    run["object"] = [crate.dereference(f"config/studies/{study['name']}.yaml")]
    run["result"] = list(files.values())
    actions = [run]
    for (rule, when), paths in _by_job(made, files).items():
        script = crate.dereference(f"workflow/scripts/{rule}.py")
        if script is None:
            continue  # A rule with another's script; the whole run names its files too.
        action = _action(crate, f"#{rule}-{len(actions)}", f"Rule {rule}", when)
        action["instrument"] = script
        action["result"] = [files[path] for path in paths]
        actions.append(action)
    crate.root_dataset["mentions"] = actions


def _action(crate: ROCrate, name: str, title: str, when: str) -> Any:
    facts = {"@type": "CreateAction", "name": title, "endTime": when}
    return crate.add(ContextEntity(crate, name, properties=facts))


def _by_job(
    made: Mapping[str, Mapping[str, Any]], files: Iterable[str]
) -> dict[tuple[str, str], list[str]]:
    """Rule and time of a job -> its files, of those that the crate holds."""
    jobs: dict[tuple[str, str], list[str]] = {}
    for path in files:
        if path in made:
            jobs.setdefault((made[path]["rule"], made[path]["made"]), []).append(path)
    return dict(sorted(jobs.items()))


def _pack(folder: Path, out: Path) -> None:
    """A folder as a zip file, without times of its own."""
    with (
        replacing(out) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                # Made without a file, an entry has the fixed time of 1980.
                entry = zipfile.ZipInfo(str(path.relative_to(folder)))
                entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
                packed.writestr(entry, path.read_bytes())
