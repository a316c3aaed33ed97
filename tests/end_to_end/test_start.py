"""Before anything expensive starts: decoders, room and folds, through the real command."""

import os

import pytest

from flow import snakemake
from studies import density_study

CODECS = ["imagecodecs", "jpeg_ls", "gdcm"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return density_study(tmp_path_factory.mktemp("start"))


@pytest.fixture
def without_codecs(tmp_path):
    """An environment in which packages of decoders cannot be imported."""
    for name in CODECS:
        (tmp_path / f"{name}.py").write_text("raise ImportError('not installed')\n")
    return {
        "PYTHONPATH": os.pathsep.join([str(tmp_path), *filter(None, [os.getenv("PYTHONPATH")])])
    }


def refused(folder, *arguments, **options):
    done = snakemake(folder, *arguments, check=False, **options)
    assert done.returncode
    text = done.stdout + done.stderr
    assert "Traceback" not in text
    assert not list((folder / "results").rglob("*.npy"))
    return text


def test_a_missing_decoder_is_one_message_before_any_decoding(made, without_codecs):
    said = refused(made, environment=without_codecs)
    (line,) = [line for line in said.splitlines() if "Decoders are missing for" in line]
    assert "7 files in JPEG-LS Lossless Image Compression (1.2.840.10008.1.2.4.80): " in line
    assert "install imagecodecs or pyjpegls" in line
