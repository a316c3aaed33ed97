"""Encoders of a study of images and texts, checked by their files before any job starts.

Training would find out after all images were decoded, on a machine that may have no network. Only
small JSON files are read here; the libraries that load the encoders are not imported. Standard
library only.
"""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from foldwise import registry
from foldwise.search.read_space import parse_space
from foldwise.search.space import combinations, size
from foldwise.settings.changes import override
from foldwise.settings.study import RUN_BRANCHES
from foldwise.settings.teachers import PREFIX, split

TOKENIZERS = ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "spiece.model")
WEIGHTS = ("model.safetensors", "pytorch_model.bin", "model.safetensors.index.json")
# What jobs import to load encoders and tokenizers, 5 CPU seconds: their parent does it once. The
# two classes are those of most studies' encoders; others load when asked for.
LIBRARIES = (
    "transformers.models.auto.tokenization_auto",
    "transformers.models.auto.modeling_auto",
    "transformers.models.bert.modeling_bert",
    "transformers.models.vit.modeling_vit",
)
MAKE = "`python workflow/scripts/make_encoders.py {study}` makes small ones from the study's texts"


# Settings of a model that say which files an encoder needs, and how many tokens it is given.
OF_FILES = tuple(f"model.{one}" for one in ("text.name", "text.weights", "text.max_tokens"))
OF_FILES += ("model.vision.name", "model.vision.weights")


def models_of(study: dict[str, Any]) -> list[dict[str, Any]]:
    """The branch `model` of each run that reads texts, those that a search may ask for included."""
    kept = {key: study[key] for key in RUN_BRANCHES}
    by_run = {run: override(kept, of, run)["model"] for run, of in study["runs"].items()}
    teacher = study["training"].get("teacher")
    models = list(by_run.values())
    for own, of_teacher in map(split, _searched(study)):
        models += [override(kept, own, "search.space")["model"]] if own else []
        if of_teacher and teacher in by_run:
            models.append(override({"model": by_run[teacher]}, of_teacher, "search.space")["model"])
    return [model for model in models if model["name"] in registry.VISION_TEXT]


