from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from histvq.annotation import Annotation
from histvq.errors import ConfigError
from histvq.report import draw_timelines, write_timelines
from histvq.report.palette import NO_DATA, look_of
from histvq.report.timeline import _FOUND, _TRUTH, LABEL_PT, seen
from histvq.segments import Segmentation, to_segments


def answer(name="a", actions=(0,) * 40 + (1,) * 30 + (-1,) * 30, **more):
    return Segmentation(recording_id=name, fps=10.0, actions=np.array(actions), **more)


def truth(name="a", labels=(1,) * 40 + (0,) * 60):
    return Annotation(recording_id=name, labels=np.array(labels), actions=("walk", "sit"), fps=10.0)


def colour_at(figure, time_s, strip, *, row=0):
    """The colour drawn at a time near the upper edge of a strip, above the writing.

    The strips of a row stand on its line of time, 0.51 inches high in all; the writing on both sides of
    them takes 0.95 and 0.2 inches of the page's width. Rows here are 10 s long.
    """
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())
    has_truth = "true" in texts(figure)
    low, high = _FOUND[0], sum(_TRUTH if has_truth else _FOUND)
    up_in = figure.get_figheight() - 0.1 - 0.95 * (row + 1) + 0.24
    up_in += 0.51 * (strip[0] + 0.92 * strip[1] - low) / (high - low)
    across_in = 0.95 + (11.0 - 0.95 - 0.2) * time_s / 10
    x, y = int(across_in * figure.dpi), int(up_in * figure.dpi)
    red, green, blue = pixels[pixels.shape[0] - 1 - y, x, :3]
    return f"#{red:02x}{green:02x}{blue:02x}"


def texts(figure):
    return [text.get_text() for text in figure.texts]


def names_in_strips(figure):
    return [text.get_text() for text in figure.texts if text.get_fontsize() == LABEL_PT]


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_each_segment_has_its_codes_colour_where_it_lies():
    (figure,) = draw_timelines([answer()])
    assert colour_at(figure, 1.0, _FOUND) == look_of(0).colour
    assert colour_at(figure, 3.9, _FOUND) == look_of(0).colour
    assert colour_at(figure, 4.1, _FOUND) == look_of(1).colour
    assert colour_at(figure, 8.0, _FOUND) == NO_DATA


def test_matched_codes_take_the_colour_of_the_true_action():
    (figure,) = draw_timelines([answer()], [truth()], {0: "sit", 1: "walk"})
    assert colour_at(figure, 1.0, _FOUND) == colour_at(figure, 1.0, _TRUTH) == look_of(1).colour
    assert colour_at(figure, 5.0, _FOUND) == colour_at(figure, 5.0, _TRUTH) == look_of(0).colour
    assert legend(figure) == ["sit (action 0)", "walk (action 1)", "no data"]


def test_without_a_match_truth_and_answer_share_no_colour():
    (figure,) = draw_timelines([answer()], [truth()])
    assert legend(figure) == ["action 0", "action 1", "walk (true)", "sit (true)", "no data"]
    found = {colour_at(figure, t, _FOUND) for t in (1.0, 5.0)}
    assert not found & {colour_at(figure, t, _TRUTH) for t in (1.0, 5.0)}


def test_a_code_without_counterpart_looks_like_no_true_action():
    (figure,) = draw_timelines([answer()], [truth()], {0: "sit"})
    assert legend(figure)[1] == "action 1 (no counterpart)"
    assert colour_at(figure, 5.0, _FOUND) == look_of(2).colour


def test_a_code_has_one_colour_on_every_page():
    answers = [answer("a", [3] * 100), answer("b", [7] * 40 + [3] * 60)]
    figures = draw_timelines(answers, per_page=1)
    assert colour_at(figures[0], 8.0, _FOUND) == colour_at(figures[1], 8.0, _FOUND)
    assert colour_at(figures[0], 2.0, _FOUND) != colour_at(figures[1], 2.0, _FOUND)


def test_each_row_has_its_own_segments():
    rows = [answer("a", [0] * 100), answer("b", [1] * 60 + [0] * 40), answer("c", [2] * 100)]
    (figure,) = draw_timelines(rows)
    assert [colour_at(figure, 5.0, _FOUND, row=row) for row in range(3)] == [
        look_of(0).colour, look_of(1).colour, look_of(2).colour,
    ]  # fmt: skip


@pytest.mark.parametrize("seconds", [0.1, 1.0, 7.3, 10.0, 61.7, 3600.0])
def test_times_are_marked_as_matplotlib_marks_an_axis_of_that_length(seconds):
    (figure,) = draw_timelines([answer(actions=[0] * round(10 * seconds))])
    marked = [text for text in texts(figure) if text.endswith(" s")]
    axes = Figure(figsize=(11.0, 2.0)).add_axes((0.95 / 11, 0.1, 9.85 / 11, 0.8), xlim=(0, seconds))
    axes.tick_params(labelsize=7)
    ticks = [time for time in axes.get_xticks() if 0 <= time <= seconds]
    assert marked == [f"{time:g} s" for time in ticks]


