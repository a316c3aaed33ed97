"""The gallery of cases: what each case says, its picture, and a page that lets nothing out."""

import base64
import hashlib
import json
import re

import cv2
import numpy as np
import pytest

from foldwise.files import read_csv, read_json, write_csv
from foldwise.report import cases, render
from foldwise.report.templates import TEMPLATES
from made_masks import mask_images, mask_rows
from made_runs import make_run

CLASSES = {"classes": ["A", "B"]}
PARAMS = {"task": CLASSES, "image": {"channels": 1}}


@pytest.mark.parametrize(
    ("task", "row", "expected"),
    [
        (
            CLASSES,
            {"label": "A", "predicted": "B", "p_A": "0.25", "p_B": "0.75"},
            {"truth": ["A"], "predicted": ["B"], "confidence": 0.75, "error": 0.75},
        ),
        (
            {"zones": ["left", "right"]},
            {"label_left": "2", "predicted_left": "2", "p_left_2": "0.8"}
            | {"label_right": "", "predicted_right": "1", "p_right_1": "0.6"},
            {"truth": ["2", ""], "predicted": ["2", "1"], "confidence": 0.7, "error": 0.2},
        ),
        (
            {"zones": ["left", "right"]},
            {"label_left": "4", "predicted_left": "4", "p_left_4": "0.8"}
            | {"label_right": "1", "predicted_right": "4", "p_right_1": "0.3", "p_right_4": "0.6"},
            {"truth": ["unknown", "1"], "predicted": ["unknown", "unknown"]}
            | {"confidence": 0.7, "error": 0.45},
        ),
        (
            {"heads": {"z": ["CT", "MR"], "a": ["x"]}},
            {"label_z": "MR", "predicted_z": "MR", "p_z_MR": "0.9"}
            | {"label_a": "x", "predicted_a": "x", "p_a_x": "1"},
            {"truth": ["MR", "x"], "predicted": ["MR", "x"], "confidence": 0.95, "error": 0.05},
        ),
        (
            {"threshold": 0.5},
            {"jaccard": "0.7"},
            {"truth": [], "predicted": [], "confidence": None, "error": 0.3},
        ),
        (
            {"threshold": 0.5},
            {"jaccard": ""},
            {"truth": [], "predicted": [], "confidence": None, "error": None},
        ),
    ],
)
def test_a_case_of_each_kind(task, row, expected):
    found = cases.case_of({"sample": "s1", "fold": "2"} | row, cases.parts_of(task))
    assert found == {"sample": "s1", "fold": "2"} | expected


def test_every_validation_image_is_a_case_worst_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = make_run(tmp_path, 3, "AB", patients=20)
    found = read_json(run.results / "runs" / "cv" / "cases.json")
    rows = [row for path in run.paths()["predictions"] for row in read_csv(path)]
    assert {case["sample"] for case in found["cases"]} == {row["sample"] for row in rows}
    errors = [case["error"] for case in found["cases"]]
    assert errors == sorted(errors, reverse=True)
    assert found["images"] == found["shown"] == len(rows)
    # Keyed names alone: neither groups nor contents nor paths.
    keys = {"sample", "fold", "truth", "predicted", "confidence", "error", "subgroups"}
    assert {key for case in found["cases"] for key in case} == keys


def test_classes_have_names_of_every_kind_and_zones_that_no_one_could_judge_too(tmp_path):
    """Else the page's matrix and the legend of its embeddings call them 4."""
    rows = [
        {"sample": f"s{n}", "fold": 1, "label_left": n, "predicted_left": 4, f"p_left_{n}": 0.1}
        for n in (1, 4)
    ]
    names = ["sample", "fold", "label_left", "predicted_left", "p_left_1", "p_left_4"]
    write_csv(tmp_path / "p.csv", names, [dict.fromkeys(names, "") | row for row in rows])
    params = PARAMS | {"task": {"zones": ["left"]}}
    cases.write_cases(params, [tmp_path / "p.csv"], [], None, tmp_path / "cases.json")
    found = read_json(tmp_path / "cases.json")
    (part,) = found["parts"]
    assert part["classes"] == ["0", "1", "2", "3", "unknown"]
    assert part["counts"] == [["1", "unknown", 1], ["unknown", "unknown", 1]]
    answers = {(case["truth"][0], case["predicted"][0]) for case in found["cases"]}
    assert answers == {("1", "unknown"), ("unknown", "unknown")}