def _searched(study: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What a search may set of OF_FILES, of the student and of its teacher, each choice once."""
    raw = (study.get("search") or {}).get("space")
    space = parse_space(raw) if raw else ()
    wanted = {one.key for one in space if one.key.removeprefix(PREFIX) in OF_FILES}
    # With what switches them on, as `when` says: a choice that no trial may make is not checked.
    parents = {parent for one in space if one.key in wanted for parent in one.when}
    part = tuple(one for one in space if one.key in wanted | parents)
    if wanted and size(part) is not None:
        for chosen in combinations(part):
            yield {key: value for key, value in chosen.items() if key in wanted}


def libraries(studies: Iterable[dict[str, Any]]) -> tuple[str, ...]:
    """What jobs of these studies import to load encoders; nothing where no run reads texts."""
    return LIBRARIES if any(models_of(study) for study in studies) else ()


def encoders(study: dict[str, Any]) -> Iterator[str]:
    """What is wrong with the encoders of any run or trial, each told once."""
    reported = set()
    for model in models_of(study):
        for problem in (*_text(model["text"]), *_vision(model["vision"], study["image"])):
            if problem not in reported:
                reported.add(problem)
                yield f"{problem} {MAKE.format(study=study['name'])}."


def encoders_to_fetch(study: dict[str, Any]) -> Iterator[str]:
    """Encoders of the hub that a job would have to download: compute nodes are often offline."""
    names = {}
    for model in models_of(study):
        names |= {model["text"]["name"]: "AutoTokenizer, m.AutoModel"}
        if not registry.has("VISION", model["vision"]["name"]):
            names.setdefault(model["vision"]["name"], "AutoModel")
    for name, kinds in names.items():
        # A warning, not a refusal: this machine may well have a network.
        if not _as_path(name) and folder_of(name) is None:
            each = f"[k.from_pretrained('{name}') for k in (m.{kinds},)]"
            yield (
                f"Study {study['name']}: the encoder {name} is not on this machine yet. Fetch it "
                f'here once, with `python -c "import transformers as m; {each}"`; where no hub '
                f"can be reached, {MAKE.format(study=study['name'])}."
            )


def folder_of(name: str) -> Path | None:
    """The folder with an encoder's files: its own, or the hub's cache of this machine."""
    if Path(name).is_dir():
        return Path(name)
    # As huggingface_hub looks for it, without importing that.
    home = os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface"
    cache = Path(os.environ.get("HF_HUB_CACHE") or Path(home, "hub"))
    # The hub's own layout of its cache.
    snapshots = cache.glob(f"models--{name.replace('/', '--')}/snapshots/*/config.json")
    return next((path.parent for path in snapshots), None)


def _as_path(name: str) -> bool:
    """Whether a name is written as a path, or is one: what is not there is no name of the hub."""
    return name.startswith((".", "/", "~")) or name.count("/") > 1 or Path(name).is_dir()


def _text(text: dict[str, Any]) -> Iterator[str]:
    """Files, tokenizer and length of a text encoder."""
    key, name = "model.text.name", text["name"]
    yield from _files(key, text, TOKENIZERS)
    folder = folder_of(name)
    config = _read(folder, "config.json")
    longest = config.get("max_position_embeddings")
    # Beyond its table of positions a model fails, on a GPU with a message that says nothing.
    if longest and text["max_tokens"] > longest:
        yield (
            f"model.text.max_tokens: {text['max_tokens']}, but the model in {name} reads {longest} "
            f"tokens at the most. Set it to {longest} or less."
        )
    words = _read(folder, "tokenizer.json").get("model") or {}
    words = words.get("vocab") or ()
    if config.get("vocab_size") and len(words) > config["vocab_size"]:
        yield (
            f"{key}: the tokenizer in {name} knows {len(words)} tokens and the model "
            f"{config['vocab_size']}. Save both from one model, or make both anew:"
        )


def _vision(vision: dict[str, Any], image: dict[str, Any]) -> Iterator[str]:
    """Files and channels of an image encoder that is none of the built-in networks."""
    if registry.has("VISION", vision["name"]):
        return
    yield from _files("model.vision.name", vision, ())
    channels = _read(folder_of(vision["name"]), "config.json").get("num_channels")
    # Grey pictures are repeated to as many planes as the encoder takes.
    if channels and image["channels"] not in (1, channels):
        yield (
            f"image.channels: {image['channels']}, but the model in {vision['name']} takes "
            f"{channels}. Set image.channels to 1 or {channels}."
        )


def _files(key: str, encoder: dict[str, Any], tokenizers: tuple[str, ...]) -> Iterator[str]:
    """What a folder of an encoder lacks; nothing for a hub's name that is not fetched yet."""
    name, folder = encoder["name"], folder_of(encoder["name"])
    if folder is None:
        if _as_path(name):
            yield f"{key}: no folder {name}. Correct the path, or make one:"
        return
    lacking = [] if _read(folder, "config.json") else ["a config.json that can be read"]
    if tokenizers and not any((folder / one).is_file() for one in tokenizers):
        lacking.append(f"a tokenizer ({tokenizers[0]})")
    if encoder["weights"] == "pretrained" and not any((folder / one).is_file() for one in WEIGHTS):
        lacking.append(f"weights ({WEIGHTS[0]})")
    if lacking:
        yield (
            f"{key}: the folder {name} lacks {' and '.join(lacking)}. Name one that "
            "save_pretrained of model and tokenizer wrote into, or make one:"
        )


def _read(folder: Path | None, name: str) -> dict[str, Any]:
    """A JSON file of an encoder; empty where there is none that can be read."""
    try:
        content = json.loads(Path(folder or "", name).read_text(encoding="utf-8")) if folder else {}
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
