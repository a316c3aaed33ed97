"""Networks of a bundle in other programs' forms: each answers as torch does."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from flow import ROOT
from foldwise.bundle.members import bundle_job, members
from foldwise.bundle.onnx_model import export, run
from foldwise.bundle.torch_program import export_program
from foldwise.settings.bundle_file import read_manifest
from foldwise.train.job import CPU
from foldwise.train.predict import load_model
from training import make_images, make_job, make_params, make_rows, train


@pytest.fixture(scope="module")
def network(bundled):
    """The job and the kept network of a bundle's first fold."""
    manifest = read_manifest(bundled.bundle)
    job = bundle_job(manifest, manifest["params"], [], None, CPU)
    return job, members(bundled.bundle, manifest, job, [1])[1]


def test_onnx_answers_as_torch_does_within_the_tolerance(network, tmp_path):
    job, kept = network
    graph, facts = export(job.task, kept, job.params)
    assert facts["max_difference"] <= 1e-5
    # By onnxruntime alone, with the card's own numbers: pixels in 0..1 go in.
    pixels = np.random.default_rng(3).random((3, 1, kept.size, kept.size)).astype(np.float32)
    given = onnxruntime.InferenceSession(graph).run(None, {"image": pixels})[0]
    mean, std = kept.normalise
    normal = torch.from_numpy((pixels - np.float32(mean[0])) / np.float32(std[0]))
    with torch.inference_mode():
        expected = job.task.predict(kept.model, {"image": normal})["probability"]
    assert np.abs(given - expected.numpy()).max() <= 1e-5


def test_onnx_of_a_network_that_takes_each_picture_by_its_own_levels(tmp_path):
    params = make_params(model__normalisation="image", training__epochs=1)
    rows, images = make_rows(36), make_images(make_rows(36))
    path = train(tmp_path, params) / "best_model.pt"
    job = make_job(tmp_path, params, images, (rows[:24], rows[24:]))
    kept = load_model(job, path)
    content, facts = export(job.task, kept, params)
    assert facts["max_difference"] <= 1e-5
    raw = torch.from_numpy(images.pixels[:4] / np.float32(255))
    (given,) = run(content, {"image": raw})
    fed = kept.feed(job, rows[:4]).batch(np.arange(4), 16)
    with torch.inference_mode():
        expected = job.task.exported(kept.model, fed)
    np.testing.assert_allclose(given, next(iter(expected.values())), atol=1e-5)


def test_a_torch_program_answers_as_the_network_does_without_this_package(network, tmp_path):
    job, kept = network
    program, facts = export_program(job.task, kept, job.params)
    assert facts["max_difference"] <= 1e-5 and facts["outputs"] == ["probability"]
    pixels = torch.rand((3, 1, kept.size, kept.size), generator=torch.Generator().manual_seed(3))
    torch.save(pixels, tmp_path / "pixels.pt")
    (tmp_path / "fold_1.pt2").write_bytes(program)
    read = "import torch; given = torch.load('pixels.pt'); "
    read += "answer = torch.export.load('fold_1.pt2').module()(given)[0]; "
    read += "torch.save(answer.detach(), 'answer.pt')"
    # Isolated, in another folder: no path leads to foldwise.
    subprocess.run([sys.executable, "-I", "-c", read], cwd=tmp_path, check=True)
    mean, std = kept.normalise
    with torch.inference_mode():
        normal = {"image": (pixels - mean[0]) / std[0]}
        expected = job.task.predict(kept.model, normal)["probability"]
    assert (torch.load(tmp_path / "answer.pt") - expected).abs().max() <= 1e-5


@pytest.mark.parametrize("make", [export, export_program])
def test_exported_files_hold_no_path_of_the_machine(bundled, network, make):
    """Tracing notes where each step stands in code, below a home folder for example."""
    job, kept = network
    content, _ = make(job.task, kept, job.params)
    for path in (ROOT, Path(torch.__file__).parent, bundled.bundle.parent, "site-packages"):
        assert str(path).encode() not in content


def test_a_network_that_cannot_be_exported_is_said_with_its_reason(bundled, network, monkeypatch):
    job, kept = network

    def fails(*given, **named):
        raise RuntimeError("data dependent")

    monkeypatch.setattr("torch.export.export", fails)
    program, facts = export_program(job.task, kept, job.params)
    assert program is None and facts == {"reason": "the network cannot be exported (RuntimeError)"}
    manifest = read_manifest(bundled.bundle)
    assert manifest["members"][0]["torch"] == {"reason": "the study's file asks for none"}
