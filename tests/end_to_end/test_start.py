"""Before anything expensive starts: decoders, room and folds, through the real command."""

import os

import pandas
import pytest

from flow import jobs_in, rules_of, snakemake, write_study
from once import copied
from studies import density_study, settings

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


@pytest.mark.slow
def test_a_workbook_gives_the_cohort_that_its_csv_gives(made, tmp_path):
    folder = copied(made, tmp_path / "study")
    cohort = folder / "results/mine/cohort.csv"
    snakemake(folder, "results/mine/cohort.csv")
    of_csv = cohort.read_bytes()
    table = folder / "made/labels.csv"
    pandas.read_csv(table, dtype=str).to_excel(table.with_suffix(".xlsx"), index=False)
    table.unlink()
    named = settings()["data"] | {"table": {"path": "made/labels.xlsx", "format": "accession"}}
    write_study(folder, "mine", settings(data=named))
    done = snakemake(folder, "results/mine/cohort.csv")
    assert "cohort" in rules_of(jobs_in(done.stdout + done.stderr))
    assert cohort.read_bytes() == of_csv
