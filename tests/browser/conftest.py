"""A browser, and pages for it to open."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

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

    def pixels(self, css: str) -> str:
        """What is drawn on a canvas; it is the same if and only if the pixels are."""
        return self.run("return document.querySelector(arguments[0]).toDataURL()", css)

    def n_colours(self, css: str) -> int:
        """How many colours there are on a canvas: one, if nothing is drawn."""
        return self.run(
            """const c = document.querySelector(arguments[0]);
            const data = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
            return new Set(new Uint32Array(data.buffer)).size""",
            css,
        )

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
