"""Embeddings: equal to torchvision's network, joined by content, and complete or refused."""

import hashlib

import numpy as np
import pytest
import torch
import torchvision

from foldwise.errors import FoldwiseError
from foldwise.files import write_csv
from foldwise.tasks.embeddings import embeddings_of
from foldwise.train import embed as embeddings
from training import Memory


def cohort(count):
    digests = [hashlib.sha256(bytes([n])).hexdigest() for n in range(count)]
    return [{"sample": f"s{n}", "content": digest[:32]} for n, digest in enumerate(digests)]


CPU = torch.device("cpu")


def test_features_are_those_of_torchvisions_resnet50(tmp_path, monkeypatch):
    torch.manual_seed(0)
    net = torchvision.models.resnet50().eval()
    torch.save(net.state_dict(), tmp_path / "w.pt")
    net.fc = torch.nn.Identity()
    rows = cohort(3)
    pixels = np.random.default_rng(0).integers(0, 256, (3, 3, 64, 64), dtype=np.uint8)
    images, folder = Memory(pixels, [row["content"] for row in rows]), tmp_path / "made"
    monkeypatch.setattr(embeddings, "BATCH", 2)
    embeddings.make_embeddings(folder, images, rows, 3, str(tmp_path / "w.pt"), CPU)
    found = embeddings_of(folder, rows[::-1])
    # Here: it imports PyTorch's compiler, which no other worker needs for it.
    from torchvision.transforms import v2

    normal = v2.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    with torch.inference_mode():
        expected = net(normal(torch.from_numpy(pixels) / 255)).numpy()[::-1]
    assert found.shape == (3, 2048)
    assert np.allclose(found, expected, rtol=1e-3, atol=1e-4)


def test_random_weights_are_refused(tmp_path):
    with pytest.raises(FoldwiseError, match="needs trained weights"):
        embeddings.make_embeddings(tmp_path, None, [], 1, "none", CPU)


def test_rows_are_joined_by_content_in_the_order_asked_for(tmp_path):
    rows, features = cohort(5), np.random.default_rng(1).normal(size=(5, 4)).astype(np.float32)
    full = [hashlib.sha256(bytes([n])).hexdigest() for n in range(5)]
    embeddings.write_embeddings(tmp_path, full, features)
    order = [3, 0, 4]
    found = embeddings_of(tmp_path, [rows[n] for n in order])
    assert np.array_equal(found, features[order])
    assert found.dtype == np.float32


def test_what_is_missing_or_wrong_is_named(tmp_path):
    rows, features = cohort(4), np.ones((3, 2))
    with pytest.raises(FoldwiseError, match=r"lacks features\.npy and metadata\.csv"):
        embeddings_of(tmp_path, rows)
    contents = [row["content"] for row in rows]
    embeddings.write_embeddings(tmp_path, contents[:3], features)
    with pytest.raises(FoldwiseError, match=r"1 of 4 samples have no row .* first is s3"):
        embeddings_of(tmp_path, rows)
    embeddings.write_embeddings(tmp_path, contents, features)
    with pytest.raises(FoldwiseError, match=r"shape \(3, 2\) and metadata.csv 4 rows"):
        embeddings_of(tmp_path, rows)
    embeddings.write_embeddings(tmp_path, contents[:1] * 2, np.array([[1.0], [2.0]]))
    with pytest.raises(FoldwiseError, match=r"rows 1 and 2\) with different features"):
        embeddings_of(tmp_path, rows[:1])
    embeddings.write_embeddings(tmp_path, contents[:1], np.array([[np.nan]]))
    with pytest.raises(FoldwiseError, match="1 rows with values that are not finite"):
        embeddings_of(tmp_path, rows[:1])
    (tmp_path / "metadata.csv").write_text("name\nx\n")
    with pytest.raises(FoldwiseError, match="column `content`"):
        embeddings_of(tmp_path, rows)
    (tmp_path / "features.npy").write_text("text")
    with pytest.raises(FoldwiseError, match="no array of numbers"):
        embeddings_of(tmp_path, rows)


OLDER = [
    ("image_path", "/old/disk/archive/{file}"),
    ("path", "D:\\\\archive\\\\{file}"),
    ("file", "{file}"),
    ("AccessionNumber", "{accession}"),
]


def older(tmp_path, column, form):
    """A folder without contents, and a private list that knows who is who."""
    rows = cohort(6)
    about = [
        {"sample": row["sample"], "file": f"{n:03d}/a.dcm", "accession": f"{n:03d}"}
        for n, row in enumerate(rows)
    ]
    write_csv(tmp_path / "id_map.csv", list(about[0]), about)
    order = [4, 0, 5, 2, 1, 3]
    named = [
        {
            column: form.format(**about[n]).replace("/", "\\")
            if "\\" in form
            else form.format(**about[n])
        }
        for n in order
    ]
    write_csv(tmp_path / "metadata.csv", [column], named)
    np.save(tmp_path / "features.npy", np.array([[n, n] for n in order], np.float32))
    return rows, named


@pytest.mark.parametrize(("column", "form"), OLDER)
def test_older_folders_are_joined_by_path_or_accession(tmp_path, column, form):
    rows, named = older(tmp_path, column, form)
    found = embeddings_of(tmp_path, rows, tmp_path / "id_map.csv")
    assert found[:, 0].tolist() == [0, 1, 2, 3, 4, 5]
    write_csv(tmp_path / "metadata.csv", [column], [*named[:-1], {column: "elsewhere"}])
    with pytest.raises(FoldwiseError, match=r"1 of 6 samples have no row .* first is s3"):
        embeddings_of(tmp_path, rows, tmp_path / "id_map.csv")
    with pytest.raises(FoldwiseError, match="--forcerun cohort"):
        embeddings_of(tmp_path, rows, tmp_path / "gone.csv")


def test_what_an_older_folder_does_not_tell_is_named(tmp_path):
    rows, named = older(tmp_path, "view", "CC")
    with pytest.raises(FoldwiseError, match="needs a column `content`"):
        embeddings_of(tmp_path, rows, tmp_path / "id_map.csv")
    write_csv(tmp_path / "metadata.csv", ["accession"], [{"accession": "001"}] * len(named))
    with pytest.raises(FoldwiseError, match="several rows of one accession"):
        embeddings_of(tmp_path, rows, tmp_path / "id_map.csv")
    write_csv(tmp_path / "metadata.csv", ["file"], [{"file": "x/001/a.dcm"}] * len(named))
    with pytest.raises(FoldwiseError, match="for 1 images several rows"):
        embeddings_of(tmp_path, rows, tmp_path / "id_map.csv")
