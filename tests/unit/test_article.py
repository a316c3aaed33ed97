"""The article: every number is looked up, bears its origin, and gives the same bytes again."""

import copy
import io
import json
import re
import zipfile

import pytest

from foldwise.article.agreement import disagreements
from foldwise.article.build import write_article
from foldwise.article.inputs import article_files, studies_of
from foldwise.article.render import SHIPPED
from foldwise.article.study import Study
from foldwise.errors import FoldwiseError
from foldwise.evaluate.cautions import undefined
from foldwise.files import read_json, write_json
from foldwise.report import templates
from foldwise.report.ledger import Ledger
from made_article import SETTINGS, copy_of, make_finished, study_of, write
from report_pages import STUDY

SPAN = re.compile(r'<span class="number" title="([^"]+)">([^<]+)</span>')


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder with the report of a made-up run, and the counts of its folds."""
    return make_finished(tmp_path_factory.mktemp("finished"))


@pytest.fixture
def folder(finished, tmp_path, monkeypatch):
    """A copy of it to change, as the working folder."""
    return copy_of(finished, tmp_path, monkeypatch)


def own_template(folder, change):
    """A copy of the shipped template, changed."""
    path = folder / "own.md.j2"
    path.write_text(change((SHIPPED / "article.md.j2").read_text()))
    return str(path)


def test_documents_hold_the_same_numbers_with_their_origin_and_are_the_same_bytes_again(folder):
    out = write(folder)
    first = {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()}
    assert {"article.md", "article.html", "article.docx", "article.pdf"} <= set(first)
    spans = SPAN.findall(first["article.html"].decode())
    ledger = read_json(out / "ledger.json")["numbers"]
    origins = {f"{n['key']} in {n['file']}, made by {n['job']}": n["shown"] for n in ledger}
    assert len(spans) > 60
    for origin, _ in spans:
        assert origin.replace("&#39;", "'") in origins, origin
    summary = read_json("results/density/runs/cv/cv_summary.json")
    assert f"{summary['kappa']['mean']:.3f}" in first["article.md"].decode()
    again = write(folder)
    assert {name: (again / name).read_bytes() for name in first} == first
    with zipfile.ZipFile(out / "article.docx") as document:
        body = document.read("word/document.xml").decode()
        styles = document.read("word/styles.xml").decode()
    # Type of 8 points, so that a table of seven columns cuts no word.
    assert re.search(r'w:styleId="Table"[^>]*>.*?<w:sz w:val="16"', styles, re.DOTALL)
    assert body.count('w:val="Heading1"') >= 5
    with zipfile.ZipFile(io.BytesIO(first["article.docx"])) as document:
        members = b"".join(map(document.read, document.namelist()))
    # Where this machine keeps the references is nobody's property of a document.
    assert b"references.json" not in members and str(SHIPPED).encode() not in members
    assert f"{summary['kappa']['mean']:.3f}" in body
    assert first["article.pdf"].startswith(b"%PDF")


def paths_of(value, keys=()):
    """Keys of every number in nested JSON."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from paths_of(inner, (*keys, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from paths_of(inner, (*keys, index))
    elif type(value) in (int, float):
        yield keys


def everything(out):
    """The text of an article, its model card and its checklists."""
    return "".join(path.read_text() for path in sorted(out.rglob("*.md")))


@pytest.mark.usefixtures("without_documents")
def test_each_value_that_is_changed_changes_the_text(folder):
    text = everything(write(folder))
    numbers = read_json(folder / "article/ledger.json")["numbers"]
    tried = 0
    for file in sorted({number["file"] for number in numbers}):
        original = read_json(file)
        used = {number["key"] for number in numbers if number["file"] == file}
        for keys in paths_of(original):
            if ".".join(map(str, keys)) not in used or tried >= 50:
                continue
            changed = copy.deepcopy(original)
            place = changed
            for key in keys[:-1]:
                place = place[key]
            place[keys[-1]] += 0.111 if isinstance(place[keys[-1]], float) else 111
            write_json(file, changed)
            assert disagreements("article"), keys
            assert everything(write(folder)) != text, keys
            write_json(file, original)
            tried += 1
    assert tried >= 50