def test_of_very_many_the_worst_and_even_draws_of_the_others_are_kept_and_all_are_counted(tmp_path):
    many = 5 * cases.MOST
    rows = [
        {"sample": f"s{n}", "fold": 1, "label": "A", "predicted": "AB"[2 * n < many]}
        | {"p_A": n / many, "p_B": 0}
        for n in range(many)
    ]
    write_csv(tmp_path / "p.csv", list(rows[0]), rows)
    cases.write_cases(PARAMS, [tmp_path / "p.csv"], [], None, tmp_path / "cases.json")
    found = read_json(tmp_path / "cases.json")
    assert (found["images"], found["shown"]) == (many, cases.MOST)
    numbers = [int(case["sample"][1:]) for case in found["cases"]]
    half = cases.MOST // 2
    assert numbers[:half] == list(range(half))
    steps = np.diff(numbers[half:])
    assert numbers[-1] == many - 1 and steps.max() - steps.min() <= 1
    # What the page counts is no matter of the draw.
    assert found["parts"][0]["counts"] == [["A", "A", many // 2], ["A", "B", many // 2]]


def test_subgroups_are_columns_in_which_images_differ_and_no_ids(tmp_path):
    cohort = [
        {"sample": f"s{n}", "view": "CC", "side": "LR"[n % 2], "stratum": f"x{n}", "group": f"g{n}"}
        for n in range(30)
    ]
    rows = [{"sample": one["sample"], "fold": 1, "label": "A", "predicted": "A"} for one in cohort]
    write_csv(tmp_path / "p.csv", list(rows[0]), rows)
    cases.write_cases(PARAMS, [tmp_path / "p.csv"], cohort, None, tmp_path / "cases.json")
    found = read_json(tmp_path / "cases.json")
    # One view alone divides nothing, and thirty values name their images.
    assert found["subgroups"] == ["side"]
    assert {tuple(case["subgroups"]) for case in found["cases"]} == {("L",), ("R",)}


@pytest.mark.parametrize("missing", [{}, {"p_A": "", "p_B": ""}, {"p_A": "nan", "p_B": "nan"}])
def test_without_probabilities_there_are_cases_without_an_error(tmp_path, missing):
    row = {"sample": "s1", "fold": 1, "label": "A", "predicted": "B"} | missing
    write_csv(tmp_path / "p.csv", list(row), [row])
    cases.write_cases(PARAMS, [tmp_path / "p.csv"], [], None, tmp_path / "cases.json")
    (only,) = read_json(tmp_path / "cases.json")["cases"]
    assert (only["error"], only["confidence"], only["truth"]) == (None, None, ["A"])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_thumbnail_shows_the_picture_small(dtype, channels):
    down, _ = np.mgrid[:300, :200]
    level = down / 300 * np.iinfo(dtype).max
    planes = np.stack([level * share for share in (1, 0.5, 0)[:channels]]).astype(dtype)
    content = base64.b64decode(cases.encoded(planes))
    shown = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    assert shown.shape[:2] == (cases.SIDE, round(200 * cases.SIDE / 300))
    expected = cv2.resize(planes[0] / np.iinfo(dtype).max, shown.shape[1::-1]) * 255
    assert np.abs(shown[..., 0] - expected).mean() < 6
    # Red first, as the cache has it.
    assert shown[..., 2].mean() < shown[..., 0].mean() / 2 if channels == 3 else True


def test_pictures_are_of_their_own_sample(tmp_path):
    rows = mask_rows(4)
    images = mask_images(rows, 48)
    table = [{"sample": r["sample"], "fold": 1, "jaccard": f"0.{n}"} for n, r in enumerate(rows)]
    write_csv(tmp_path / "p.csv", list(table[0]), table)
    params = {"task": {"threshold": 0.5}, "image": {"channels": 1}}
    cases.write_cases(params, [tmp_path / "p.csv"], rows, images, tmp_path / "cases.json")
    for case in read_json(tmp_path / "cases.json")["cases"]:
        row = next(row for row in rows if row["sample"] == case["sample"])
        stored = images.pixels[images.where[row["content"]], 0]
        shown = cv2.imdecode(np.frombuffer(base64.b64decode(case["picture"]), np.uint8), 0)
        assert np.abs(shown.astype(int) - stored).mean() < 8


def test_the_page_lets_nothing_out_and_its_one_script_is_the_one_in_the_file(tmp_path):
    odd = '</script><img src=x onerror="alert(1)">\n"'
    values = {"n_images": 1, "n_shown": 1, "some": False, "embedded": {"cases": {"name": odd}}}
    page = render.page([("cases", values)], "Title", {}, tmp_path)
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)[1]
    assert policy.startswith("default-src 'none'; img-src data:;")
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    parts = [path.read_text(encoding="utf-8") for path in (TEMPLATES / "explorer").glob("*.js")]
    assert len(parts) > 1 and len(script) == sum(map(len, parts))
    assert all(part in script for part in parts)
    (data,) = re.findall(r'<script type="application/json" id="data-cases">(.*?)</script>', page)
    assert json.loads(data) == {"name": odd} and "<img" not in page
    # Text is set as text, and no request is made.
    for forbidden in ("innerHTML", "insertAdjacentHTML", "fetch(", "XMLHttp", "import", "eval("):
        assert forbidden not in script


def test_a_page_without_cases_has_no_script(tmp_path):
    page = render.page([], "Title", {}, tmp_path)
    assert "<script" not in page
