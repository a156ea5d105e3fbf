from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from histvq.annotation import Annotation
from histvq.clips import COLUMNS, Origin, Take, write_clips, write_table
from histvq.clips.cutting import CUTTERS
from histvq.io import READERS, expand, read
from histvq.io.npz import read_npz
from histvq.recording import Recording
from histvq.transforms import split_people
from oracles.example_files import EXAMPLES


def take(recording_id="one", start=5, stop=12, *, action=3, name="action 3", fps=30.0):
    return Take(
        action=action, name=name, recording_id=recording_id, start=start, stop=stop, kind="typical",
        fps=fps,
    )  # fmt: skip


def origin(path, **options):
    ((format, file),) = expand(path)
    recording, annotation = read(file, **options)
    return Origin(recording=recording, format=format, annotation=annotation, options=options)


def clip(path, out, start=5, stop=12, **options):
    """The file of one take, and its notes."""
    whole = origin(path, **options)
    (written,) = write_clips(
        out, [take(whole.recording.id, start, stop)], {whole.recording.id: whole}
    )
    return written.file, written.notes


@pytest.mark.filterwarnings("ignore::histvq.errors.DataWarning")
@pytest.mark.parametrize("name", READERS)
def test_a_take_of_every_format_is_a_file_of_ours_or_its_own(name, tmp_path):
    make, options = EXAMPLES[name]
    (tmp_path / "files").mkdir()
    path = make(tmp_path / "files")
    recording, annotation = read(path, **options)
    file, notes = clip(path, tmp_path / "out", 10, 30, **options)
    kept = name in CUTTERS or name == "histvq"
    assert not notes if kept else notes == (f"written as .npz: {name} files are not cut",)
    assert expand(tmp_path / "out") == [(name if kept else "histvq", file)]
    part, labels = read(file, **(options if name in CUTTERS else {}))
    np.testing.assert_array_equal(part.skeleton, recording.skeleton[10:30])
    assert part.joint_names == recording.joint_names
    assert part.unit == recording.unit
    assert part.fps == pytest.approx(recording.fps)
    if annotation is not None:
        said = [annotation.actions[label] for label in annotation.labels[10:30]]
        assert [labels.actions[label] for label in labels.labels] == said


# What stands in the files is worked by hand.


def test_bvh_keeps_its_head_and_the_lines_of_the_take_byte_for_byte(tmp_path):
    path = EXAMPLES["bvh"][0](tmp_path)
    whole = path.read_bytes().replace(b"\n", b"\r\n").replace(b"Frames: 40", b"Frames:   40")
    whole = whole.replace(b"0 0 0 6 0 0", b"0  0 0 6.50 0 0 ")
    path.write_bytes(whole)
    file, _ = clip(path, tmp_path / "out", 6, 8, unit="cm")
    head = whole[: whole.index(b"0 0 0 0 0 0")].replace(b"  40", b"  2")
    assert file.read_bytes() == head + b"0  0 0 6.50 0 0 \r\n0 0 0 7 0 0\r\n"


def test_amc_keeps_frame_numbers_and_takes_its_skeleton_along(tmp_path):
    path = EXAMPLES["acclaim"][0](tmp_path)
    file, _ = clip(path, tmp_path / "out", 2, 4, fps=120)
    assert file.read_text() == (
        ":FULLY-SPECIFIED\n:DEGREES\n3\nroot 0 0 0 0 0 0\narm 3\n4\nroot 0 0 0 0 0 0\narm 4\n"
    )
    assert file.with_suffix(".asf").read_text() == (tmp_path / "one.asf").read_text()


def test_trc_counts_the_frames_of_the_take_and_keeps_their_numbers_and_times(tmp_path):
    path = EXAMPLES["trc"][0](tmp_path)
    file, _ = clip(path, tmp_path / "out", 38, 40)
    lines = file.read_text().split("\n")
    assert lines[2] == "100\t100\t2\t2\tmm"
    assert lines[5:] == ["39\t0.38\t38\t0.5\t1\t\t\t", "40\t0.39\t39\t0.5\t1\t\t\t", ""]


def test_a_table_keeps_head_and_rows(tmp_path):
    path = EXAMPLES["table"][0](tmp_path)
    file, _ = clip(path, tmp_path / "out", 19, 21, unit="mm")
    assert file.read_text() == (
        "frame,time_s,hip_x,hip_y,hip_z,left_wrist_x,left_wrist_y,left_wrist_z,label\n"
        "19,0.19,1.5,2.5,3.5,4.5,5.5,16.25,a\n20,0.2,1.5,2.5,3.5,4.5,5.5,19.5,b\n"
    )


