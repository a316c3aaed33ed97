"""Words and pixels by logistic regression: as scikit-learn's own pipeline, with classes missing."""

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from foldwise.baselines.texts import logistic_pixels, logistic_text, logistic_text_pixels
from foldwise.registry import BASELINES
from foldwise.settings.kinds import KINDS

PARAMS = {"image": {"channels": 1}}
HEADS = {"modality": ["CT", "MR", "US"], "place": ["head", "chest"]}


class Images:
    """Eight pictures, dark where the modality is CT."""

    shape, dtype = (1, 16, 16), np.dtype(np.uint8)

    def __init__(self, rows):
        self.rows = rows

    def places(self, rows):
        return np.array([row["place_in_cache"] for row in rows])

    def inside(self, places):
        return np.tile([0, 16, 0, 16], (len(places), 1))

    def take(self, places, out):
        for i, place in enumerate(places):
            random = np.random.default_rng(int(place))
            out[i] = random.integers(0, 60, (1, 16, 16)) + (100 if place % 2 else 0)


def rows(start, n):
    made = []
    for i in range(start, start + n):
        word = "slice through the" if i % 2 == 0 else "weighted image of the"
        place = "head" if i % 3 else "chest"
        texts = {"caption": f"{word} {place}", "more": ""}
        made.append({"place_in_cache": i, "texts": texts, "modality": i % 2, "place": i % 3 > 0})
    return made


TASK = SimpleNamespace(
    heads=HEADS, labels=lambda head, rows: np.array([int(row[head]) for row in rows])
)
TRAIN, VAL = rows(0, 40), rows(40, 12)
ALL = [logistic_text, logistic_pixels, logistic_text_pixels]


def outputs(method, train=TRAIN, val=VAL):
    return method(PARAMS, TASK, Images(train + val), train, val)


def test_words_are_weighed_as_scikit_learn_does():
    model = make_pipeline(
        TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2)),
        LogisticRegression(max_iter=2000, C=10),
    )
    words = [[row["texts"]["caption"] for row in part] for part in (TRAIN, VAL)]
    model.fit(words[0], [row["modality"] for row in TRAIN])
    found = outputs(logistic_text)["p_modality"]
    assert found[:, :2] == pytest.approx(model.predict_proba(words[1]))
    # No ultrasound in the training part.
    assert (found[:, 2] == 0).all()


@pytest.mark.parametrize("method", ALL)
def test_each_learns_and_gives_probabilities(method):
    found = outputs(method)
    truth = [row["modality"] for row in VAL]
    assert (found["p_modality"].argmax(axis=1) == truth).mean() > 0.9
    for head, names in HEADS.items():
        assert found[f"p_{head}"].shape == (len(VAL), len(names))
        assert found[f"p_{head}"].sum(axis=1) == pytest.approx(1)


def test_without_words_or_with_one_class_there_are_still_answers():
    bare = [row | {"texts": {}} for row in TRAIN]
    share = np.mean([row["place"] for row in bare])
    found = outputs(logistic_text, train=bare)["p_place"]
    assert found[:, 1] == pytest.approx(share, abs=0.01)
    one = [row | {"place": 1} for row in TRAIN]
    assert (outputs(logistic_text, train=one)["p_place"][:, 1] == 1).all()


def test_studies_of_images_and_texts_are_compared_with_them():
    named = KINDS["distillation"].baselines
    assert set(named) == {one.__name__ for one in ALL} <= set(BASELINES)
