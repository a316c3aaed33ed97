"""A real browser without a window, and what it asked the network for."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

INSTALL = "chromium and chromedriver are missing: apt-get install -y chromium chromium-driver"


@contextmanager
def browser(width: int = 1280, height: int = 900) -> Iterator:
    """A headless Chromium; fails with how to install it where there is none."""
    from selenium import webdriver

    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        pytest.fail(INSTALL)
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    # A click during a smooth scroll would miss; a container has no sandbox and a small /dev/shm.
    flags = ("--headless=new", "--force-prefers-reduced-motion", "--no-sandbox")
    for flag in (*flags, "--disable-dev-shm-usage"):
        options.add_argument(flag)
    options.add_argument(f"--window-size={width},{height}")
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    opened = webdriver.Chrome(options, webdriver.ChromeService(driver))
    try:
        yield opened
    finally:
        opened.quit()


def requests(opened) -> list[str]:
    """Addresses that the page went for since this was last asked; data within the page is none."""
    events = [json.loads(line["message"])["message"] for line in opened.get_log("performance")]
    sent = [one for one in events if one["method"] == "Network.requestWillBeSent"]
    addresses = [one["params"]["request"]["url"] for one in sent]
    return [address for address in addresses if not address.startswith("data:")]


def go(opened, page: Path) -> str:
    """Open a file; its address."""
    address = page.resolve().as_uri()
    opened.get(address)
    return address


def all_of(opened, selector):
    """Elements of the page."""
    return opened.find_elements("css selector", selector)


def one(opened, selector):
    """The first of them; an error where there is none."""
    return opened.find_element("css selector", selector)


def keys(opened, *names):
    """Press keys, by their names in selenium."""
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    for name in names:
        ActionChains(opened).send_keys(getattr(Keys, name)).perform()