@pytest.mark.usefixtures("without_documents")
def test_an_article_whose_results_have_gone_or_changed_is_stale(folder):
    write(folder)
    assert disagreements("article") == []
    assert disagreements("nowhere") == []
    path = folder / "results/density/runs/cv/cv_summary.json"
    content = json.loads(path.read_text())
    content["kappa"]["mean"] = 0.5
    path.write_text(json.dumps(content))
    assert any("kappa.mean is 0.5 now" in line for line in disagreements("article"))
    path.unlink()
    assert any("is not there any more" in line for line in disagreements("article"))


@pytest.mark.usefixtures("without_documents")
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("## Performance\n", "## Performance\n\nKappa was 0.93.\n", r"line \d+: '0.93' stands in"),
        ("## Cohort\n", "## Cohort\n\n{{ study.metric('kapa').mean }}\n", "Did you mean 'kappa'"),
        ("## Cohort\n", "## Cohort\n\n{{ study.sumary('kappa') }}\n", "Did you mean 'summary'"),
        (
            "## Cohort\n",
            "## Cohort\n\n{{ study.summary('kappa', 'men') }}\n",
            "Did you mean 'mean'",
        ),
        ("## Cohort\n", "## Cohort\n\n{{ ref('rocc') }}\n", "Did you mean"),
        ("## Cohort\n", "## Cohort\n\n{{ show_table(table('cohrt')) }}\n", "Did you mean 'cohort'"),
        ("## Cohort\n", "## Cohort\n\n{{ show_figure(figure('ros')) }}\n", "Did you mean 'roc'"),
        ("## Cohort\n", "## Cohort\n\n{% if %}\n", r"line \d+"),
    ],
)
def test_a_fault_of_a_template_is_told_with_its_line(folder, old, new, said):
    own = own_template(folder, lambda text: text.replace(old, new))
    with pytest.raises(FoldwiseError, match=said):
        write(folder, template=own)
    assert not (folder / "article/article.md").exists()


@pytest.mark.usefixtures("without_documents")
def test_prose_between_the_numbers_is_the_authors(folder):
    own = own_template(
        folder,
        lambda text: text.replace("## Cohort\n", "## Cohort\n\n[Two of 3 readers]{.prose}\n"),
    )
    assert "Two of 3 readers" in (write(folder, template=own) / "article.md").read_text()


def test_a_work_that_is_cited_must_be_in_the_references(folder):
    own = own_template(folder, lambda text: text.replace("@paszke2019", "@paszke2091"))
    with pytest.raises(FoldwiseError, match="@paszke2091 is in no list of references"):
        write(folder, template=own)
    assert (folder / "article/article.md").is_file(), "the Markdown is there"


@pytest.mark.usefixtures("without_documents")
def test_checklists_say_what_artefacts_answer_and_leave_the_rest_to_the_author(folder):
    out = write(folder)
    claim = (out / "checklists/claim.md").read_text()
    rows = [line for line in claim.splitlines() if re.match(r"\| \d+ \|", line)]
    assert len(rows) == 42
    answered = [row for row in rows if "*For the author*" not in row]
    assert len(answered) >= 30
    assert claim.splitlines()[2].startswith(f"{len(answered)} of 42")
    for row in answered:
        assert row.split(" | ")[-1].strip(" |"), f"no pointer: {row}"
    assert "| 40 | Other | Registration | *For the author* |" in claim
    assert len((out / "checklists/tripod_ai.md").read_text().splitlines()) > 50


@pytest.mark.usefixtures("without_documents")
def test_tables_come_in_three_formats_with_the_same_cells(folder):
    import pandas

    out = write(folder) / "tables"
    made = {path.name for path in out.iterdir()}
    assert {f"density-results.{form}" for form in ("csv", "md", "tex")} <= made
    frame = pandas.read_csv(out / "density-results.csv", dtype=str)
    summary = read_json("results/density/runs/cv/cv_summary.json")
    assert frame["Mean over folds"][0] == f"{summary['kappa']['mean']:.3f}"
    assert frame["Mean over folds"][0] in (out / "density-results.tex").read_text()