def test_hatched_codes_are_drawn_hatched_and_plain_ones_are_not():
    (figure,) = draw_timelines([answer(actions=[0] * 50 + [8] * 50)])
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    row = np.asarray(canvas.buffer_rgba())[:, :, :3]
    line = row[
        int((0.1 + 0.95 - 0.24 - 0.5 * 0.51 / 4) * figure.dpi)
    ]  # in the lower part of the strip
    plain, hatched = (
        line[int((0.95 + 9.85 * a) * figure.dpi) : int((0.95 + 9.85 * b) * figure.dpi)]
        for a, b in ((0.05, 0.3), (0.55, 0.7))
    )
    assert len(np.unique(plain, axis=0)) == 1
    assert len(np.unique(hatched, axis=0)) > 1


def test_names_stand_in_long_segments_only():
    (figure,) = draw_timelines([answer(actions=[0] * 95 + [1] * 1 + [0] * 4)])
    assert names_in_strips(figure) == ["action 0", "0"]


def test_recordings_left_out_are_counted_on_the_last_page():
    figures = draw_timelines([answer(str(k)) for k in range(30)], per_page=4, max_recordings=10)
    assert [texts(figure).count("found") for figure in figures] == [4, 4, 2]
    assert not any("recordings drawn" in text for text in texts(figures[0]))
    assert "10 of 30 recordings drawn; all are in segments.csv" in texts(figures[-1])


def test_nothing_left_out_no_note():
    (figure,) = draw_timelines([answer()])
    assert not any("drawn" in text for text in texts(figure))


def test_ids_with_signs_of_their_own_are_drawn_as_they_are(tmp_path):
    name = r"../_x $\frac{1}$ <script> %"
    paths = write_timelines(tmp_path, [answer(name, person="$y")], [truth(name, (0,) * 100)])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["timelines-01.png", "timelines-01.svg"]
    assert all(path.stat().st_size > 1000 for path in paths)
    svg = paths[1].read_text(encoding="utf-8")
    assert "<script>" not in svg
    assert "&lt;script&gt;" in svg


def test_the_same_answers_give_the_same_files(tmp_path):
    first = write_timelines(tmp_path / "a", [answer(subactions=np.arange(100) // 20)])
    second = write_timelines(tmp_path / "b", [answer(subactions=np.arange(100) // 20)])
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second]


def test_no_answers_no_figures_and_wrong_counts_are_refused():
    assert draw_timelines([]) == []
    with pytest.raises(ConfigError, match="max_recordings 0"):
        draw_timelines([answer()], max_recordings=0)
    with pytest.raises(ValueError, match="100 frames, its annotation 3"):
        draw_timelines([answer()], [truth(labels=(0, 0, 0))])


def test_a_method_that_knows_names_is_drawn_with_them():
    named = answer(names={0: "walk", 1: "sit"})
    (figure,) = draw_timelines([named])
    assert legend(figure) == ["walk", "sit", "no data"]
    assert "walk" in texts(figure)
    (figure,) = draw_timelines([named], [truth()], {0: "walk", 1: "sit"})
    assert legend(figure) == ["walk", "sit", "no data"]
    assert colour_at(figure, 1.0, _FOUND) == colour_at(figure, 5.0, _TRUTH) == look_of(0).colour


def test_of_more_segments_than_can_be_drawn_every_label_keeps_its_share():
    random = np.random.default_rng(0)
    labels = np.repeat(random.choice([0, 1, 2], 30_000, p=[0.6, 0.3, 0.1]), 4)
    drawn = seen(labels)
    assert len(to_segments(labels)) > 10_000 > len(drawn)
    assert drawn[0][0] == 0
    assert drawn[-1][1] == pytest.approx(len(labels))
    assert all(a[1] == b[0] and a[2] != b[2] for a, b in pairwise(drawn))
    assert all(label in labels[int(a) : int(np.ceil(b))] for a, b, label in drawn)
    shares = [sum(b - a for a, b, label in drawn if label == code) for code in range(3)]
    np.testing.assert_allclose(np.array(shares) / len(labels), [0.6, 0.3, 0.1], atol=0.03)


def test_segments_that_can_be_drawn_are_drawn_as_they_are():
    labels = np.arange(2400) % 7
    assert seen(labels) == to_segments(labels)


def test_a_sign_that_xml_cannot_hold_leaves_the_svg_whole(tmp_path):
    _, place = write_timelines(tmp_path, [answer("bell\a")])
    assert "bell\ufffd" in "".join(ElementTree.parse(place).getroot().itertext())
