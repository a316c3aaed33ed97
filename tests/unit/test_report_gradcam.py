"""A signal is planted in one quarter of the picture: the map has to point there."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from foldwise.files import read_json
from foldwise.registry import load
from foldwise.report.cam.films import choose_films
from foldwise.report.cam.gradcam import gradcam, gradcam_fold, output_of
from foldwise.report.cam.overlay import overlay
from foldwise.train.sealed import save_sealed
from training import make_job

SIZE, RADIUS, CLASSES = 64, 6, ["A", "B"]
PARAMS = {
    "seed": 3,
    "image": {"channels": 1, "size": SIZE},
    "model": {
        "name": "small_resnet",
        "weights": None,
        "dropout": 0.0,
        "embeddings": None,
        "normalisation": "train",
    },
}


class Pictures:
    """Noise; class B has a bright disc at a place of its own in each picture."""

    shape, dtype = (1, SIZE, SIZE), np.dtype(np.uint8)

    def __init__(self, n: int) -> None:
        random = np.random.default_rng(0)
        self.pixels = random.integers(60, 120, (n, 1, SIZE, SIZE)).astype(np.uint8)
        self.centre = random.integers(12, SIZE - 12, (n, 2))
        down, across = np.mgrid[:SIZE, :SIZE]
        for i in range(1, n, 2):
            y, x = self.centre[i]
            self.pixels[i, 0][(down - y) ** 2 + (across - x) ** 2 < RADIUS**2] = 230

    def __len__(self) -> int:
        return len(self.pixels)

    def inside(self, indices: np.ndarray) -> np.ndarray:
        return np.tile([0, SIZE, 0, SIZE], (len(indices), 1))

    def take(self, indices: np.ndarray, out: np.ndarray) -> None:
        out[:] = self.pixels[indices]

    def places(self, rows: list[dict]) -> np.ndarray:
        return np.array([int(row["content"]) for row in rows])


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with best_model.pt of a small network that has learnt to see the disc."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    images = Pictures(96)
    task = load("TASKS", "classification")({"classes": CLASSES})
    model = task.build(PARAMS, 1)
    x = torch.from_numpy((images.pixels / 255.0 - 0.5) / 0.25).float()
    y = torch.arange(96) % 2
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    for _ in range(14):
        for part in torch.randperm(96).split(24):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(x[part]), y[part]).backward()
            optimizer.step()
    model.eval()
    with torch.no_grad():
        p = model(x).softmax(dim=1).numpy()
    assert (p.argmax(axis=1) == y.numpy()).mean() > 0.95
    folder = tmp_path_factory.mktemp("fold")
    # The blocks as a study with frozen blocks keeps them: no gradient of their own.
    model.requires_grad_(False)
    state = {"state_dict": model.state_dict(), "size": SIZE, "epoch": 14}
    state |= {"mean": [0.5], "std": [0.25]}
    save_sealed(folder / "best_model.pt", state)
    rows = [{"sample": f"s{i:03d}", "content": str(i), "label": CLASSES[i % 2]} for i in range(96)]
    predictions = [
        row | {"predicted": CLASSES[int(p[i].argmax())], "p_A": str(p[i, 0]), "p_B": str(p[i, 1])}
        for i, row in enumerate(rows)
    ]
    job = make_job(folder / "out", PARAMS, images, ([], rows), task)
    gradcam_fold(job, predictions, folder / "best_model.pt", 20)
    return folder / "out", images


def test_the_map_points_at_the_planted_signal(trained):
    folder, images = trained
    films = read_json(folder / "gradcam.json")["films"]
    maps = np.load(folder / "gradcam.npz")["maps"]
    near = []
    for film, heat in zip(films, maps, strict=True):
        if film["predicted"] == film["label"] == "B":
            y, x = images.centre[int(film["sample"][1:])]
            down, across = np.unravel_index(heat.argmax(), heat.shape)
            near.append(np.hypot(down - y, across - x) < RADIUS + SIZE / 8)
    # A map of places chosen at random would be that near in one film of seven.
    assert len(near) >= 15
    assert np.mean(near) > 0.85


def test_the_film_is_shown_as_it_was_stored(trained):
    folder, images = trained
    films = read_json(folder / "gradcam.json")["films"]
    first = np.load(folder / "gradcam.npz")["films"][0]
    assert (first == images.pixels[int(films[0]["sample"][1:]), 0]).all()


def test_a_file_a_film_says_sample_prediction_and_truth(trained):
    folder, _ = trained
    films = read_json(folder / "gradcam.json")["films"]
    assert len(films) == 40
    for film in films:
        name = f"{film['sample']}_predicted-{film['predicted']}_true-{film['label']}.png"
        assert film["file"] == name
        picture = Image.open(folder / name)
        assert picture.size == (SIZE, SIZE)
        assert not picture.info


def made_rows(p_of_truth: list[float]) -> list[dict[str, str]]:
    return [
        {"sample": f"s{i}", "label": "A", "predicted": "A", "p_A": str(p), "p_B": str(1 - p)}
        for i, p in enumerate(p_of_truth)
    ]


def test_films_are_the_best_the_median_and_the_worst():
    films = choose_films(made_rows([0.5, 0.9, 0.1, 0.6, 0.3]), {"": CLASSES}, 3)
    found = [(film.place, film.sample) for film in films]
    assert found == [("best", "s1"), ("median", "s0"), ("worst", "s2")]


@pytest.mark.parametrize(("there", "asked", "given"), [(2, 3, 2), (1, 3, 1), (9, 5, 5), (4, 0, 0)])
def test_a_class_with_few_films_shows_each_once(there, asked, given):
    films = choose_films(made_rows(list(np.linspace(0.1, 0.9, there))), {"": CLASSES}, asked)
    assert len({film.sample for film in films}) == len(films) == given


def test_without_heat_the_film_stays_as_it_is():
    film = np.random.default_rng(0).integers(0, 256, (8, 8)).astype(np.uint8)
    assert (overlay(film, np.zeros_like(film)) == film[..., None]).all()


def test_an_answer_of_parts_shows_each_film_once_a_part():
    answers = {"left": ["0", "1"], "right": ["0", "1", "2"]}
    rows = []
    for n, p in enumerate((0.2, 0.9, 0.5)):
        row = {"sample": f"s{n}"}
        for part, names in answers.items():
            row |= {f"label_{part}": "1", f"predicted_{part}": "1" if p > 0.4 else "0"}
            row |= {f"p_{part}_{name}": str(p if name == "1" else 0.1) for name in names}
        rows.append(row)
    films = choose_films(rows, answers, 2)
    assert [(film.sample, film.part, film.place) for film in films] == [
        ("s1", "left", "best"),
        ("s1", "right", "best"),
        ("s0", "left", "worst"),
        ("s0", "right", "worst"),
    ]
    assert films[3].stem == "s0_right_predicted-0_true-1"
    assert [output_of(answers, *which) for which in (("left", "1"), ("right", "0"))] == [1, 2]


def _in_place():
    """A layer whose output the next one changes in place, as in DenseNet."""
    layers = nn.Conv2d(1, 6, 3), nn.BatchNorm2d(6), nn.ReLU(inplace=True)
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 3)), 1


def _tokens():
    """A layer of tokens, (B, places, D)."""
    layers = nn.Unflatten(3, (8, 8)), nn.Flatten(1, 3), nn.Linear(8, 5), nn.Tanh(), nn.Flatten()
    return nn.Sequential(*layers, nn.Linear(20 * 3 * 8 * 5, 3)), 2


def to_map(tokens):
    return tokens.unflatten(1, (20, 24)).permute(0, 3, 1, 2)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(("make", "to_map"), [(_in_place, None), (_tokens, to_map)])
def test_the_map_has_the_digits_of_pytorch_grad_cam(make, to_map, layout):
    from pytorch_grad_cam import GradCAM

    torch.manual_seed(2)
    network, place = make()
    image = torch.randn(1, 1, 60, 64).contiguous(memory_format=layout)
    for number in range(3):
        mine = gradcam(network, network[place], image, number, to_map)
        with GradCAM(network, [network[place]], reshape_transform=to_map) as cam:
            (theirs,) = cam(image, [lambda output, number=number: output[number]])
        assert mine.dtype == theirs.dtype and np.array_equal(mine, theirs)
        assert mine.shape == (60, 64) and mine.max() > 0.9
