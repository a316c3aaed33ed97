"""What is taken from a header, where it may stand, and how long reading one may take."""

import struct
import time

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sr._cid_dict import cid_concepts
from pydicom.sr._concepts_dict import concepts
from pydicom.sr._snomed_dict import mapping

from dicoms import write
from foldwise.pixels.dicom.file import read_picture
from foldwise.pixels.dicom.header import VIEWS, read_header
from foldwise.pixels.picture import UnreadableImage

PIXELS = (np.arange(40 * 30).reshape(40, 30) * 3).astype(np.uint16)


def code(value: str, scheme: str = "SCT") -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, "CANARY"
    return item


def view_of(path, **header) -> str:
    write(path, PIXELS, **header)
    return read_header(path).view


@pytest.mark.parametrize("view", VIEWS)
def test_views_that_are_coded_alone(tmp_path, view):
    for value in VIEWS[view]:
        scheme = "SCT" if value.isdigit() else "SRT"
        assert view_of(tmp_path / "a", ViewCodeSequence=[code(value, scheme)]) == view


@pytest.mark.parametrize(
    ("view", "meaning"),
    [
        ("CC", "CranioCaudal"),
        ("MLO", "MedioLateralObliqueProjection"),
        ("ML", "MedioLateralProjection"),
        ("LM", "LateroMedial"),
        ("LMO", "LateroMedialOblique"),
        ("FB", "CaudoCranial"),
        ("SIO", "SuperolateralToInferomedialOblique"),
        ("ISO", "InferomedialToSuperolateralOblique"),
        ("XCCL", "CranioCaudalExaggeratedLaterally"),
        ("XCCM", "CranioCaudalExaggeratedMedially"),
        ("AP", "AnteroPosterior"),
        ("PA", "PosteroAnterior"),
        ("LL", "LeftLateral"),
        ("RL", "RightLateral"),
    ],
)
def test_codes_of_views_are_those_of_the_standard(view, meaning):
    """By pydicom's copy of the context groups of mammograms (4014) and films (4010)."""
    assert meaning in {*cid_concepts[4014]["SCT"], *cid_concepts[4010]["SCT"]}
    (snomed,) = concepts["SCT"][meaning]
    older = {srt for srt, sct in mapping["SRT"].items() if sct == snomed}
    assert {snomed, *older} <= set(VIEWS[view])


def test_a_term_goes_before_a_code_and_a_code_before_what_is_no_term(tmp_path):
    both = {"ViewCodeSequence": [code("399162004")]}
    assert view_of(tmp_path / "a", ViewPosition="MLO", **both) == "MLO"
    assert view_of(tmp_path / "a", ViewPosition="XYZ", **both) == "CC"
    assert view_of(tmp_path / "a", ViewPosition="XYZ") == "XYZ"
    assert view_of(tmp_path / "a", ViewCodeSequence=[code("1"), code("R-10226", "SRT")]) == "MLO"
    assert view_of(tmp_path / "a", ViewCodeSequence=[]) == ""


@pytest.mark.parametrize(
    "keyword", ["SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"]
)
def test_side_and_view_of_a_functional_group(tmp_path, keyword):
    anatomy, view, group = Dataset(), Dataset(), Dataset()
    anatomy.FrameLaterality = "L"
    view.ViewCodeSequence = [code("399368009")]
    group.FrameAnatomySequence, group.XRayGeometrySequence = [anatomy], [view]
    write(tmp_path / "a", PIXELS, **{keyword: [group]})
    header = read_header(tmp_path / "a")
    assert (header.laterality, header.view) == ("L", "MLO")
    assert "CANARY" not in repr(header)
    write(tmp_path / "a", PIXELS, ImageLaterality="R", **{keyword: [group]})
    assert read_header(tmp_path / "a").laterality == "R"


ITEM, END = b"\xfe\xff\x00\xe0" + b"\0" * 4, b"\xfe\xff\xdd\xe0" + b"\0" * 4


def with_element(path, tag: tuple[int, int], value: bytes, length: int) -> None:
    """Put a sequence before the elements of group 0028."""
    content = path.read_bytes()
    place = content.index(struct.pack("<HH", 0x0028, 0x0002))
    element = struct.pack("<HH2sHI", *tag, b"SQ", 0, length) + value
    path.write_bytes(content[:place] + element + content[place:])


@pytest.mark.parametrize("defined", [True, False])
@pytest.mark.parametrize("tag", [(0x0008, 0x1140), (0x0009, 0x1001), (0x0054, 0x0220)])
def test_millions_of_empty_items_are_no_work(tmp_path, tag, defined):
    write(tmp_path / "a", PIXELS, PatientID="P")
    items = ITEM * 2_000_000
    length = len(items) if defined else 0xFFFFFFFF
    with_element(tmp_path / "a", tag, items + (b"" if defined else END), length)
    started = time.process_time()
    for read in (read_header, read_picture):
        try:
            read(tmp_path / "a")
        except UnreadableImage as error:
            assert error.reason == "long_header"
    assert time.process_time() - started < 10


def test_deep_nesting_has_a_reason(tmp_path):
    write(tmp_path / "a", PIXELS)
    deep = b"".join(
        struct.pack("<HH2sHI", 8, 0x1140, b"SQ", 0, 0xFFFFFFFF)
        + b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
        for _ in range(3000)
    )
    with_element(
        tmp_path / "a", (8, 0x1140), b"\xfe\xff\x00\xe0\xff\xff\xff\xff" + deep, 0xFFFFFFFF
    )
    for read in (read_header, read_picture):
        with pytest.raises(UnreadableImage) as info:
            read(tmp_path / "a")
        assert info.value.reason in ("damaged", "long_header")


def test_a_wanted_value_without_measure_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("foldwise.pixels.dicom.stream.MAX_VALUE_BYTES", 1 << 14)
    write(tmp_path / "a", PIXELS)
    content = (tmp_path / "a").read_bytes()
    place = content.index(struct.pack("<HH", 0x0028, 0x0002))
    value = struct.pack("<HH2sH", 0x0010, 0x0020, b"LO", 1 << 15) + b"1" * (1 << 15)
    (tmp_path / "a").write_bytes(content[:place] + value + content[place:])
    with pytest.raises(UnreadableImage) as info:
        read_header(tmp_path / "a")
    assert info.value.reason == "long_header"
