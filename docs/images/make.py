"""Pictures of the program for README and docs, taken from the program itself.

    python docs/images/make.py              runs the demo in a temporary folder
    python docs/images/make.py --run DIR    takes a finished demo run

Needs Chromium with its driver, selenium and Pillow, all of which the tests need too. A screenshot takes
longer than a frame of the recording, so the GIF is not filmed: the page is asked for one moment
after another. The pointer is drawn on, as headless browsers have none; its clicks are real.
"""

import argparse
import io
import shutil
import subprocess
import sys
import tempfile
import time
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageChops, ImageDraw
from scipy.spatial.distance import cdist
from selenium import webdriver
from selenium.webdriver import ActionChains
from sklearn.cluster import KMeans

HERE = Path(__file__).resolve().parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WIDTH = 1000  # CSS pixels: wide enough for the body and the table beside it
GIF_SCALE, STILL_SCALE = 0.9, 1.6
GIF_STEP_MS = 100
GIF_COLOURS = 240  # of 256: one is left for "as before"
STRIPS = ("person1-1", "person1-2", "person1-3", "person2-1")
POINTER = ((0, 0), (0, 17), (4, 13), (7, 19), (10, 18), (7, 12), (12, 12))  # pixels from its tip


class Place(NamedTuple):
    """A point of the window in CSS pixels."""

    x: float
    y: float


class Page:
    """A report in headless Chromium."""

    def __init__(self, report: Path) -> None:
        browser = next(filter(None, map(shutil.which, BROWSERS)), None)
        driver = shutil.which("chromedriver")
        if browser is None or driver is None:
            raise SystemExit(
                "no Chromium with its driver here; Debian: apt-get install chromium-driver"
            )
        options = webdriver.ChromeOptions()
        options.binary_location = browser
        for flag in (
            "--headless=new",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
        ):
            options.add_argument(flag)
        self.browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
        self.window(height=800, scale=1.0)
        self.browser.get(report.resolve().as_uri())
        self.run("clipsPlay = false")  # they are drawn when asked for
        self.settle()

    def window(self, *, height: int, scale: float) -> None:
        """Set the window's height in CSS pixels, and the pixels of a picture per CSS pixel."""
        size = {"width": WIDTH, "height": height, "deviceScaleFactor": scale, "mobile": False}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self.scale = scale

    def run(self, script: str, *given: object):
        """Run a line of JavaScript in the page."""
        return self.browser.execute_script(script, *given)

    def settle(self) -> None:
        """Wait until what came into sight is drawn."""
        time.sleep(0.6)

    def picture(self, around: str | None = None, *, margin: int = 8) -> Image.Image:
        """The window, or what the elements of a selector take up together."""
        shot = {"format": "png"}
        if around:
            left, top, right, bottom = self.run(BOUNDS, around)
            shot["captureBeyondViewport"] = True
            shot["clip"] = {
                "x": max(left - margin, 0), "y": max(top - margin, 0), "scale": 1,
                "width": right - left + 2 * margin, "height": bottom - top + 2 * margin,
            }  # fmt: skip
        made = self.browser.execute_cdp_cmd("Page.captureScreenshot", shot)
        return Image.open(io.BytesIO(b64decode(made["data"]))).convert("RGB")

    def scroll_to(self, css: str, *, above: int = 8) -> None:
        """Bring the top of an element to the top of the window."""
        self.run(
            "window.scrollTo(0, document.querySelector(arguments[0]).getBoundingClientRect().top"
            " + scrollY - arguments[1])", css, above,
        )  # fmt: skip
        self.settle()

    def place(self, css: str, *, along: float = 0.5) -> Place:
        """Where an element is now, `along` of its width from its left."""
        box = self.run("return document.querySelector(arguments[0]).getBoundingClientRect()", css)
        return Place(box["x"] + along * box["width"], box["y"] + box["height"] / 2)

    def click(self, place: Place) -> None:
        """Press and release the mouse there."""
        actions = ActionChains(self.browser)
        actions.w3c_actions.pointer_action.move_to_location(round(place.x), round(place.y))
        actions.w3c_actions.pointer_action.click()
        actions.perform()
        self.settle()


BOUNDS = """
const boxes = [...document.querySelectorAll(arguments[0])].map((one) => one.getBoundingClientRect());
const least = (side) => Math.min(...boxes.map((box) => box[side]));
const most = (side) => Math.max(...boxes.map((box) => box[side]));
return [least("left"), least("top") + scrollY, most("right"), most("bottom") + scrollY];
"""
ONE_MOMENT_OF_CLIPS = "clipsPlay = true; drawClips(arguments[0]); clipsPlay = false"
TYPICAL = "#action-{} .clip[data-kind=typical]"


def pointed(picture: Image.Image, place: Place, scale: float) -> Image.Image:
    """The picture with a mouse pointer on it."""
    x, y = place.x * scale, place.y * scale
    drawn = picture.copy()
    ImageDraw.Draw(drawn).polygon(
        [(x + a, y + b) for a, b in POINTER], fill="black", outline="white"
    )
    return drawn


def way(start: Place, stop: Place, steps: int) -> Iterator[Place]:
    """The pointer's way, slowing down towards its end."""
    for step in range(1, steps + 1):
        done = 1 - (1 - step / steps) ** 2
        yield Place(start.x + done * (stop.x - start.x), start.y + done * (stop.y - start.y))


