"""Two thousand recordings in one page."""

import numpy as np
import pytest

from histvq.recording import Recording
from histvq.segments import Segmentation

pytestmark = pytest.mark.browser


def test_two_thousand_recordings(opened):
    rng = np.random.default_rng(0)
    names = [f"day {k // 100}, mouse {k:04}" for k in range(2000)]
    answers = [
        Segmentation(recording_id=name, fps=30.0, actions=np.repeat(rng.integers(0, 12, 20), 45))
        for name in names
    ]
    motion = rng.normal(size=(900, 8, 3)).astype(np.float32).cumsum(axis=0)
    recordings = [Recording(id=name, skeleton=motion, fps=30, unit="mm") for name in names]
    page = opened(answers, recordings=recordings, budget_mb=6)
    assert page.find("#page-now").text == "2000 of 2000 recordings, page 1 of 100"
    assert len(page.all(".row")) == 20
    page.find("#page-after").click()
    assert page.find(".row strong").text == names[20]
    page.find("#find").send_keys("mouse 1234")
    assert [row.text for row in page.all(".row strong")] == [names[1234]]
    page.click_at(".row .strips", 0.5)
    assert abs(page.frame - 450) <= 2
    assert page.n_colours(".row .strips") > 2
    paint = page.run("return performance.getEntriesByName('first-contentful-paint')[0].startTime")
    assert paint > 0
    page.run("document.querySelector('.clip').scrollIntoView({block: 'center'})")
    assert page.is_drawn(".clip canvas")
    page.find(".clip").click()
    assert page.find(".row.chosen").get_attribute("data-recording") == (
        page.find(".clip").get_attribute("data-recording")
    )
