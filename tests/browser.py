"""A headless Chromium that notes what it asks for and what goes wrong in it."""

from __future__ import annotations

import contextlib
import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

MISSING = (
    "needs a browser: apt-get install chromium chromium-driver, and pip install selenium "
    "(which make setup does)"
)


def selenium_or_skip() -> Any:
    """Selenium's `webdriver`, where it and Debian's Chromium are installed."""
    webdriver = pytest.importorskip("selenium.webdriver", reason=MISSING)
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        pytest.skip(MISSING)
    return webdriver


@contextlib.contextmanager
def chromium(downloads: Path) -> Iterator[Any]:
    """A browser of 1,280 by 1,000 points whose downloads go to `downloads`."""
    webdriver = selenium_or_skip()
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for argument in ("--headless=new", "--no-sandbox", "--window-size=1280,1000"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.chrome.service.Service(shutil.which("chromedriver"))
    browser = webdriver.Chrome(options=options, service=service)
    try:
        browser.execute_cdp_cmd(
            "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(downloads)}
        )
        yield browser
    finally:
        browser.quit()


def until(condition: Callable[[], Any], what: str, seconds: float = 60) -> Any:
    """What `condition` gives once that is true; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, f"waited in vain for: {what}"
        time.sleep(0.2)


def hosts(browser: Any) -> set[str]:
    """Where the browser sent requests since it was last asked."""
    asked = set()
    for entry in browser.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            address = urlsplit(message["params"]["request"]["url"])
            if address.scheme in ("http", "https", "ws", "wss"):
                asked.add(address.netloc)
    return asked


def errors(browser: Any) -> list[str]:
    """What the console reported as an error since it was last asked."""
    return [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