def test_a_long_table_keeps_the_rows_of_its_frames_wherever_they_stand(tmp_path):
    path = tmp_path / "long.tsv"
    rows = [f"{frame}\t{joint}\t{frame}\t{k}" for k, joint in enumerate("ab") for frame in range(4)]
    path.write_text("\n".join(["frame\tjoint\tx\ty", *rows]) + "\n")
    file, notes = clip(path, tmp_path / "out", 1, 3, fps=10, unit="mm")
    assert not notes
    assert file.read_text() == (
        "frame\tjoint\tx\ty\n1\ta\t1\t0\n2\ta\t2\t0\n1\tb\t1\t1\n2\tb\t2\t1\n"
    )


@pytest.mark.filterwarnings("ignore::histvq.errors.DataWarning")
def test_rows_of_a_table_with_frames_left_out_go_by_their_numbers(tmp_path):
    path = tmp_path / "gaps.csv"
    path.write_text("frame,x,y\n" + "".join(f"{n},{n},0\n" for n in (7, 8, 9, 12, 13, 14)))
    file, notes = clip(path, tmp_path / "out", 5, 8, fps=10, unit="mm")
    assert not notes
    assert file.read_text() == "frame,x,y\n12,12,0\n13,13,0\n14,14,0\n"
    # Frames 3 and 4 have no row, so no cut table can begin or end with them.
    file, notes = clip(path, tmp_path / "other", 3, 7, fps=10, unit="mm")
    assert file.suffix == ".npz"
    assert "other numbers than the whole" in notes[0]
    assert np.isnan(read(file)[0].skeleton[:2]).all()


def test_notes_beside_a_table_go_along(tmp_path):
    path = tmp_path / "odd.csv"
    path.write_text("made by hand\nq1;q2\n" + "".join(f"{n},5;2\n" for n in range(6)))
    notes = "channels: {x: q1, y: q2}\nskip_rows: 1\nfps: 10\nunit: mm\n"
    (tmp_path / "odd.table.yaml").write_text(notes)
    file, said = clip(path, tmp_path / "out", 2, 4)
    assert not said
    assert file.read_text() == "made by hand\nq1;q2\n2,5;2\n3,5;2\n"
    assert (file.parent / f"{file.stem}.table.yaml").read_text() == notes


def test_resampled_tables_are_written_as_ours(tmp_path):
    path = tmp_path / "uneven.csv"
    times = np.arange(30) / 10 + np.tile([0, 0.02], 15)
    path.write_text("time_s,x,y\n" + "".join(f"{t},{t},{t * t}\n" for t in times))
    whole = origin(path, unit="mm", uneven="resample")
    file, notes = clip(path, tmp_path / "out", 5, 12, unit="mm", uneven="resample")
    assert file.suffix == ".npz"
    assert notes[0].startswith("written as .npz: not cut as table: ")
    np.testing.assert_array_equal(read(file)[0].skeleton, whole.recording.skeleton[5:12])


@pytest.mark.parametrize("packing", [".xz", ".gz"])
def test_packed_text_comes_out_unpacked(packing, tmp_path):
    import gzip
    import lzma

    pack = {".xz": lzma.compress, ".gz": gzip.compress}[packing]
    plain = EXAMPLES["table"][0](tmp_path)
    packed = plain.with_name(f"{plain.name}{packing}")
    packed.write_bytes(pack(plain.read_bytes()))
    plain.unlink()
    file, notes = clip(packed, tmp_path / "out", unit="mm")
    assert not notes
    assert file.suffix == ".csv"
    assert file.read_text().count("\n") == 1 + 7


def test_arrays_are_cut_on_the_axis_of_frames_and_others_go_along(tmp_path):
    motion = np.random.default_rng(0).normal(size=(2, 40, 5))
    np.savez(tmp_path / "own.npz", motion=motion, quality=np.arange(40), fps=25.0, names=["a", "b"])
    file, notes = clip(
        tmp_path / "own.npz", tmp_path / "out", layout="channel frame joint", unit="mm"
    )
    assert not notes
    with np.load(file) as stored:
        np.testing.assert_array_equal(stored["motion"], motion[:, 5:12])
        np.testing.assert_array_equal(stored["quality"], np.arange(5, 12))
        assert stored["fps"] == 25.0
        assert stored["names"].tolist() == ["a", "b"]


def test_an_array_with_two_axes_as_long_is_written_as_ours(tmp_path):
    np.save(tmp_path / "square.npy", np.zeros((40, 40, 2)))
    file, notes = clip(
        tmp_path / "square.npy", tmp_path / "out", layout="joint frame channel", fps=10, unit="mm"
    )
    assert notes == ("written as .npz: not cut as arrays: array 'square' has 2 axes of 40",)
    assert read(file)[0].skeleton.shape == (7, 40, 2)


