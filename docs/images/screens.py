#!/usr/bin/env python3
"""Takes the pictures of pages again: that of the default run at three widths, that of a table, and the site's front page.

    docs/images/screens.py [run] [table] [site]

Needs the program, build/bin/gihflow; for the site what scripts/site has built; Chromium and selenium.
"""

import io
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/python"))
from browser import complaints, open_browser, show  # noqa: E402

PLAN = """chains = 1000
stages = "c:2000,w:50000,a:5000"
replicas = 3
[grid]
alpha = [0.05, 0.1, 0.2, 0.5, 1]
chains = [100, 300, 1000, 3000]
"""


class Browser(unittest.TestCase):
    """The class of tests that open_browser() closes its driver after."""


def take(page, name, width, height):
    """A picture of the top of a page, in 256 colours."""
    driver = open_browser(Browser)
    show(driver, page, width=width, height=height)
    driver.execute_async_script("setTimeout(arguments[0], 500)")
    assert not complaints(driver), complaints(driver)
    picture = Image.open(io.BytesIO(driver.get_screenshot_as_png())).convert("RGB")
    place = ROOT / "docs/images" / name
    picture.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(place, optimize=True)
    print(f"{place}: {place.stat().st_size / 1000:.0f} kB")


def gihflow(folder, *words):
    subprocess.run([ROOT / "build/bin/gihflow", *words, "--quiet"], cwd=folder, check=True, stdout=subprocess.DEVNULL)


def main(wanted):
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        if "run" in wanted:
            gihflow(folder, "train", "-o", "run.h5")
            gihflow(folder, "report", "run.h5")
            for width, height in ((400, 900), (900, 780), (1600, 900)):
                take(folder / "run.html", f"report-{width}.png", width, height)
        if "table" in wanted:
            (folder / "plan.toml").write_text(PLAN)
            gihflow(folder, "sweep", "plan.toml", "-d", "members")
            gihflow(folder, "sweep", "plan.toml", "-d", "members", "--collect", "sweep.h5")
            gihflow(folder, "report", "sweep.h5")
            take(folder / "sweep.html", "table-900.png", 900, 780)
        if "site" in wanted:
            take(ROOT / "build-site/html/docs/index.html", "site.png", 1200, 1100)


if __name__ == "__main__":
    try:
        main(sys.argv[1:] or ["run", "table", "site"])
    finally:
        Browser.doClassCleanups()
