"""The run record: the data's hash, the state of the code, and the times of the jobs."""

import subprocess

from foldwise.files import write_csv, write_text
from foldwise.report.record import data_hash, git_state, rules


def test_the_data_hash_ignores_random_names_and_order(tmp_path):
    rows = [
        {"sample": f"s{i}", "group": f"g{i // 2}", "content": f"c{i}", "label": "A"}
        for i in range(6)
    ]

    def hashed(rows):
        write_csv(tmp_path / "cohort.csv", list(rows[0]), rows)
        return data_hash(tmp_path / "cohort.csv")

    first = hashed(rows)
    renamed = [row | {"sample": row["sample"] * 2, "group": "x" + row["group"]} for row in rows]
    assert hashed(renamed[::-1]) == first
    assert hashed([rows[0] | {"label": "B"}, *rows[1:]]) != first
    assert hashed([rows[0] | {"group": "g2"}, *rows[1:]]) != first


def git(folder, *arguments):
    name = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run(["git", "-C", folder, *name, *arguments], check=True, capture_output=True)


def test_uncommitted_changes_are_seen(tmp_path):
    assert git_state(tmp_path) == {}
    git(tmp_path, "init")
    (tmp_path / "a").write_text("1")
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "-m", "one")
    assert git_state(tmp_path)["dirty"] is False
    (tmp_path / "a").write_text("2")
    assert git_state(tmp_path)["dirty"] is True


def test_edited_settings_are_no_edited_code(tmp_path):
    for name in ("config/config.yaml", "profiles/default/config.yaml", "workflow/code.py"):
        write_text(tmp_path / name, "1")
    git(tmp_path, "init")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "one")
    clean = git_state(tmp_path / "workflow")
    assert (clean["dirty"], clean["settings_dirty"]) == (False, False)
    # As the README says: everyone names his studies here.
    write_text(tmp_path / "config/config.yaml", "2")
    edited = git_state(tmp_path / "workflow")
    assert (edited["dirty"], edited["settings_dirty"]) == (False, True)
    write_text(tmp_path / "workflow/code.py", "2")
    assert git_state(tmp_path / "workflow")["dirty"] is True


def test_times_of_jobs_that_ended_too_soon_to_be_measured(tmp_path):
    (tmp_path / "cohort.tsv").write_text("s\tmax_rss\n0.5\tNA\n")
    title = "Archive and table joined into samples, with what is unusable named"
    assert rules(tmp_path, "cv") == [
        {"rule": "cohort", "title": title, "jobs": 1, "seconds": 0.5, "max_rss_mb": None}
    ]


def test_times_are_those_of_rules(tmp_path):
    for name in ("folds.tsv", "figure/roc.tsv", "figure/flow.tsv", "cv/train_fold/fold_1.tsv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("s\tmax_rss\n2\t10\n")
    found = {row["rule"]: (row["jobs"], row["seconds"]) for row in rules(tmp_path, "cv")}
    assert found == {"train_fold": (1, 2.0), "figure": (2, 4.0), "folds": (1, 2.0)}


def test_times_of_other_runs_are_left_out(tmp_path):
    for run in ("cv", "tuned"):
        (tmp_path / run / "train_fold").mkdir(parents=True)
        (tmp_path / run / "train_fold" / "fold_1.tsv").write_text("s\tmax_rss\n3\t10\n")
    assert rules(tmp_path, "cv", {"tuned"})[0]["jobs"] == 1
