import os
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pympi
import pytest
from hypothesis import given, settings

from histvq.errors import DataWarning
from histvq.export.elan import write_elan
from histvq.io.labels.elan import read_elan
from histvq.segments import to_segments
from oracles import eaf_structure
from oracles.exported import UNSAFE, answer, answers, assert_same, labelled, recordings_of

TWO_LEVELS = answer(
    [0] * 4 + [1] * 3 + [-1] * 2 + [0], subactions=[3] * 5 + [2] * 5, fps=29.97, person="Ada"
)


def written(answer, folder, **more):
    return ET.parse(write_elan(folder, [answer], **more) / f"{answer.recording_id}.eaf").getroot()


def times_of(root, tier):
    """(start ms, stop ms, words) of a tier's annotations."""
    slots = {e.get("TIME_SLOT_ID"): int(e.get("TIME_VALUE")) for e in root.iter("TIME_SLOT")}
    return [
        (slots[a.get("TIME_SLOT_REF1")], slots[a.get("TIME_SLOT_REF2")], a[0].text)
        for a in root.findall(f"TIER[@TIER_ID='{tier}']/ANNOTATION/ALIGNABLE_ANNOTATION")
    ]


def test_a_file_worked_out_by_hand(tmp_path):
    root = written(TWO_LEVELS, tmp_path)
    # At 29.97 frames a second frame 4 is at 133.467, 5 at 166.833, 7 at 233.567, 9 at 300.3 ms.
    assert times_of(root, "actions") == [
        (0, 133, "action 0"), (133, 234, "action 1"), (300, 334, "action 0"),
    ]  # fmt: skip
    assert times_of(root, "subactions") == [(0, 167, "subaction 3"), (167, 334, "subaction 2")]
    times = [int(slot.get("TIME_VALUE")) for slot in root.iter("TIME_SLOT")]
    assert times == [0, 0, 133, 133, 167, 167, 234, 300, 334, 334]
    assert {t.get("PARTICIPANT") for t in root.iter("TIER")} == {"Ada"}
    words = [e.text for e in root.findall("CONTROLLED_VOCABULARY[@CV_ID='actions']/*/CVE_VALUE")]
    assert words == ["action 0", "action 1"]


@settings(max_examples=50)
@given(run=answers())
def test_any_run_has_the_structure_of_the_schema(run, tmp_path_factory):
    folder = write_elan(tmp_path_factory.mktemp("e"), run)
    for file in folder.glob("*.eaf"):
        assert eaf_structure.faults(ET.parse(file).getroot()) == []


@settings(max_examples=100)
@given(run=answers())
def test_export_and_reading_back_lose_nothing(run, tmp_path_factory):
    if labelled(run):
        folder = write_elan(tmp_path_factory.mktemp("e"), run)
        assert_same(run, read_elan(folder, recordings_of(run)))


@settings(max_examples=50)
@given(run=answers())
def test_pympi_reads_the_same_segments_to_the_millisecond(run, tmp_path_factory):
    folder = write_elan(tmp_path_factory.mktemp("e"), run)
    for one in run:
        document = pympi.Eaf(folder / f"{one.recording_id}.eaf")
        for level in ("action", "subaction"):
            labels = one.labels(level)
            if labels is None:
                continue
            expected = [
                (round(start * 1000 / one.fps), round(stop * 1000 / one.fps), f"{level} {code}")
                for start, stop, code in to_segments(labels)
                if code >= 0
            ]
            assert sorted(document.get_annotation_data_for_tier(f"{level}s")) == expected


@pytest.mark.skipif(
    "HISTVQ_EAF_XSD" not in os.environ, reason="$HISTVQ_EAF_XSD names no EAFv3.0.xsd"
)
def test_the_official_schema_takes_it(tmp_path):
    xmlschema = pytest.importorskip("xmlschema")
    schema = xmlschema.XMLSchema(os.environ["HISTVQ_EAF_XSD"])
    video = tmp_path / "walk1.mp4"
    video.touch()
    run = [TWO_LEVELS, *(answer([0, 1], id=id, names={0: id}, person=id) for id in UNSAFE)]
    for file in write_elan(tmp_path / "e", run, media={"walk1": (video,)}).glob("*.eaf"):
        schema.validate(file)


def test_the_structure_check_finds_what_the_schema_forbids(tmp_path):
    root = written(TWO_LEVELS, tmp_path)
    root.append(root.find("TIER"))
    root.find("TIME_ORDER/TIME_SLOT").set("TIME_SLOT_ID", "1")
    del root.attrib["DATE"]
    root.set("DATE", "2020-01-01T00:00:00")
    del root.attrib["AUTHOR"]
    found = " ".join(eaf_structure.faults(root))
    for fault in (
        "out of order",
        "without AUTHOR",
        "'1' is no name",
        "leads nowhere",
        "stands twice",
    ):
        assert fault in found


def test_neighbours_share_a_time_and_none_is_empty_above_a_thousand_frames_a_second(tmp_path):
    fast = answer(np.arange(40) % 3, fps=4000.0)
    with pytest.warns(DataWarning, match=r"'walk1': at 4000 frames.*moved by up to 30 ms"):
        root = written(fast, tmp_path)
    found = times_of(root, "actions")
    assert len(found) == 40
    assert all(start < stop for start, stop, _ in found)
    assert [stop for _, stop, _ in found[:-1]] == [start for start, _, _ in found[1:]]


def test_media_are_named_from_the_file_and_from_everywhere(tmp_path):
    video = tmp_path / "my videos" / "walk 1.mp4"
    video.parent.mkdir()
    video.touch()
    header = written(TWO_LEVELS, tmp_path / "e", media={"walk1": (video,)}).find("HEADER")
    (media,) = header.findall("MEDIA_DESCRIPTOR")
    assert media.get("MEDIA_URL") == video.as_uri()
    assert media.get("RELATIVE_MEDIA_URL") == "./../my%20videos/walk%201.mp4"
    assert media.get("MIME_TYPE") == "video/mp4"


def test_names_xml_cannot_hold_come_back_as_near_as_can_be(tmp_path):
    names = dict(
        enumerate(["<b>&\"'", "a\x00b", "one\r\ntwo", " walk ", "walk", "walk", "🏃", "\ud800"])
    )
    run = [answer(range(8), names=names)]
    (back,) = read_elan(write_elan(tmp_path, run), recordings_of(run))
    assert back.actions == (
        "<b>&\"'",
        "a\ufffdb",
        "one two",
        "walk (3)",
        "walk",
        "walk (2)",
        "🏃",
        "\ufffd",
    )
    assert back.labels.tolist() == [*range(8)]


def test_unsafe_ids_find_their_recordings_again(tmp_path):
    run = [answer([place % 3, 1], id=id) for place, id in enumerate(UNSAFE)]
    assert_same(run, read_elan(write_elan(tmp_path, run), recordings_of(run)))


def test_the_same_vocabulary_stands_in_every_file(tmp_path):
    write_elan(tmp_path, [answer([0], id="a"), answer([5], id="b")])
    for file in tmp_path.glob("*.eaf"):
        words = [e.text for e in ET.parse(file).getroot().iter("CVE_VALUE")]
        assert words == ["action 0", "action 5"]


def test_real_files_of_2000_recordings_are_written_in_one_go(tmp_path):
    run = [answer([0, 1, 0], id=f"r{n}") for n in range(300)]
    assert len([*Path(write_elan(tmp_path, run)).glob("*.eaf")]) == 300
