"""Files made from others: config/README.md from the schemas, envs/ and containers/ from the lock.

`make docs` writes them; a test says when one is out of step.
"""

import json
import re
from pathlib import Path

from foldwise.errors import FoldwiseError
from foldwise.report.entries import FIGURES
from foldwise.settings.schema import schema
from foldwise.settings.unions import Union, union_of
from tools.containers import recipes

ROOT = Path(__file__).parents[1]

# Packages named by each conda environment; versions come from the lock file.
ENVIRONMENTS = {
    "data": [
        "numpy", "scipy", "pydicom", "imagecodecs", "pylibjpeg-openjpeg", "pyjpegls",
        "opencv-python-headless", "pillow", "nibabel", "scikit-learn", "openpyxl", "pyyaml",
        "jsonschema",
    ],
    "train": [
        "numpy", "scipy", "torch", "torchvision", "scikit-learn", "opencv-python-headless",
        "transformers", "optuna", "cmaes", "tensorboard", "pyyaml", "jsonschema",
    ],
    "report": [
        "numpy", "scipy", "pandas", "scikit-learn", "matplotlib", "seaborn", "jinja2",
        "markdown-it-py", "pypandoc-binary", "typst", "rocrate", "optuna", "cmaes", "plotly",
        "pyyaml", "jsonschema",
    ],
    "bundle": [
        "numpy", "scipy", "pandas", "torch", "torchvision", "safetensors", "onnx", "onnxscript",
        "onnxruntime", "scikit-learn", "opencv-python-headless", "transformers", "matplotlib",
        "jinja2", "markdown-it-py", "statsmodels", "pyyaml", "jsonschema",
    ],
    "gradcam": [
        "numpy", "torch", "torchvision", "pillow", "matplotlib",
        "opencv-python-headless", "scikit-learn", "transformers", "pyyaml", "jsonschema",
    ],
}  # fmt: skip

# The predecessor's command line, for those who come from there.
OLD_FLAGS = [
    ("--csv", "data.table.path"),
    ("--dicom-root", "data.root"),
    ("--outdir", "`results/<study>`; run snakemake with `--directory` to have it elsewhere"),
    ("--epochs", "training.epochs"),
    ("--batch-size", "training.batch_size"),
    ("--img-size", "image.size"),
    ("--class-weights", "loss.class_weights"),
    ("--warmup-epochs", "training.head_only_epochs"),
    ("--embeddings-dir", "model.embeddings"),
    ("--cv-folds", "folds.n (1: a single split, 15 % validated)"),
    ("--cv-outdir", "`results/<study>/runs/cv`, always"),
    ("--seed", "seed"),
    ("--cache-mode", "none: every image is decoded once into `results/cache`, for all studies"),
    ("--subset", "data.subset (groups, not rows)"),
    ("--lr", "training.lr"),
    ("--backbone-lr", "training.backbone_lr"),
    ("--ray-logdir", "`results/<study>/runs/<run>/fold_<k>/results/ray_<run>.jsonl`, always"),
    ("--ray-trial-name", "none: the run's name stands in that file"),
    ("--optuna-trial-id", "none: the run's name; each fold has an `optuna_trial.json`"),
    (
        "report-pack --run",
        "`snakemake pack --config run=<run>`; of report.run, `snakemake` makes it",
    ),
    ("report-pack --assets-dir", "`results/<study>/report`, always"),
    ("--train-augment", "augment (all zero: no augmentation)"),
]

HEADER = """# Settings

Made from `workflow/schemas` by `make docs`; edit the schemas, not this file.

`config/config.yaml` names the studies to run. Each study is a file `config/studies/<name>.yaml`
(lower-case letters, digits and `_`), and all paths in it are relative to the folder in which
`snakemake` is run. Keys that are left out take the default given here. A key that is not listed
here is an error that names the nearest known key. Numbers may be written as `1e-4`.
"""


def config_readme() -> str:
    """The text of config/README.md: every key with type, default, unit and meaning."""
    parts = [HEADER]
    for name, title in (("config", "config/config.yaml"), ("study", "config/studies/<name>.yaml")):
        parts.append(f"## {title}\n\n{schema(name)['description']}\n")
        parts += [f"| {' | '.join(columns)} |" for columns in _table(schema(name))]
        parts.append("")
    parts.append("## Coming from the density command line\n")
    parts += ["| Option there | Key here |", "| --- | --- |"]
    parts += [f"| `{flag}` | {_key(key)} |" for flag, key in OLD_FLAGS]
    return "\n".join(parts) + "\n"


def _key(text: str) -> str:
    return f"`{text}`" if re.fullmatch(r"[a-z_.]+", text) else text


