"""The report pack: each number traced to its file, nothing from the network, nothing private."""

import ast
import json
import re
from pathlib import Path

import pytest

from foldwise.files import read_csv, read_json, write_json
from foldwise.hashing import file_digest
from foldwise.report.entries import FIGURES
from foldwise.report.ledger import escaped
from foldwise.report.pack import report_pack
from foldwise.report.record import SCRIPTS, title_of
from made_runs import make_run
from report_pages import OUT, STUDY, Page, build, reporting


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    root = tmp_path_factory.mktemp("pack")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        yield build(root)


@pytest.mark.parametrize("holdout", [0.0, 0.2])
def test_a_single_split_is_no_cross_validation(tmp_path, monkeypatch, holdout):
    monkeypatch.chdir(tmp_path)
    folds = {"preset": None, "holdout": holdout}
    build(tmp_path, n_folds=1, study=STUDY | {"folds": folds})
    text = re.sub(r"!\[\*\*.*", "", (tmp_path / OUT / "report.md").read_text())
    for words in (
        "over folds",
        "1 folds",
        "ross-validation",
        "in one fold",
        "± –",
        "It is the best",
    ):
        assert words not in text, words
    image = read_json("results/density/runs/cv/cv_summary.json")["pooled"]["image"]["metrics"]
    low, high = image["kappa"]["interval"]
    row = f"{image['kappa']['value']:.3f} | {low:.3f} to {high:.3f} |"
    # In the headline, and among the results.
    assert text.count(row) == 2


def looked_up(path, key):
    """The value at a dotted key, found without the ledger's code."""
    found = read_csv(path) if path.endswith(".csv") else json.loads(Path(path).read_text())
    while key:
        if isinstance(found, list):
            head, _, key = key.partition(".")
            found = found[int(head)]
            continue
        # Keys may hold dots themselves: the longest that fits.
        head = max((k for k in found if key == k or key.startswith(f"{k}.")), key=len)
        found, key = found[head], key[len(head) + 1 :]
    return found


def test_every_number_on_the_page_stands_in_the_file_that_it_names(pack):
    page = Page((pack / "index.html").read_text())
    assert len(page.numbers) > 150
    assert page.untraced == []
    for value, title, shown in page.numbers:
        key, path = re.fullmatch(r"(.*) in (\S+), made by .*", title).groups()
        exact = looked_up(path, key)
        assert value == ("" if exact is None else str(exact))
        if re.fullmatch(r"-?\d+\.\d{3}", shown):
            assert float(shown) == pytest.approx(exact, abs=0.0005001)


def test_the_ledger_lists_each_with_file_key_value_and_job(pack):
    ledger = read_json(pack / "ledger.json")
    page = Page((pack / "index.html").read_text())
    listed = {f"{n['key']} in {n['file']}, made by {n['job']}" for n in ledger["numbers"]}
    assert {title for _, title, _ in page.numbers} <= listed
    for path, entry in ledger["files"].items():
        assert entry["sha256"] == file_digest(path)
    jobs = {entry["job"] for entry in ledger["files"].values()}
    assert {"cv_summary density cv", "train_fold density cv fold 2", "audit density"} <= jobs


def test_the_page_needs_no_network(pack):
    page = Page((pack / "index.html").read_text())
    assert all(address.startswith(("data:image/png;base64,", "#")) for address in page.addresses)
    assert sum(address.startswith("data:") for address in page.addresses) == 12
    targets = set(re.findall(r'id="([^"]+)"', (pack / "index.html").read_text()))
    assert {a[1:] for a in page.addresses if a.startswith("#")} <= targets
    # A script finds its place by an id: no heading may have the same.
    assert len(targets) == len(re.findall(r' id="', (pack / "index.html").read_text()))


def test_pictures_of_the_markdown_are_there(pack):
    text = (pack / "report.md").read_text()
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text)
    assert len(pictures) == 12
    assert all((pack / name).is_file() for name in pictures)
    assert "<data" not in text


def test_assets_are_of_the_best_fold(pack):
    for asset in ("train", "confusion", "gradcam"):
        assert (pack / "assets" / f"density_{asset}_seed42.png").is_file()
    best = read_json("results/density/runs/cv/cv_summary.json")["best_fold"]
    kappas = {
        k: read_json(f"results/density/runs/cv/fold_{k}/results/metrics/val_metrics.json")["kappa"]
        for k in (1, 2, 3)
    }
    assert best["fold"] == max(kappas, key=kappas.get)
    assert f"is fold {best['fold']}" in (pack / "report.md").read_text()


