import re
from contextlib import suppress
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from histvq.errors import DataWarning, FileFormatError
from histvq.export.elan import write_elan
from histvq.io.labels.elan import read_elan
from oracles.exported import answer, recordings_of

RUN = [answer([0] * 4 + [1] * 4 + [2] * 2, id="walk1")]
(RECORDING,) = recordings_of(RUN)

# Written by hand, as ELAN 2.7 to 3.0 has it; ten frames at ten a second.
BY_HAND = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="" DATE="2020-01-01T00:00:00+01:00" FORMAT="3.0" VERSION="3.0">
  <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">
    <MEDIA_DESCRIPTOR MEDIA_URL="file:///a.mp4" MIME_TYPE="video/mp4"/>
    <MEDIA_DESCRIPTOR MEDIA_URL="file:///b.mp4" MIME_TYPE="video/mp4"/>
  </HEADER>
  <TIME_ORDER>
    <TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="100"/><TIME_SLOT TIME_SLOT_ID="ts2" TIME_VALUE="349"/>
    <TIME_SLOT TIME_SLOT_ID="ts3" TIME_VALUE="351"/><TIME_SLOT TIME_SLOT_ID="ts4" TIME_VALUE="600"/>
    <TIME_SLOT TIME_SLOT_ID="ts5"/><TIME_SLOT TIME_SLOT_ID="ts6" TIME_VALUE="1003"/>
  </TIME_ORDER>
  <TIER TIER_ID="actions" LINGUISTIC_TYPE_REF="t">
    <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts3" TIME_SLOT_REF2="ts4">
      <ANNOTATION_VALUE> run </ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
    <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a2" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2">
      <ANNOTATION_VALUE>walk</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
    <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a3" TIME_SLOT_REF1="ts4" TIME_SLOT_REF2="ts6">
      <ANNOTATION_VALUE></ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
  </TIER>
  <TIER TIER_ID="notes" LINGUISTIC_TYPE_REF="t"/>
  <LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="t" CONTROLLED_VOCABULARY_REF="v"/>
  <CONTROLLED_VOCABULARY CV_ID="v"><CV_ENTRY>walk</CV_ENTRY>
    <CV_ENTRY_ML CVE_ID="c"><CVE_VALUE LANG_REF="und">run</CVE_VALUE></CV_ENTRY_ML>
  </CONTROLLED_VOCABULARY>