def story(page: Page) -> Iterator[Image.Image]:
    """Timelines; a click into one, and its body moves; an action's clips; a click on one of them."""
    page.window(height=760, scale=GIF_SCALE)
    page.run("lookAt(1, 17.3 * 30)")  # the player stands below the second timeline
    page.scroll_to("#recordings")
    target = page.place(".row[data-recording='0'] .strips", along=0.79)
    for here in way(Place(600, 560), target, 6):
        yield pointed(page.picture(), here, page.scale)
    page.click(target)
    yield from playing(page, target, frames=24)
    page.scroll_to("#action-4")
    target = page.place(TYPICAL.format(4))
    before = Place(620, 420)
    for now, here in enumerate([*[before] * 5, *way(before, target, 6), *[target] * 3]):
        page.run(ONE_MOMENT_OF_CLIPS, now * GIF_STEP_MS)
        yield pointed(page.picture(), here, page.scale)
    page.click(target)
    yield from playing(page, target, frames=16)


def playing(page: Page, pointer: Place, *, frames: int) -> Iterator[Image.Image]:
    """The player as it plays on from where it stands."""
    page.run("part('play').textContent = 'Pause'")
    for _ in range(frames):
        yield pointed(page.picture(), pointer, page.scale)
        page.run(
            "moveTo(player.frame + arguments[0] / 1000 * report.recordings[player.recording].fps)",
            GIF_STEP_MS,
        )


def in_few_colours(pictures: list[Image.Image], most: int) -> list[Image.Image]:
    """The pictures in one palette: the most frequent colours exactly, and clusters of the rest.

    Flat areas make up most of a page, and stay flat: clearer than dither, and a fraction of the size.
    Thin lines are rare, and keep their colour by the clusters. (Pillow's own mapping to a palette takes
    colours by fours, and makes white grey.)
    """
    codes = [np.asarray(picture).astype(int) @ (1 << 16, 1 << 8, 1) for picture in pictures]
    found, counts = np.unique(np.concatenate([one.ravel() for one in codes]), return_counts=True)
    colours = np.stack([found >> 16, found >> 8 & 255, found & 255], axis=1)
    colours_by_use = colours[np.argsort(-counts, kind="stable")]
    frequent, rest = colours_by_use[: most // 2], colours_by_use[most // 2 :]
    if len(rest) > most - len(frequent):
        clusters = KMeans(most - len(frequent), n_init=1, random_state=0).fit(rest)
        rest = clusters.cluster_centers_.round().astype(int)
    kept = np.concatenate([frequent, rest])
    nearest = cdist(colours, kept, "sqeuclidean").argmin(axis=1).astype(np.uint8)
    return [_with_palette(nearest[np.searchsorted(found, one)], kept) for one in codes]


def _with_palette(indices: np.ndarray, colours: np.ndarray) -> Image.Image:
    picture = Image.fromarray(indices, mode="P")
    picture.putpalette(colours.ravel().tolist())
    return picture


def write_gif(path: Path, pictures: list[Image.Image]) -> None:
    """Write an endless GIF: one palette for all, and only what changes from picture to picture."""
    drawn = in_few_colours(pictures, GIF_COLOURS)
    drawn[0].save(
        path, save_all=True, append_images=drawn[1:], duration=GIF_STEP_MS, loop=0, optimize=True
    )


def write_still(path: Path, picture: Image.Image) -> None:
    """Write a PNG without an empty border."""
    ground = Image.new("RGB", picture.size, picture.getpixel((0, 0)))
    left, top, right, bottom = ImageChops.difference(picture, ground).getbbox()
    edge = 16
    box = (
        max(left - edge, 0), max(top - edge, 0),
        min(right + edge, picture.width), min(bottom + edge, picture.height),
    )  # fmt: skip
    in_few_colours([picture.crop(box)], 256)[0].save(path, optimize=True)


def write_stills(page: Page, folder: Path) -> None:
    """The top of the page, a card, what follows what, and the comparison with the truth."""
    page.window(height=1440, scale=STILL_SCALE)
    page.run("lookAt(1, 17.3 * 30); part('play').textContent = 'Play'; window.scrollTo(0, 0)")
    page.settle()
    write_still(folder / "report-top.png", page.picture())
    page.scroll_to("#action-2")
    page.run(ONE_MOMENT_OF_CLIPS, 1300)
    write_still(folder / "report-cards.png", page.picture("#action-2, #action-3"))
    page.scroll_to("#section-transitions")
    write_still(
        folder / "report-transitions.png",
        page.picture("#section-transitions, #section-transitions + p + .wide table"),
    )
    page.scroll_to("#section-truth")
    write_still(folder / "report-truth.png", page.picture("#section-truth ~ figure:has(.compare)"))


def histvq(*words: object) -> None:
    """Run a command of the program, quietly unless it fails."""
    command = [sys.executable, "-m", "histvq", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")


def make(run: Path, scratch: Path, folder: Path) -> None:
    """Take every picture of a demo run."""
    named = [word for one in STRIPS for word in ("--recording", one)]
    histvq("figures", run, *named, "-o", scratch / "figures")
    strips = Image.open(scratch / "figures" / "strips.png").convert("RGB")
    write_still(
        folder / "demo.png", strips.resize((strips.width * 6 // 10, strips.height * 6 // 10))
    )
    page = Page(run / "report.html")
    try:
        write_gif(folder / "report.gif", list(story(page)))
        write_stills(page, folder)
    finally:
        page.browser.quit()


def main() -> None:
    """Make all pictures anew, or those of a run that is there."""
    parser = argparse.ArgumentParser(description="Pictures of the program for README and docs.")
    parser.add_argument(
        "--run", type=Path, help="run folder of `histvq demo`; without it, one is made"
    )
    parser.add_argument(
        "-o", "--out", type=Path, default=HERE, help="folder to write the pictures to"
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        run = given.run or Path(scratch) / "demo"
        if given.run is None:
            histvq("demo", "-o", run)
        given.out.mkdir(parents=True, exist_ok=True)
        make(run, Path(scratch), given.out)


if __name__ == "__main__":
    main()
