"""The report in a real browser: what is clicked, played, turned and typed."""

import time

import numpy as np
import pytest

from histvq.annotation import Annotation
from histvq.recording import Recording
from histvq.segments import Segmentation

pytestmark = pytest.mark.browser

SCRIPT = "<script>alert(1)</script>"
ROWDY = ('head"quoted"', "</script><script>alert(2)</script>", "l'épaule 🦴", "a\u2028b")
BODY = {"joint_names": ROWDY, "parents": (-1, 0, 1, 2), "unit": "m"}


def answer(name="a", *, n=400, k=4, **more):
    """Every action for an equal time, with two subactions each."""
    actions = np.arange(n) * k // n
    fine = np.arange(n) * 2 * k // n
    return Segmentation(
        recording_id=name, fps=20.0, actions=actions, subactions=fine, person="ann", **more
    )


def motion(name="a", *, n=400, joints=4, channels=3, **more):
    """Joints above one another, swinging at their own pace."""
    t = np.arange(n)[:, None] / 20
    place = np.arange(joints) + np.zeros((n, joints))
    swing = np.sin(t * (1 + np.arange(joints) * 0.3))
    values = [swing + 0.1 * t, place, np.cos(t) + 0 * place] + [swing] * max(0, channels - 3)
    return Recording(id=name, skeleton=np.stack(values[:channels], axis=-1), fps=20, **more)


def inertial(name="a", **more):
    names = ("acc_x", "acc_y", "acc_z", "gyro_x", "gyro_y", "gyro_z")
    return motion(name, channels=6, channel_names=names, joint_names=ROWDY, **more)