@pytest.mark.usefixtures("without_documents")
def test_the_parts_of_table_1_add_up_to_all(folder):
    counts = read_json("results/density/folds/balance.json")
    held = {"images": 7, "groups": 3, "classes": {"A": 4, "B": 3}}
    counts["folds"]["holdout"] = held
    write_json("results/density/folds/balance.json", counts)
    lines = (write(folder) / "tables/density-cohort.csv").read_text().splitlines()
    assert lines[0].endswith("Fold 3,Holdout") and lines[1].endswith(",20,7")
    assert [line.rsplit(",", 1)[1] for line in lines[2:5]] == ["3", "4", "3"]


def test_studies_that_are_not_run_cannot_be_told_of():
    study = {"name": "a", "article": {"studies": ["bb"]}}
    with pytest.raises(FoldwiseError, match=r"'bb' is no study that is run\..*config/config\.yaml"):
        studies_of(study, {"a": study})
    with pytest.raises(FoldwiseError, match="names the study itself"):
        studies_of(study | {"name": "bb"}, {"bb": study})


def test_only_files_of_the_study_are_read():
    study = STUDY | {"folds": {"preset": None, "holdout": 0.2}}
    files = article_files(study)
    assert set(files) >= {"manifest", "params", "summary", "record", "balance", "holdout"}
    assert all(path.startswith("results/density/") for path in files.values())
    assert not any("private" in path for path in files.values())


@pytest.mark.usefixtures("without_documents")
def test_readers_are_told_each_metric_once_and_nothing_of_what_to_run_next(folder):
    path = folder / "results/density/runs/cv/cv_summary.json"
    summary = read_json(path)
    summary["kappa_quadratic"] = summary["kappa"]
    summary["warnings"] = [
        {"kind": "instability", "text": "Macro F1 0.1: too far apart. Read next: the table."},
        {"kind": "selection", "text": "Set training.stop_after."},
    ]
    write_json(path, summary)
    text = (write(folder) / "article.md").read_text()
    assert text.count("Macro F1 0.1: too far apart.") == 1
    assert "Read next" not in text and "stop_after" not in text
    assert "Kappa quadratic" not in text


def outside_code(text):
    """Markdown without what is set as code, targets of links, and attributes."""
    return re.sub(r"`[^`]*`|\]\([^)]*\)|\{#[^}]*\}", " ", text)


@pytest.mark.usefixtures("without_documents")
def test_readers_meet_no_name_of_a_key_or_a_file_outside_code(folder):
    path = folder / "results/density/runs/cv/cv_summary.json"
    summary = read_json(path)
    lacking = {"unknown_precision": {"n_folds": 1}, "balanced_accuracy": {"n_folds": 2}}
    summary["warnings"] = list(undefined(lacking, 3))
    write_json(path, summary)
    out = write(folder)
    text = (out / "article.md").read_text()
    assert "- Unknown, precision: defined in 1 of 3 folds." in text
    for page in sorted(out.rglob("*.md")):
        assert not re.findall(r"[a-z]+_[a-z]+", outside_code(page.read_text())), page.name


@pytest.mark.usefixtures("without_documents")
def test_further_studies_are_told_of_with_the_comparisons_of_all(folder):
    row = {"study": "density", "run": "cv", "against": "other, cv", "metric": "kappa", "p": 0.012}
    numbers = {"difference": 0.1234, "low": 0.05, "high": 0.2, "p_holm": 0.036}
    apart = [{"study": "third", "reason": "it predicts something else"}]
    found = {"number": 3, "comparisons": [row | numbers], "apart": apart}
    write_json("results/density/article/across.json", found)
    ledger = Ledger()
    own = study_of(ledger, across="results/{study}/article/across.json")
    other = Study(STUDY | {"name": "other"}, study_of(ledger).files, {}, ledger)
    write_article([own, other], SETTINGS, ledger, folder / "article")
    text = (folder / "article/article.md").read_text()
    assert "In study other, of " in text and "number of tests among them, 3" in text
    assert "has every comparison of this article" in text and "0.036" in text
    assert "Study third was not compared with density: it predicts something else." in text
    assert (folder / "article/tables/density-across.csv").is_file()


def test_what_the_shipped_article_is_made_of_is_its_own_and_no_part_of_the_page():
    of_article, of_page = templates.digests_of_article(), templates.digests()
    assert {"article.md.j2", "claim.yaml", "references.json", "article.typ"} <= set(of_article)
    assert of_page and not [name for name in of_page if name.startswith("article")]
