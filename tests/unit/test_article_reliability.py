"""The article on calibration, sets, subgroups, suspects, seeds, sizes: each where it was made."""

import re
import shutil

import pytest

from foldwise.article.build import write_article
from foldwise.article.render import SHIPPED
from foldwise.errors import FoldwiseError
from foldwise.files import read_json, write_json
from foldwise.hashing import file_digest
from foldwise.report.ledger import Ledger
from made_article import SETTINGS, copy_of, make_finished, study_of, write
from made_reliability import write_subgroups
from made_repeats import make_repeats
from made_runs import Run

PART = SHIPPED / "reliability.md.j2"
NAMES = {"seeds": "seed_variance"}
HEADINGS = {
    "calibration": "## Calibration",
    "conformal": "## Sets and triage",
    "subgroups": "## Subgroups",
    "suspects": "## Label suspects",
    "seeds": "## Seeds",
    "learning_curve": "## Learning curve",
}
KINDS = tuple(HEADINGS)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder with the report of a made-up run and everything on its reliability."""
    root = make_finished(tmp_path_factory.mktemp("finished"))
    run = Run(root / "results" / "density", ["A", "B"], [1, 2, 3])
    write_subgroups(run.paths())
    make_repeats(run)
    return root


@pytest.fixture
def folder(finished, tmp_path, monkeypatch):
    """A copy of it to change, as the working folder."""
    return copy_of(finished, tmp_path, monkeypatch)


def file_of(kind):
    """Path of one of these files."""
    return f"results/density/runs/cv/{NAMES.get(kind, kind)}.json"


def write_with(folder, kinds, ledger=None):
    """The text of the article of a study that has these files; its folder is `article`."""
    ledger = ledger or Ledger()
    study = study_of(ledger, **{kind: file_of(kind) for kind in kinds})
    write_article([study], SETTINGS, ledger, folder / "article")
    return (folder / "article/article.md").read_text()


SUBSETS = [(), KINDS, *((one,) for one in KINDS)]
SUBSETS += [tuple(one for one in KINDS if one != left) for left in KINDS]


@pytest.mark.usefixtures("without_documents")
@pytest.mark.parametrize("kinds", SUBSETS, ids="+".join)
def test_each_subset_of_these_files_is_told_of_and_nothing_else(folder, kinds):
    text = write_with(folder, kinds)
    for kind, heading in HEADINGS.items():
        assert (heading in text) == (kind in kinds), kind
    assert not re.findall(r"(?m)^.+\n(?=#+ )", text), "headings within a paragraph"
    made = {path.stem.partition("-")[2] for path in (folder / "article/tables").iterdir()}
    assert set(kinds) & {"calibration", "conformal", "subgroups"} <= made
    assert ("triage.png" in text) == ("conformal" in kinds)
    read = {one["file"] for one in read_json("article/ledger.json")["numbers"]}
    assert {file_of(kind) for kind in kinds} <= read


def test_numbers_are_those_of_the_files_in_every_document(folder):
    text = write_with(folder, KINDS)
    part = read_json(file_of("calibration"))["parts"][0]
    before, after = (part["metrics"][one]["log_loss"]["value"] for one in ("before", "temperature"))
    assert f"{before:.3f}" in text and f"{after:.3f}" in text
    assert f"{part['metrics']['temperature']['change']['value']:+.3f}" in text
    helps = part["decision"]["A"]["helps"]["temperature"]
    assert f"{helps['share']:.0%} of the thresholds" in text
    suspects = read_json(file_of("suspects"))["parts"][0]
    assert f"{suspects['suspects']} of {suspects['n']} images" in text
    level = read_json(file_of("subgroups"))["columns"][0]["levels"][0]
    assert f"| {level['n']} | {level['groups']} | {level['metrics']['kappa']['value']:.3f}" in text
    assert "Column doctor was left out: it names patients." in text
    # The sets of so few patients hold everything: there is no confidence to let stand.
    assert "every image would go to a reader" in text
    page = (folder / "article/article.html").read_text()
    assert "Northcutt" in page and "Guo" in page and "Vickers" in page
    origins = re.findall(r'title="([^"]+ in [^"]*calibration\.json, made by [^"]+)"', page)
    assert len(origins) > 10


@pytest.mark.usefixtures("without_documents")
def test_checklists_answer_more_where_these_files_were_made(folder):
    def answered():
        pages = [folder / f"article/checklists/{name}.md" for name in ("claim", "tripod_ai")]
        return [int(page.read_text().splitlines()[2].split()[0]) for page in pages]

    write(folder)
    before = answered()
    write_with(folder, KINDS)
    assert answered()[1] >= before[1] + 3 and answered()[0] >= before[0]
    tripod = (folder / "article/checklists/tripod_ai.md").read_text()
    for item in ("12f", "14", "24"):
        (row,) = [line for line in tripod.splitlines() if line.startswith(f"| {item} |")]
        assert "For the author" not in row and ".json: " in row, row
    claim = (folder / "article/checklists/claim.md").read_text()
    assert "Over 3 seeds" in claim and "are likely wrong" in claim


@pytest.mark.usefixtures("without_documents")
@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        ("calibration", ("parts", 0, "metrics", "before", "ece")),
        ("conformal", ("parts", 0, "sets", "all", "coverage")),
        ("subgroups", ("columns", 0, "levels", 0, "n")),
        ("suspects", ("parts", 0, "share")),
        ("seeds", ("text",)),
        ("learning_curve", ("text",)),
    ],
)
def test_what_a_file_does_not_define_stops_with_file_and_line(folder, kind, keys):
    content = read_json(file_of(kind))
    place = content
    for key in keys[:-1]:
        place = place[key]
    del place[keys[-1]]
    write_json(file_of(kind), content)
    with pytest.raises(FoldwiseError, match=r"\.md\.j2, line \d+: .*nothing at '") as told:
        write_with(folder, [kind])
    assert file_of(kind) in str(told.value)
    assert not (folder / "article/article.md").exists()


@pytest.mark.usefixtures("without_documents")
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_was_changed_since_it_was_made_stops_with_file_and_line(folder, kind):
    made = {"rule": "a_rule", "made": "2026-01-01", "code": "0" * 8, "settings": "", "run": "cv"}
    recorded = {file_of(kind): made | {"sha256": file_digest(file_of(kind))}}
    assert HEADINGS[kind] in write_with(folder, [kind], Ledger(recorded))
    recorded[file_of(kind)]["sha256"] = "0" * 64
    shutil.rmtree(folder / "article")
    with pytest.raises(FoldwiseError, match=r"\.md\.j2, line \d+: .*not what rule a_rule wrote"):
        write_with(folder, [kind], Ledger(recorded))
    assert not (folder / "article/article.md").exists()


def test_a_number_that_is_typed_into_an_included_part_is_refused(folder):
    assert "## Calibration" in write_with(folder, KINDS), "the shipped part has no such number"
    own = folder / "own.md.j2"
    own.write_text((SHIPPED / "article.md.j2").read_text())
    (folder / PART.name).write_text("## Calibration\n\nLog loss was 0.53.\n")
    with pytest.raises(FoldwiseError, match=r"reliability\.md\.j2, line 3: '0\.53' stands in"):
        write(folder, template=str(own))