def truth(name="a", n=400):
    actions = (f"walk {SCRIPT}", 'sit "down"')
    return Annotation(recording_id=name, labels=np.arange(n) // 100 % 2, actions=actions, fps=20)


@pytest.fixture
def page(opened):
    return opened(
        [answer("a"), answer(SCRIPT)], recordings=[motion("a", **BODY), motion(SCRIPT, **BODY)],
        annotations=[truth("a")],
    )  # fmt: skip


def changed(before, after):
    """Whether two pictures differ by more than how lines are smoothed."""
    if before.shape != after.shape:
        return True
    return (np.abs(before - after).max(axis=-1) > 60).mean() > 0.001


def test_a_click_into_a_timeline_moves_the_skeleton(page):
    before = page.pixels("#view")
    assert page.n_colours("#view") > 5
    page.click_at(".row.chosen .strips", 0.63)
    assert abs(page.frame - 252) <= 3
    assert page.find("#now-action").text.endswith("action 2")
    assert page.find("#now-fine").text == "subaction 5"
    assert page.find("#now-truth").text.endswith(f"walk {SCRIPT}")
    assert changed(before, page.pixels("#view"))


def test_a_click_into_another_timeline_brings_the_player_there(page):
    other = ".row[data-recording='1'] .strips"
    page.click_at(other, 0.9)
    assert page.find(".row.chosen strong").text == SCRIPT
    assert abs(page.frame - 360) <= 3
    assert (
        page.run(
            "return document.querySelector('.row.chosen').contains(document.getElementById('player'))"
        )
        is True
    )
    assert page.run("return document.querySelector('#now-truth-row').hidden") is True


def test_dragging_along_the_timeline_scrubs(page):
    from selenium.webdriver import ActionChains

    strips = page.find(".row.chosen .strips")
    width = strips.size["width"]
    drag = ActionChains(page.browser).move_to_element_with_offset(strips, -width // 4, 0)
    drag.click_and_hold().move_by_offset(width // 2, 0).release().perform()
    assert abs(page.frame - 300) <= 3


def test_playing_goes_on_and_pausing_stops_it(page):
    page.find("#play").click()
    assert page.find("#play").text == "Pause"
    page.until(
        "return Number(document.querySelector('#now-time').textContent.split('frame ')[1]) > 8"
    )
    page.find("#play").click()
    stopped = page.frame
    time.sleep(0.3)
    assert page.frame == stopped
    assert page.find("#play").text == "Play"


def test_playing_ends_at_the_end_and_begins_anew(page):
    page.click_at(".row.chosen .strips", 0.99)
    page.find("#play").click()
    page.until("return document.querySelector('#play').textContent === 'Play'")
    assert page.frame == 399
    page.find("#play").click()
    assert page.frame < 300


def test_dragging_turns_the_body_and_reset_turns_it_back(page):
    from selenium.webdriver import ActionChains

    before = page.pixels("#view")
    view = page.find("#view")
    ActionChains(page.browser).drag_and_drop_by_offset(view, 90, 0).perform()
    assert changed(before, page.pixels("#view"))
    assert page.frame == 0
    page.find("#straight").click()
    assert not changed(before, page.pixels("#view"))


def press(page, *keys):
    from selenium.webdriver import ActionChains

    actions = ActionChains(page.browser)
    for key in keys:
        actions.send_keys(key)
    actions.perform()


def test_the_keyboard_does_what_the_mouse_does(page):
    from selenium.webdriver import ActionChains, Keys

    press(page, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_LEFT)  # nothing has the focus yet
    assert page.frame == 1
    page.run("document.querySelector('.row.chosen .strips').focus()")
    press(page, Keys.PAGE_DOWN)
    assert page.frame == 100
    ActionChains(page.browser).key_down(Keys.SHIFT).send_keys(Keys.ARROW_RIGHT).key_up(
        Keys.SHIFT
    ).perform()
    assert page.frame == 120
    press(page, Keys.PAGE_UP)
    assert page.frame == 100
    slider = page.find(".row.chosen .strips")
    assert slider.get_attribute("aria-valuenow") == "100"
    assert slider.get_attribute("aria-valuetext") == "5.0 s, action 1"
    press(page, Keys.END)
    assert page.frame == 399
    press(page, Keys.HOME, " ")
    page.until(
        "return Number(document.querySelector('#now-time').textContent.split('frame ')[1]) > 2"
    )
    press(page, " ")
    assert page.find("#play").text == "Play"
    page.run("view.focus()")
    before = page.pixels("#view")
    press(page, Keys.ARROW_LEFT)
    assert changed(before, page.pixels("#view"))


def test_every_control_can_be_reached_and_shows_the_focus(page):
    from selenium.webdriver import Keys

    reached = set()
    page.run("document.activeElement.blur()")
    for _ in range(70):
        press(page, Keys.TAB)
        name, outline = page.run(
            "const e = document.activeElement;"
            "return [e.id || e.className || e.tagName, getComputedStyle(e).outlineStyle]"
        )
        assert outline != "none" or name == "BODY"  # once round
        reached.add(name)
    assert reached >= {"theme", "find", "only", "play", "next", "speed", "view", "strips", "clip"}


def test_zooming_keeps_the_playhead_in_sight(page):
    page.click_at(".row.chosen .strips", 0.5)
    before = page.pixels(".row.chosen .strips")
    page.find("#zoom-in").click()
    assert changed(before, page.pixels(".row.chosen .strips"))
    page.click_at(".row.chosen .strips", 1.0 - 1e-3)
    assert abs(page.frame - 300) <= 3
    page.find("#zoom-out").click()
    assert not changed(before, page.pixels(".row.chosen .strips"))


def test_names_stay_text_wherever_they_stand(page):
    assert [item.text for item in page.all(".row strong")] == ["a", SCRIPT]
    page.run("document.querySelectorAll('details').forEach((d) => (d.open = true))")
    listed = page.run(
        "return [...document.querySelectorAll('#joints li')].map((e) => e.textContent)"
    )
    assert tuple(listed) == ROWDY
    assert page.run("return document.scripts.length") == 4  # data, program, and two motions
    page.find("#joint-names").click()
    assert page.n_colours("#view") > 5


def test_light_dark_and_back(page):
    def background():
        return page.run("return getComputedStyle(document.body).backgroundColor")

    light, drawn = background(), page.pixels("#view")
    strips = page.pixels(".row.chosen .strips")
    page.find("#theme").click()
    assert page.find("#theme").text == "Theme: light"
    page.find("#theme").click()
    assert page.find("#theme").text == "Theme: dark"
    assert background() != light
    assert changed(drawn, page.pixels("#view"))
    page.find("#theme").click()
    assert background() == light
    assert not changed(drawn, page.pixels("#view"))
    assert not changed(strips, page.pixels(".row.chosen .strips"))


def test_a_system_that_is_dark_has_a_dark_page(page):
    light = page.run("return getComputedStyle(document.body).backgroundColor")
    dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
    try:
        assert page.run("return getComputedStyle(document.body).backgroundColor") != light
    finally:
        page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_patterns_tell_actions_apart_without_colour(page):
    before = page.pixels(".row.chosen .strips")
    page.find("#patterns").click()
    assert changed(before, page.pixels(".row.chosen .strips"))


def test_one_action_alone(page):
    before = page.pixels(".row.chosen .strips")
    page.find("#legend button[data-code='2']").click()
    assert page.find("#legend button[data-code='2']").get_attribute("aria-pressed") == "true"
    assert changed(before, page.pixels(".row.chosen .strips"))
    page.find("#legend button[data-code='2']").click()
    assert not changed(before, page.pixels(".row.chosen .strips"))


def test_clips_play_while_they_are_seen_and_lead_to_their_time(page):
    page.run("document.querySelector('.clip').scrollIntoView({block: 'center'})")
    page.until(
        """const clip = document.querySelector('.clip canvas'), now = clip.toDataURL();
        const changed = window.last !== undefined && window.last !== now;
        window.last = now; return changed"""
    )
    assert page.n_colours(".clip canvas") > 3
    clip = page.find(".clip")
    start = int(clip.get_attribute("data-start"))
    recording = clip.get_attribute("data-recording")
    clip.click()
    assert page.frame == start
    assert page.find(".row.chosen").get_attribute("data-recording") == recording


def test_clips_can_be_paused(page):
    page.run("document.querySelector('.clip').scrollIntoView({block: 'center'})")
    page.run("document.querySelector('#clips-play').click()")
    time.sleep(0.2)
    before = page.pixels(".clip canvas")
    time.sleep(0.3)
    assert not changed(before, page.pixels(".clip canvas"))


def test_signals_are_lines_with_a_mark_at_the_time(opened):
    page = opened([answer()], recordings=[inertial()])
    before = page.pixels("#view")
    assert page.n_colours("#view") > 5
    page.click_at("#view", 0.5)
    assert abs(page.frame - 200) <= 3
    assert changed(before, page.pixels("#view"))
    marked = page.pixels("#view")
    page.run("quantity.value = 'gyro'; quantity.dispatchEvent(new Event('change'))")
    assert changed(marked, page.pixels("#view"))
    assert not page.find("#straight").is_displayed()


@pytest.mark.parametrize("channels", [2, 3])
def test_two_axes_and_three(opened, channels):
    from selenium.webdriver import ActionChains

    page = opened([answer()], recordings=[motion(channels=channels, **BODY)])
    before = page.pixels("#view")
    assert page.n_colours("#view") > 5
    ActionChains(page.browser).drag_and_drop_by_offset(page.find("#view"), 90, 30).perform()
    assert changed(before, page.pixels("#view")) == (channels == 3)
    page.click_at(".row.chosen .strips", 0.5)
    assert changed(before, page.pixels("#view"))


def test_one_joint_leaves_a_trail(opened):
    page = opened([answer()], recordings=[motion(joints=1, unit="m")])
    at_first = (page.pixels("#view")[..., 3] > 0).sum()  # the point alone, on its floor
    page.click_at(".row.chosen .strips", 0.5)
    assert (page.pixels("#view")[..., 3] > 0).sum() > at_first + 100


@pytest.mark.parametrize("k", [1, 60])
def test_one_action_and_sixty(opened, k):
    page = opened([answer(n=1200, k=k)], recordings=[motion(n=1200, **BODY)])
    assert len(page.all(".card")) == len(page.all("#legend button")) == k
    page.click_at(".row.chosen .strips", 0.999)
    assert page.find("#now-action").text.endswith(f"action {k - 1}")
    page.run("document.querySelector('.card:last-child .clip').scrollIntoView()")
    assert page.is_drawn(".card:last-child .clip canvas")


def test_no_motion_is_said(opened):
    page = opened([answer()])
    assert "without the motion" in page.find("#view-none").text
    page.click_at(".row.chosen .strips", 0.5)
    assert abs(page.frame - 200) <= 3
    page.run("document.querySelector('.clip').scrollIntoView()")
    page.until("return document.querySelector('.clip canvas').width > 0")
    assert page.is_drawn(".clip canvas")


def test_what_is_missing_is_not_drawn(opened):
    whole = motion(**BODY)
    holes = whole.skeleton.copy()
    holes[100:200] = np.nan
    holes[:, 3] = np.nan
    page = opened([answer()], recordings=[motion(**BODY).noted("holes", skeleton=holes)])
    page.click_at(".row.chosen .strips", 0.1)
    assert page.n_colours("#view") > 5
    page.click_at(".row.chosen .strips", 0.4)
    floor_only = page.n_colours("#view")
    assert floor_only >= 1


def test_recordings_of_no_frame_and_of_one(opened):
    from selenium.webdriver import Keys

    names = ["none", "one"]
    page = opened(
        [answer(name, n=n, k=1) for n, name in enumerate(names)],
        recordings=[motion(name, n=n, **BODY) for n, name in enumerate(names)],
    )
    for number in range(2):
        page.click_at(f".row[data-recording='{number}'] .strips", 0.5)
        assert page.frame == 0
        for name in ("next", "previous", "zoom-in", "zoom-out"):
            page.find(f"#{name}").click()
        press(page, Keys.END, Keys.ARROW_RIGHT, " ")
        assert page.frame == 0


def test_nothing_at_all(opened):
    page = opened([])
    assert page.find("h1").text == "What was found"
    press(page, " ")


def test_on_paper_all_is_open_and_drawn(page):
    pdf = page.browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})
    assert len(pdf["data"]) > 20_000
    assert page.run("return document.documentElement.dataset.theme") == "auto"


def test_clips_play_where_recordings_had_no_room(opened):
    names = [f"r{k}" for k in range(6)]
    page = opened(
        [answer(name, n=6000) for name in names],
        recordings=[motion(name, n=6000, joints=30, unit="m") for name in names], budget_mb=1.2,
    )  # fmt: skip
    assert "only the clips on the cards are held" in page.find("main").text
    page.run("document.querySelector('.clip').scrollIntoView({block: 'center'})")
    assert page.is_drawn(".clip canvas")
    page.find(".clip").click()
    assert page.n_colours("#view") > 3
