"""A page with all that a reader can explore, of made-up answers: classes whose names are markup."""

import numpy as np

from foldwise.files import read_json, write_csv
from foldwise.report import render
from foldwise.report.cases import Extras, write_cases
from foldwise.report.explorer.overlays import GRADCAM, area
from foldwise.report.explorer.thresholds import write_operating_points
from foldwise.report.explorer.trials import explored
from made_masks import mask_images, mask_rows

# Names that would be markup, or end a script, if text were not set as text.
CLASSES = ["plain", '</script><b onclick="x">"\nsecond line']
CASES = 90
OTHERS = ("thresholds", "embeddings", "trials")
TRIALS = explored(
    [
        {"trial": "trial_0001", "state": "COMPLETE", "kappa": "0.7", "lr": "0.01", "loss": "focal"},
        {"trial": "trial_0000", "state": "COMPLETE", "kappa": "0.5", "lr": "0.1", "loss": "ce"},
        {"trial": "trial_0002", "state": "PRUNED", "kappa": "", "lr": "0.001", "loss": ""},
    ],
    [
        {"trial": f"trial_000{n}", "fold": fold, "epoch": epoch, "kappa": n / 10 + epoch / 20}
        for n in range(3)
        for fold in (1, 2)
        for epoch in range(1, 5 - n)
    ],
    [{"metric": "kappa", "direction": "maximize"}],
    ["lr", "loss"],
    {"lr": {"log": True}},
)
CELLS = ["0.9", "–", "<data value='1200'>1,200</data>", "11"]
TABLE = "<div class='wide'><table id='t'><thead><tr><th>Value</th></tr></thead><tbody>"
TABLE += "".join(f"<tr><td>{cell}</td></tr>" for cell in CELLS) + "</tbody></table></div>"


# As of a study with `data.columns.subgroups`; the site Canary has two patients.
AGES = ["below 50", "50 to below 65", "65 and above"]
SITES = ["North", "Canary", "South"]
FEW = {"Canary"}
LEAST = 5
JUDGED = {
    "least": LEAST,
    "columns": [
        {"column": name, "levels": [{"level": one, "few": one in FEW} for one in levels]}
        for name, levels in (("age", AGES), ("site", SITES), ("who", []))
    ],
}


def subgroups_of(rows):
    """subgroups.csv of these rows: three bands of age, two sites and two patients of a third."""
    numbers = {row["sample"]: int(row["group"][1:]) for row in rows}
    return [
        {"sample": sample, "age": AGES[number % 3]}
        | {"site": "Canary" if number in (3, 7) else SITES[2 * (number // 3 % 2)]}
        for sample, number in numbers.items()
    ]


def explored_page(folder):
    """Write index.html with all that the page lets a reader explore; its path."""
    cohort = mask_rows(CASES)
    rows = []
    for number, one in enumerate(cohort):
        truth, answer = CLASSES[number % 2], CLASSES[number % 3 == 0]
        p_second = 0.5 + (number + 1) / 400 if answer == CLASSES[1] else 0.5 - (number + 1) / 400
        row = {"sample": one["sample"], "group": f"g{number // 2}"}
        row |= {"fold": number % 3 + 1, "label": truth, "predicted": answer}
        rows.append(row | {f"p_{CLASSES[0]}": 1 - p_second, f"p_{CLASSES[1]}": p_second})
        one["side"] = "LR"[number % 5 == 0]
    maps = {cohort[3]["sample"]: {"Grad-CAM": area(np.eye(64, dtype=np.uint8) * 255, GRADCAM)}}
    extras = Extras(maps, subgroups_of(rows), JUDGED)
    return page_of(folder, rows, cohort, mask_images(cohort, 64), extras)


def page_of(folder, rows, cohort=(), images=None, extras=None, trials=TRIALS):
    """Write index.html of these rows of predictions; its path."""
    table, out, points = folder / "p.csv", folder / "cases.json", folder / "points.json"
    write_csv(table, list(rows[0]), rows)
    params = {"task": {"classes": CLASSES}, "image": {"channels": 1}, "seed": 1}
    write_cases(params, [table], cohort, images, out, extras)
    write_operating_points(params, [table], points)
    cases = read_json(out)
    values = {"n_images": len(rows), "n_shown": len(rows), "some": False}
    values["embedded"] = {"cases": cases, "operating_points": read_json(points)}
    values["embedded"] |= {"projections": projected(rows, cases), "trials": trials}
    text = render.page([("cases", values)], "Title", {}, folder)
    holders = "".join(f"<div id='explore-{name}' class='explore'></div>" for name in OTHERS)
    text = text.replace("<main>", f"<main>{TABLE}").replace("</main>", f"{holders}</main>")
    (folder / "index.html").write_text(text, encoding="utf-8")
    return folder / "index.html"


def projected(rows, cases):
    """Two folds of points on a line, in the order of their numbers, as the section gives them."""
    place = {case["sample"]: i for i, case in enumerate(cases["cases"])}
    folds = []
    for k in sorted({row["fold"] for row in rows})[:2]:
        samples = [row["sample"] for row in rows if row["fold"] == k]
        line = [[2 * i / len(samples) - 1, 0.5] for i in range(len(samples))]
        points = {"PCA": line, "UMAP": [[-x, y] for x, y in line]}
        at = [place[sample] for sample in samples]
        folds.append({"fold": k, "explained": [0.5, 0.25], "cases": at, "points": points})
    return {"methods": ["PCA", "UMAP"], "folds": folds}