def _table(part: dict) -> list[list[str]]:
    header = ["Key", "Type", "Default", "Unit", "Meaning"]
    return [header, ["---"] * len(header), *_rows(part, "")]


def _rows(part: dict, prefix: str) -> list[list[str]]:
    rows, union = [], union_of(part, prefix.rstrip("."))
    for key, inner in part.get("properties", {}).items():
        if union and key == union.chooser:
            inner = inner | {"enum": list(union.choices)}
        name = prefix + key
        meaning = " ".join(inner.get("description", inner.get("title", "")).split())
        required = key in part.get("required", [])
        default = "**required**" if required else _default(inner)
        rows.append([f"`{name}`", _type(inner), default, inner.get("unit", ""), meaning])
        rows += _rows(inner, f"{name}.")
        if "properties" in inner.get("items", {}):
            rows += _rows(inner["items"], f"{name}[].")
    rows += _choices(union, prefix) if union else []
    return [[cell.replace("|", "\\|") for cell in row] for row in rows]


def _choices(union: Union, prefix: str) -> list[list[str]]:
    """Rows of the keys that some choices of a union read: one for each meaning of a key."""
    readers: dict[str, list[str]] = {}
    meanings = {}
    for choice, keys in union.choices.items():
        for key, inner in keys.items():
            mark = json.dumps([key, inner], sort_keys=True)
            readers.setdefault(mark, []).append(choice)
            meanings[mark] = (key, inner)
    rows = []
    for mark, (key, inner) in sorted(meanings.items(), key=lambda one: union.keys.index(one[1][0])):
        whom = f"With {union.chooser} {', '.join(readers[mark])}: {inner['description']}"
        rows += _rows({"properties": {key: inner | {"description": whom}}}, prefix)
    return rows


def _default(part: dict) -> str:
    if "default" not in part or part["default"] == {}:
        return ""
    return f"`{json.dumps(part['default'])}`"


def _type(part: dict) -> str:
    if "enum" in part:
        return ", ".join(f"`{json.dumps(option).strip(chr(34))}`" for option in part["enum"])
    if "const" in part:
        return f"`{part['const']}`"
    if "oneOf" in part:
        return " or ".join(_type(option) for option in part["oneOf"])
    kinds = part.get("type", "any")
    text = kinds if isinstance(kinds, str) else " or ".join(kinds)
    low = part.get("minimum", part.get("exclusiveMinimum"))
    high = part.get("maximum", part.get("exclusiveMaximum"))
    if low is not None and high is not None:
        return f"{text}, {low} to {high}"
    if low is not None:
        return f"{text}, {'above' if 'exclusiveMinimum' in part else 'at least'} {low}"
    return text


def environment(name: str) -> str:
    """The text of envs/<name>.yaml, pinned as in requirements.lock."""
    pins = locked(ROOT / "requirements.lock")
    lines = [
        f"# Rules of the stage {name} under `snakemake --sdm conda`.",
        "# Made by `make docs` from requirements.lock.",
        "channels: [conda-forge, nodefaults]",
        "dependencies:",
        "  - python =3.12",
        "  - pip",
        "  - pip:",
    ]
    return (
        "\n".join(lines + [f"      - {package}=={pins[package]}" for package in ENVIRONMENTS[name]])
        + "\n"
    )


def locked(path: Path) -> dict[str, str]:
    """Package to version in a lock file; of versions by Python version the newest Python's."""
    pins = {}
    for line in path.read_text().splitlines():
        if match := re.match(r"([A-Za-z0-9_.-]+)==([^\s;]+)", line):
            pins[match[1].lower()] = match[2]
    if not pins:
        raise FoldwiseError(f"{path}: no pinned package in it. Make it anew with `make lock`.")
    return pins


def captions() -> str:
    """Captions of Snakemake's own report: those of the page, by the name of the figure."""
    entries = {name: f"{one.title}. {one.caption}" for name, one in FIGURES.items()}
    lines = [f"  {json.dumps(name)}: {json.dumps(text)}," for name, text in entries.items()]
    table = "\n".join(["{% set captions = {", *lines, "} %}"])
    return f"{table}\n{{{{ captions[snakemake.wildcards.figure] }}}}\n"


def made_files() -> dict[Path, str]:
    """All files made from others, with the text each should have."""
    files = {ROOT / "config" / "README.md": config_readme()}
    files[ROOT / "workflow" / "report" / "figure.rst"] = captions()
    files |= recipes()
    return files | {ROOT / "envs" / f"{name}.yaml": environment(name) for name in ENVIRONMENTS}
