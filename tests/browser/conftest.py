"""A browser, and pages for it to open."""

import shutil
import time
from base64 import b64decode
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from histvq.report import write_report

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def chromium() -> Iterator:
    """Headless Chromium, or a skip that says what is missing."""
    webdriver = pytest.importorskip("selenium.webdriver")
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip(
            "no Chromium with its driver here; Debian: apt-get install chromium chromium-driver"
        )
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for flag in (
        "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1200,1000",
        "--force-device-scale-factor=1",
    ):  # fmt: skip
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    opened = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield opened
    opened.quit()


class Page:
    """A report in the browser."""

    def __init__(self, browser, path: Path) -> None:
        self.browser = browser
        browser.get(path.resolve().as_uri())
        self.until("return document.documentElement.dataset.ready === 'true'")

    def run(self, script: str, *given):
        return self.browser.execute_script(script, *given)

    def until(self, script: str, *given, seconds: float = 10):
        from selenium.webdriver.support.ui import WebDriverWait

        return WebDriverWait(self.browser, seconds).until(lambda _: self.run(script, *given))

    def find(self, css: str):
        return self.browser.find_element("css selector", css)

    def all(self, css: str):
        return self.browser.find_elements("css selector", css)

    def pixels(self, css: str) -> np.ndarray:
        """What is drawn on a canvas: (row, column, red green blue alpha)."""
        url = self.run("return document.querySelector(arguments[0]).toDataURL()", css)
        picture = Image.open(BytesIO(b64decode(url.partition(",")[2])))
        return np.asarray(picture.convert("RGBA"), dtype=int)

    def n_colours(self, css: str) -> int:
        """How many colours there are on a canvas: one, if nothing is drawn."""
        return len(np.unique(self.pixels(css).reshape(-1, 4), axis=0))

    def is_drawn(self, css: str) -> bool:
        """Wait until there is something on a canvas."""
        for _ in range(50):
            if self.n_colours(css) > 2:
                return True
            time.sleep(0.1)
        return False

    @property
    def frame(self) -> int:
        """The frame that the player says it is at."""
        return int(self.find("#now-time").text.rsplit("frame ", 1)[1])

    def click_at(self, css: str, share: float) -> None:
        """Click at a part of an element's width."""
        from selenium.webdriver import ActionChains

        element = self.find(css)
        self.run("arguments[0].scrollIntoView({block: 'center'})", element)
        across = round((share - 0.5) * element.size["width"])
        ActionChains(self.browser).move_to_element_with_offset(element, across, 0).click().perform()

    def complaints(self) -> list[str]:
        """What the browser said of the page."""
        return [entry["message"] for entry in self.browser.get_log("browser")]


@pytest.fixture
def opened(chromium, tmp_path):
    """Write a report of these answers and open it; whatever the browser complains of is an error."""
    pages = []

    def write_and_open(answers, **more) -> Page:
        pages.append(Page(chromium, write_report(tmp_path / "r", answers, **more)["report"]))
        return pages[-1]

    yield write_and_open
    for page in pages:
        assert page.complaints() == []
