"""docs/add_a_study.md, followed word by word: a new kind of study stands and learns."""

import csv
import re

import cv2
import numpy as np
import yaml

from flow import ROOT, copy_project, plan, run
from foldwise.files import read_csv, read_json

STEP = re.compile(
    r"^(?:Write `(?P<write>[^`]+)`"
    r"|In `(?P<file>[^`]+)`, (?P<how>after|before) the line `(?P<line>[^`]+)`, put"
    r"|In `(?P<edit>[^`]+)`, replace `(?P<old>[^`]+)`[^\n]* by)"
    r":\n\n```\w+\n(?P<text>.*?)^```",
    re.MULTILINE | re.DOTALL,
)


def follow(page, root):
    """Carry out every step of the page in a copy of the project; returns how many there were."""
    steps = list(STEP.finditer(page))
    for step in steps:
        if step["write"]:
            path = root / step["write"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step["text"])
        elif step["file"]:
            path, line = root / step["file"], step["line"] + "\n"
            text = path.read_text()
            assert text.count("\n" + line) == 1, f"{path.name} has no single line {line!r}"
            new = line + step["text"] if step["how"] == "after" else step["text"] + line
            path.write_text(text.replace("\n" + line, "\n" + new))
        else:
            path = root / step["edit"]
            text = path.read_text()
            place = text.index(step["old"], text.index("enum:"))
            path.write_text(text[:place] + step["text"].strip() + text[place + len(step["old"]) :])
    return len(steps)


def make_pictures(folder):
    """Thirty patients with one picture each; the older, the brighter."""
    folder.mkdir()
    random = np.random.default_rng(5)
    with open(folder / "ages.csv", "w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["file", "age", "patient"])
        for number, age in enumerate(random.integers(20, 90, 30)):
            picture = random.normal(age * 2, 10, (40, 40)).clip(1, 250)
            picture[0, 0], picture[0, 1] = 0, 255
            cv2.imwrite(str(folder / f"{number}.png"), picture.astype(np.uint8))
            writer.writerow([f"{number}.png", age, f"P{number}"])


def test_the_page_adds_a_kind_of_study(tmp_path):
    root = copy_project(tmp_path)
    page = (ROOT / "docs" / "add_a_study.md").read_text()
    assert follow(page, root) == page.count("\n```\n")
    make_pictures(root / "pictures")
    (root / "config" / "config.yaml").write_text(yaml.safe_dump({"studies": ["age"]}))
    run(root, root=root)
    summary = read_json(root / "results/age/runs/cv/cv_summary.json")
    assert len(summary["folds"]) == 3
    ages = [float(row["age"]) for row in read_csv(root / "pictures" / "ages.csv")]
    spread = np.abs(np.array(ages) - np.mean(ages)).mean()
    assert summary["mae"]["mean"] < spread
    assert (root / "results/age/report/index.html").exists()
    assert plan(root, root=root) == set()