</ANNOTATION_DOCUMENT>
"""


@pytest.fixture
def by_hand(tmp_path):
    def write(*changes, text=BY_HAND, name="walk1.eaf", encoding="utf-8"):
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / name).write_text(text, encoding=encoding)
        return tmp_path / name

    return write


def labels_of(path, recordings=(RECORDING,)):
    return [None if a is None else a.labels.tolist() for a in read_elan(path, recordings)]


def test_a_file_written_by_hand(by_hand):
    (found,) = read_elan(by_hand(), [RECORDING])
    assert found.actions == ("walk", "run")
    # Frames at 100 ms: walk from 1 to 3.49, run from 3.51 to 6; what says nothing labels nothing.
    assert found.labels.tolist() == [-1, 0, 0, -1, 1, 1, -1, -1, -1, -1]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_encodings_that_the_file_declares(by_hand, encoding):
    declared = {"utf-8-sig": "UTF-8", "utf-16": "UTF-16", "latin-1": "ISO-8859-1"}[encoding]
    path = by_hand(("UTF-8", declared), ("walk", "gähn"), encoding=encoding)
    assert read_elan(path, [RECORDING])[0].actions == ("gähn", "run")


def test_the_end_may_be_a_frame_late_but_no_more(by_hand):
    change = ("<ANNOTATION_VALUE></ANNOTATION_VALUE>", "<ANNOTATION_VALUE>walk</ANNOTATION_VALUE>")
    assert labels_of(by_hand(change))[0][-4:] == [0, 0, 0, 0]
    with pytest.raises(
        FileFormatError,
        match=r"walk1\.eaf, tier 'actions', annotation a3: 'walk' from 0.6 to 1.203 s: "
        r"recording 'walk1' lasts 1 s; no time may be outside",
    ):
        read_elan(by_hand(change, ("1003", "1203")), [RECORDING])


def test_annotations_that_share_time(by_hand):
    with pytest.raises(
        FileFormatError,
        match=r"annotation a1: 'run' starts at 0.351 s, but 'walk' \(.*annotation a2\) lasts until 0.5 s",
    ):
        read_elan(by_hand(('"349"', '"500"')), [RECORDING])


def test_an_unknown_name(by_hand):
    with pytest.raises(
        FileFormatError,
        match=r"annotation a2: 'wlak' is not in the tier's vocabulary \(add.*did you mean 'walk'",
    ):
        read_elan(by_hand(("<ANNOTATION_VALUE>walk", "<ANNOTATION_VALUE>wlak")), [RECORDING])


def test_any_name_where_there_is_no_vocabulary(by_hand):
    path = by_hand((' CONTROLLED_VOCABULARY_REF="v"', ""), ("VALUE>walk", "VALUE>hop"))
    assert read_elan(path, [RECORDING])[0].actions == ("hop", "run")


def test_no_tier_of_ours(by_hand):
    with pytest.raises(
        FileFormatError,
        match=r"no tier is called 'actions' or 'subactions'; there are 'gait', 'notes'\. Rename",
    ):
        read_elan(by_hand(('TIER_ID="actions"', 'TIER_ID="gait"')), [RECORDING])


def test_subactions_are_read_where_no_file_has_actions(tmp_path):
    fine = [answer([-1] * 3, id=id, subactions=[0, 1, 1]) for id in "ab"]
    write_elan(tmp_path, fine)
    assert labels_of(tmp_path, recordings_of(fine)) == [[0, 1, 1], [0, 1, 1]]
    mixed = [fine[0], answer([0, -1, 0], id="b", subactions=[0, 1, 1])]
    write_elan(tmp_path, mixed)
    assert labels_of(tmp_path, recordings_of(mixed)) == [None, [0, -1, 0]]


def test_annotations_without_times(by_hand):
    with pytest.raises(
        FileFormatError, match=r"annotation a3: its times are 600, none; expected whole"
    ):
        read_elan(by_hand(('REF2="ts6"', 'REF2="ts5"')), [RECORDING])
    with pytest.raises(FileFormatError, match=r"annotation a3: its times are 600, none"):
        read_elan(by_hand(('REF2="ts6"', 'REF2="ts99"')), [RECORDING])
    with pytest.raises(FileFormatError, match="3 annotations have no times of their own"):
        read_elan(
            by_hand(
                ("ALIGNABLE_ANNOTATION", "REF_ANNOTATION"), ("TIME_SLOT_REF1", "ANNOTATION_REF")
            ),
            [RECORDING],
        )


def test_shorter_than_a_frame(by_hand):
    with pytest.raises(
        FileFormatError, match=r"from 0.1 to 0.14 s: shorter than a frame \(100 ms\)"
    ):
        read_elan(by_hand(('"349"', '"140"')), [RECORDING])


def test_times_in_frames_of_a_television_norm(by_hand):
    with pytest.raises(FileFormatError, match="times in PAL-frames, expected milliseconds"):
        read_elan(by_hand(("milliseconds", "PAL-frames")), [RECORDING])


def test_at_most_ten_faults_are_told(tmp_path):
    run = [answer(np.arange(20) % 2, id="walk1")]
    path = write_elan(tmp_path, run) / "walk1.eaf"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("VALUE>action 0", "VALUE>actoin 0").replace("VALUE>action 1", "VALUE>x")
    )
    with pytest.raises(FileFormatError) as error:
        read_elan(path, recordings_of(run))
    assert str(error.value).startswith(f"{path}: 20 faults:\n")
    assert str(error.value).count("annotation a") == 10
    assert str(error.value).endswith("... and 10 more")


def test_files_are_matched_by_what_they_say_then_by_their_names(tmp_path):
    run = [answer([0, 1], id="a/b"), answer([1, 0], id="c")]
    recordings = recordings_of(run)
    write_elan(tmp_path, run)
    (tmp_path / "a_b.eaf").rename(tmp_path / "corrected by Bo.eaf")
    assert labels_of(tmp_path, recordings) == [[0, 1], [1, 0]]
    (tmp_path / "copy.eaf").write_bytes((tmp_path / "c.eaf").read_bytes())
    with pytest.raises(
        FileFormatError, match=r"c\.eaf and .*copy\.eaf are of the same recording 'c'"
    ):
        read_elan(tmp_path, recordings)


def test_files_of_no_recording(by_hand, tmp_path):
    by_hand()
    stranger = by_hand(name="other.eaf")
    with pytest.warns(DataWarning, match=r"other\.eaf: of none of the recordings; left out"):
        read_elan(tmp_path, [RECORDING])
    with pytest.raises(FileFormatError, match=r"other\.eaf: of none.*\(walk1\).*as walk1\.eaf"):
        read_elan(stranger, [RECORDING])


def test_nothing_labelled_and_nothing_there(tmp_path, by_hand):
    with pytest.raises(FileFormatError, match=r"no ELAN file \(\.eaf\) in this folder"):
        read_elan(tmp_path, [RECORDING])
    with pytest.raises(FileFormatError, match="there is no such file"):
        read_elan(tmp_path / "x.eaf", [RECORDING])
    path = by_hand((" run ", ""), ("<ANNOTATION_VALUE>walk", "<ANNOTATION_VALUE>"))
    with pytest.raises(FileFormatError, match="nothing in it labels a frame"):
        read_elan(path, [RECORDING])


BOMB = """<!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>"""
OUTSIDE = """<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>"""


@pytest.mark.parametrize(
    "declared", [BOMB, OUTSIDE, '<!DOCTYPE x SYSTEM "http://example.org/x.dtd">']
)
def test_files_that_declare_entities_are_not_read(by_hand, declared):
    path = by_hand(
        ("<ANNOTATION_DOCUMENT", f"{declared}<ANNOTATION_DOCUMENT"), ("> run <", "> &b; <")
    )
    with pytest.raises(FileFormatError, match="declares a document type, which no ELAN file does"):
        read_elan(path, [RECORDING])


@pytest.mark.parametrize("part", [0, 0.03, 0.5, 0.95])
def test_a_cut_file(by_hand, part):
    path = by_hand()
    data = path.read_bytes()
    path.write_bytes(data[: int(part * len(data))])
    with pytest.raises(FileFormatError, match=r"walk1\.eaf, line \d+: no whole XML"):
        read_elan(path, [RECORDING])


def test_other_xml_and_none(by_hand):
    with pytest.raises(FileFormatError, match="begins with <html>; an ELAN file begins with"):
        read_elan(by_hand(text="<html/>"), [RECORDING])
    with pytest.raises(FileFormatError, match="no whole XML"):
        read_elan(by_hand(text="recording,start_s\n"), [RECORDING])
    for encoding in ("martian", "shift_jis", "base64"):
        with pytest.raises(FileFormatError, match="no whole XML"):
            read_elan(by_hand(('encoding="UTF-8"', f'encoding="{encoding}"')), [RECORDING])


def test_elements_in_odd_places_are_no_accident(by_hand):
    path = by_hand(
        text="<ANNOTATION_DOCUMENT><CVE_VALUE/><ANNOTATION_VALUE/><PROPERTY/></ANNOTATION_DOCUMENT>"
    )
    with pytest.raises(FileFormatError, match="no tier is called"):
        read_elan(path, [RECORDING])


@pytest.mark.filterwarnings("ignore::histvq.errors.DataWarning")
@settings(max_examples=200)
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused_in_words(data, tmp_path_factory):
    path = tmp_path_factory.mktemp("f") / "walk1.eaf"
    text = bytearray(BY_HAND.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text) - 1))
        length = data.draw(st.integers(0, 30))
        text[at : at + length] = data.draw(
            st.binary(max_size=8) | st.sampled_from([b"<", b'"', b"999999999"])
        )
    path.write_bytes(bytes(text))
    with suppress(FileFormatError):
        read_elan(path, [RECORDING])


def test_elements_are_found_whatever_elan_adds(tmp_path):
    path = write_elan(tmp_path, RUN) / "walk1.eaf"
    root = ET.parse(path).getroot()
    ET.SubElement(root, "NEWER_THAN_WE_ARE", A="b").text = "c"
    ET.ElementTree(root).write(path)
    assert labels_of(path) == [[0] * 4 + [1] * 4 + [2] * 2]
    assert not re.search(r"\bns0:", path.read_text())
