"""Captions, findings and histories for made-up cases, put together from phrases.

A caption names an organ about half of the time, a history hints at the place, the modality is
seldom named: a reader of the text alone is often, but not always, right about the place.
"""

import numpy as np

ORGANS = {
    "Head": (
        "left temporal lobe",
        "cerebellum",
        "lateral ventricle",
        "frontal cortex",
        "skull base",
    ),
    "Thorax": ("right upper lobe", "left hilum", "pericardium", "lingula", "aortic arch"),
    "Abdomen": ("right lobe of the liver", "spleen", "pancreatic tail", "left kidney", "mesentery"),
    "Reproductive and Urinary System": (
        "bladder wall",
        "prostate",
        "left ureter",
        "uterus",
        "ovary",
    ),
    "Spine and Muscles": ("L4 vertebral body", "C5 disc", "psoas muscle", "sacrum", "facet joint"),
}
COMPLAINTS = {
    "Head": ("headache", "seizures", "double vision", "confusion"),
    "Thorax": ("cough", "shortness of breath", "chest pain", "hemoptysis"),
    "Abdomen": ("abdominal pain", "jaundice", "vomiting", "early satiety"),
    "Reproductive and Urinary System": ("hematuria", "pelvic pain", "dysuria", "infertility"),
    "Spine and Muscles": ("back pain", "weakness of the legs", "numbness", "a fall"),
}
VAGUE_PLACES = ("area of interest", "marked region", "arrowed structure", "centre of the picture")
VAGUE_COMPLAINTS = ("weight loss", "fever", "fatigue", "follow up", "an incidental finding")
LESIONS = ("mass", "cyst", "nodule", "enhancing lesion", "fluid collection")
NORMALS = ("no abnormality", "normal appearance", "no focal lesion")
EDGES = ("well circumscribed", "ill defined", "lobulated", "smoothly marginated", "rounded")
SCANS = {"CT": "on CT", "MR": "on MR"}


def caption(rng: np.random.Generator, modality: str, location: str, lesion: bool) -> str:
    """One sentence about one picture; it names the modality one time in eight."""
    place = _pick(rng, ORGANS[location] if rng.uniform() < 0.5 else VAGUE_PLACES)
    if lesion:
        size_mm = int(rng.integers(6, 48))
        sentence = f"{_pick(rng, EDGES)} {_pick(rng, LESIONS)} of {size_mm} mm in the {place}"
    else:
        sentence = f"{_pick(rng, NORMALS)} of the {place}"
    scan = f" {SCANS[modality]}" if rng.uniform() < 0.125 else ""
    return f"{sentence[0].upper()}{sentence[1:]}{scan}."


def findings(rng: np.random.Generator, location: str, lesion: bool) -> str:
    """Two sentences about a whole case."""
    places = rng.choice(ORGANS[location], 2, replace=False)
    place = places[0] if rng.uniform() < 0.6 else _pick(rng, VAGUE_PLACES)
    first = f"{_pick(rng, LESIONS)} near the {place}" if lesion else _pick(rng, NORMALS)
    second = f"The {places[1]} is unremarkable." if rng.uniform() < 0.4 else "No other finding."
    return f"{first[0].upper()}{first[1:]}. {second}"


def history(rng: np.random.Generator, location: str, age: int, sex: str) -> str:
    """One sentence about the patient."""
    own = rng.uniform() < 0.6
    complaint = _pick(rng, COMPLAINTS[location] if own else VAGUE_COMPLAINTS)
    return f"{age}-year-old {'man' if sex == 'male' else 'woman'} with {complaint}."


def _pick(rng: np.random.Generator, words: tuple[str, ...]) -> str:
    return str(words[int(rng.integers(len(words)))])
