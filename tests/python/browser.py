"""Chromium without a window, for tests of pages; tests are skipped where it or selenium is not installed."""

import json
import shutil
import unittest

BROWSER, DRIVER = (shutil.which(name) for name in ("chromium", "chromedriver"))


def open_browser(case):
    """The driver of a class of tests, closed after the last of them."""
    if getattr(case, "browser", None):
        return case.browser
    try:
        from selenium import webdriver
        from selenium.webdriver.chrome.options import Options
        from selenium.webdriver.chrome.service import Service
    except ImportError:
        raise unittest.SkipTest("selenium (python3-selenium) is not installed") from None
    if not BROWSER or not DRIVER:
        raise unittest.SkipTest("chromium and chromium-driver are not installed")
    options = Options()
    options.binary_location = BROWSER
    for word in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars"):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    case.browser = webdriver.Chrome(service=Service(DRIVER), options=options)
    case.addClassCleanup(case.browser.quit)
    return case.browser


def show(driver, page, width=1200, height=900):
    """Opens a file in a window of that size, and forgets what was said and asked for before."""
    complaints(driver), requested(driver)
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                           {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})
    driver.get(page.resolve().as_uri())


def complaints(driver):
    """What the console says since it was last asked."""
    return [line["message"] for line in driver.get_log("browser")]


def requested(driver):
    """The addresses that the browser has asked for since it was last asked."""
    messages = [json.loads(line["message"])["message"] for line in driver.get_log("performance")]
    return {m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"}