def test_the_archives_paths_are_nowhere(pack):
    files = [path for path in pack.rglob("*") if path.is_file()]
    assert {"index.html", "report.md", "record.json", "ledger.json"} < {file.name for file in files}
    # The study names the archive: only a report that left it out passes.
    assert "CANARY" in str(STUDY)
    assert not [file for file in files if b"CANARY" in file.read_bytes()]


def test_the_record_says_how_it_was_made(pack):
    record = read_json(pack / "record.json")
    assert record["command"] == "snakemake --cores 2"
    assert record["settings"]["training"]["lr"] == 1e-4
    assert record["versions"]["numpy"]
    assert record["rules"][0]["jobs"] == 3
    text = (pack / "report.md").read_text()
    for row in record["rules"]:
        named = (escaped(row["title"]), escaped(row["rule"]), row["jobs"])
        assert f"| {' | '.join(map(str, named))} |" in text


def test_rules_are_called_by_what_their_scripts_say_of_them():
    # A rule of an earlier version has left its times, and no script.
    assert title_of("of_an_earlier_version") == "of_an_earlier_version"
    rules = re.findall(
        r"^(?:rule|checkpoint) (\w+):$(?:\n(?:    .*)?)*?\n    script:\n        \"../scripts/(\w+)",
        "\n".join(path.read_text() for path in (SCRIPTS.parent / "rules").glob("*.smk")),
        re.MULTILINE,
    )
    assert len(rules) > 40
    for rule, script in rules:
        named = ast.get_docstring(ast.parse((SCRIPTS / f"{script}.py").read_text())).split("\n")[0]
        assert f" {rule}: " in named, f"{script}.py names its rule in its first line"
        assert title_of(rule).lower() + "." == named.partition(": ")[2].lower()


def test_grouping_by_accession_is_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pack = build(tmp_path, group_by="accession")
    text = (pack / "report.md").read_text()
    assert "Grouped by accession" in text
    assert "one patient may stand on both sides" in text
    assert "images of one exam are in one fold" in text
    assert "95% interval, over exams" in text and "### Per image, exam" in text
    assert "bootstrap over exams" in text.partition("## Methods")[2]
    assert "patients" not in text.replace("not patients", "")


def test_it_is_said_that_the_judging_part_chose_the_epoch(pack, tmp_path, monkeypatch):
    said = "on the validation part, which judges it too"
    text = " ".join((pack / "report.md").read_text().split())
    assert f"the one with the best quadratic kappa {said}" in text
    assert "A holdout (`folds.holdout`) or a fixed number of epochs" in text
    monkeypatch.chdir(tmp_path)
    run = make_run(tmp_path, 2, "AB", patients=20)
    (summary,) = run.paths()["summary"]
    # As it is when all folds kept their last epoch by decision.
    write_json(summary, read_json(summary) | {"selection": None})
    for history in run.paths()["histories"]:
        write_json(history, read_json(history) | {"ended": "stop_after"})
    figures = {}
    report_pack(STUDY, run.folds, figures, OUT)
    text = " ".join((tmp_path / OUT / "report.md").read_text().split())
    assert said not in text and "no epoch was chosen on the part that judges it" in text
    assert "| as fixed beforehand |" in text and "stop_after |" not in text


def test_one_fold_and_odd_class_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    odd = ["<=B|C", "*D*", "_e_"]
    pack = build(tmp_path, 1, odd, study=reporting(title="Density & <age>"))
    text = (pack / "index.html").read_text()
    assert "&lt;=B|C</td>" in text
    assert "*D*</td>" in text
    page = Page(text)
    assert page.untraced == []
    of_class = [title for _, title, _ in page.numbers if "per_class.<=B|C." in title]
    assert len(of_class) == 7
    assert "<title>Density &amp; &lt;age&gt;</title>" in text
    assert "±" not in text


def test_captions_of_snakemakes_report_are_those_of_the_page():
    text = (Path(__file__).parents[2] / "workflow" / "report" / "figure.rst").read_text()
    for name, entry in FIGURES.items():
        assert f'"{name}": "{entry.title}. {entry.caption}"' in text
