"""Snakemake's own report, page and archive: captions, categories, nothing identifying."""

import shutil
import zipfile

import pytest

from flow import copy_project, jobs_in, rules_of, snakemake
from foldwise.crate.rebuild import rebuild
from foldwise.report.catalogue import figures_of
from foldwise.report.entries import FIGURES
from leaking import identifying_values, standing_in
from once import CANARY, copied, finished_holdout, once


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """report.html, the files of report.zip and of the crate, and what must not be in them."""
    finished = once(tmp_path_factory, finished_holdout)
    folder = copied(finished, tmp_path_factory.mktemp("report") / "study")
    with zipfile.ZipFile(folder / "results/mine/crate/mine.zip") as packed:
        crate = {name: packed.read(name) for name in packed.namelist()}
        packed.extractall(folder / "crate")
    for name in ("report.html", "report.zip"):
        snakemake(folder, "all", "crate", "--report", name)
    with zipfile.ZipFile(folder / "report.zip") as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    private = identifying_values(folder / CANARY / "archive") | {CANARY, str(folder), str(finished)}
    return (folder / "report.html").read_bytes(), parts | crate, private, folder / "crate"


def test_each_figure_has_its_caption_and_the_study_as_category(reports):
    page, parts, *_ = reports
    text = page.decode()
    for name in figures_of("classification", holdout=True):
        # Entries bear the title, not the file's name.
        assert f'"title": "{FIGURES[name].title}"' in text
        assert any(part.endswith(f"/{name}.png") for part in parts)
    assert '"mine"' in text
    assert '"title": "The whole report"' in text and '"run cv"' in text
    assert '"title": "The article"' in text
    assert any(part.endswith("/article.html") for part in parts)
    assert any(part.endswith("/index.html") for part in parts)


def test_neither_form_holds_a_path_or_a_value_of_the_archive(reports):
    page, parts, private, _ = reports
    values = {value.encode() for value in private}
    # As `leaks` looks: six digits stand by chance in the offsets that a PDF lists.
    for name, content in {"report.html": page, **parts}.items():
        assert not standing_in(content, values), name
    assert len(private) > 20


def test_the_crate_makes_the_tables_of_the_article_again(reports, tmp_path):
    *_, crate = reports
    found = rebuild(crate, tmp_path)
    tables = [path for path in found if path.endswith(".csv")]
    assert len(tables) >= 4 and all(found.values()), found


@pytest.mark.slow
def test_two_clones_write_the_same_article(tmp_path_factory, tmp_path):
    """In folders, time zones and hash seeds of their own; nothing but the article is made."""
    finished = once(tmp_path_factory, finished_holdout)
    written = [bytes_of(finished / "results/mine/article")]
    for place, zone in (("one", "UTC"), ("another/place", "Asia/Tokyo")):
        folder = copied(finished, tmp_path / place / "study")
        clone = copy_project(tmp_path / place / "clone")
        shutil.rmtree(folder / "results/mine/article")
        environment = {"TZ": zone, "PYTHONHASHSEED": str(len(written))}
        done = snakemake(folder, "article", root=clone, environment=environment)
        assert rules_of(jobs_in(done.stdout + done.stderr)) - {"article"} == {"write_article"}
        written.append(bytes_of(folder / "results/mine/article"))
    assert {"article.pdf", "article.docx", "article.html", "ledger.json"} <= set(written[0])
    assert written[0] == written[1] == written[2]


def bytes_of(folder):
    """Path of each file in a folder -> its content."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}