def test_ours_keeps_labels_person_and_where_it_is_from(tmp_path):
    recording = Recording(
        id="one", skeleton=np.arange(40.0).reshape(20, 1, 2), fps=10, unit="px", person="ada",
        source="/somewhere/one.npz", metadata={"room": "a"},
    )  # fmt: skip
    truth = Annotation(recording_id="one", labels=np.arange(20) // 10, actions=("x", "y"), fps=10)
    whole = Origin(recording=recording, format="histvq", annotation=truth)
    (written,) = write_clips(tmp_path, [take(start=9, stop=11, fps=10)], {"one": whole})
    found, labels = read_npz(written.file)
    assert found.skeleton.ravel().tolist() == [18, 19, 20, 21]
    assert (found.unit, found.person, found.metadata["room"]) == ("px", "ada", "a")
    assert found.metadata["original_source"] == "/somewhere/one.npz"
    assert found.history == ("frames 9 to 11 of 'one'",)
    assert [labels.actions[label] for label in labels.labels] == ["x", "y"]
    assert written.notes == ()


def test_labels_that_are_not_one_a_frame_do_not_go_along(tmp_path):
    recording = Recording(id="one", skeleton=np.zeros((20, 1, 2)), fps=10)
    truth = Annotation(recording_id="one", labels=np.zeros(7, int), actions=("x",), fps=10)
    whole = Origin(recording=recording, format="histvq", annotation=truth)
    (written,) = write_clips(tmp_path, [take(fps=10)], {"one": whole})
    assert read_npz(written.file)[1] is None


def test_one_of_several_people_is_cut_with_all_of_them(tmp_path):
    path = tmp_path / "two.csv"
    rows = [f"{f},{who},nose,{f + k}, 1" for f in range(6) for k, who in enumerate(("ada", "ben"))]
    path.write_text("\n".join(["frame,person,joint,x,y", *rows]) + "\n")
    whole = origin(path, fps=10, unit="mm")
    ben = split_people(whole.recording)[1]
    (written,) = write_clips(
        tmp_path / "out", [take(ben.id, 2, 4)], {ben.id: replace(whole, recording=ben)}
    )
    assert written.notes == ()
    assert written.file.read_text().splitlines() == [
        "frame,person,joint,x,y", "2,ada,nose,2, 1", "2,ben,nose,3, 1", "3,ada,nose,3, 1",
        "3,ben,nose,4, 1",
    ]  # fmt: skip


def test_a_source_that_changed_since_it_was_read_is_written_from_memory(tmp_path):
    path = EXAMPLES["bvh"][0](tmp_path)
    whole = origin(path, unit="cm")
    path.write_text(path.read_text().replace("0 0 0 8 0 0", "0 0 0 90 0 0"))
    (written,) = write_clips(tmp_path / "out", [take()], {"one": whole})
    assert written.notes == (
        "written as .npz: not cut as bvh: read again, a part of it gives other numbers than the whole",
    )
    np.testing.assert_array_equal(read(written.file)[0].skeleton, whole.recording.skeleton[5:12])
    path.unlink()
    (written,) = write_clips(tmp_path / "gone", [take()], {"one": whole})
    assert "cannot be read again" in written.notes[0]
    assert written.file.suffix == ".npz"


def test_a_clip_of_another_rate_is_not_kept(tmp_path):
    whole = origin(EXAMPLES["bvh"][0](tmp_path), unit="cm")
    faster = replace(whole, recording=replace(whole.recording, fps=60))
    (written,) = write_clips(tmp_path / "out", [take()], {"one": faster})
    assert written.notes[0].endswith("not cut as bvh: read again, it has 30 frames a second")
    assert read(written.file)[0].fps == 60


def test_takes_come_back_in_order_and_recordings_not_at_hand_have_no_file(tmp_path):
    whole = origin(EXAMPLES["bvh"][0](tmp_path), unit="cm")
    takes = [take("zoe"), take("one", 1, 3), take("ada"), take("one", 3, 6)]
    written = write_clips(tmp_path / "out", takes, {"one": whole})
    assert [one.take for one in written] == takes
    assert [one.file is None for one in written] == [True, False, True, False]


def test_the_table_lists_every_take(tmp_path):
    name = '<script>alert(1)</script>, "quoted"\nsecond line'
    whole = origin(EXAMPLES["bvh"][0](tmp_path), unit="cm")
    written = write_clips(tmp_path / "out", [take(name=name), take("zoe", 30, 45)], {"one": whole})
    table = pd.read_csv(write_table(tmp_path / "out", written), keep_default_na=False)
    assert list(table) == COLUMNS
    assert table.name.tolist() == [name, "action 3"]
    first = table.iloc[0]
    assert (tmp_path / "out" / first.file).is_file()
    assert (first.start_frame, first.stop_frame, first.start_s, first.stop_s) == (
        5, 12, pytest.approx(5 / 30, abs=1e-6), 0.4,
    )  # fmt: skip
    assert table.file[1] == ""
    assert expand(tmp_path / "out") == [("bvh", tmp_path / "out" / first.file)]


def test_nothing_is_left_beside_the_clips(tmp_path):
    file, _ = clip(EXAMPLES["bvh"][0](tmp_path), tmp_path / "out", unit="cm")
    assert list((tmp_path / "out").iterdir()) == [file]


def test_every_cutter_is_of_a_format_there_is():
    assert set(CUTTERS) <= set(READERS)
