"""How much the Grokking tab moves when it is opened, and how fast it draws many runs.

Measured in a headless Chromium driven by Selenium; without them the rows are left out.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from grokkeras.bench.whole_runs import Figure
from grokkeras.errors import GrokkerasError

RUNS = 200
_PATIENCE_SECONDS = 120.0

# Runs in the tab's frame. Long tasks (50 ms or more) that begin after the last data have arrived
# are the drawing; where there is none, drawing took less.
_WATCH = """
const done = arguments[arguments.length - 1];
const files = performance.getEntriesByType("resource");
const data = files.filter((each) => each.name.includes("/data?"));
const assets = files.filter((each) => !each.name.includes("/data?"));
const full = data.find((each) => each.decodedBodySize > 1000);
const end = (task) => task.startTime + task.duration - full.responseEnd;
const last = (tasks) => Math.max(0, ...tasks.map(end));
const answer = (tasks) => done({
  rows: document.querySelectorAll("tbody tr").length,
  bytes: assets.reduce((sum, each) => sum + each.transferSize, 0),
  assets: assets.map((each) => each.name),
  seconds: full ? last(tasks) / 1e3 : null,
});
new PerformanceObserver((list) => answer(list.getEntries())).observe(
  { type: "longtask", buffered: true });
setTimeout(() => answer([]), 1000);
"""


def tab_figures(say: Callable[[str], object]) -> list[Figure]:
    """Bytes of the tab's files as they are sent, and seconds from its data to the drawn page."""
    missing = missing_browser()
    if missing:
        say(f"Skipped: the tab, which needs a browser: {missing}.")
        return []
    say(f"opening the tab with {RUNS} runs")
    with tempfile.TemporaryDirectory() as folder:
        write_runs(Path(folder), RUNS)
        with board(Path(folder)) as address:
            found = open_tab(address, RUNS)
    return [
        Figure("opening the tab: its files", found["bytes"] / 1e6, "MB", 1),
        Figure(f"the tab draws {RUNS} runs", found["seconds"], "s", 2),
    ]


def missing_browser() -> str | None:
    """What must be installed to measure the tab; None if all is there."""
    if importlib.util.find_spec("selenium") is None:
        return "pip install selenium"
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        return "apt-get install chromium chromium-driver"
    return None


def write_runs(folder: Path, count: int) -> None:
    """Event files of `count` runs with the points of 10,000 steps, which grok one after another."""
    from grokkeras.logging.tensorboard import TensorBoardWriter
    from grokkeras.training.plan import next_evaluation

    steps = [1]
    while steps[-1] < 10_000:
        steps.append(next_evaluation(steps[-1], 100))
    for place in range(count):
        writer = TensorBoardWriter(folder / f"run-{place:03d}" / "tensorboard")
        for step in steps:
            learnt, understood = step / (100 + place), step / (1000 + 20 * place)
            writer.evaluation(
                {
                    "step": step,
                    "train_loss": 1 / (1 + learnt**4),
                    "train_accuracy": min(1.0, learnt),
                    "val_loss": 1 / (1 + understood**4),
                    "val_accuracy": min(1.0, understood**4),
                    "learning_rate": 0.001,
                    "weight_decay": 1.0,
                    "dropout_rate": 0.0,
                }
            )
        writer.close()


@contextlib.contextmanager
def board(logdir: Path) -> Iterator[str]:
    """The address of `grokkeras board` on a folder, while entered."""
    with socket.socket() as found:
        found.bind(("localhost", 0))
        port = found.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "grokkeras", "board", str(logdir), "--port", str(port)],
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://localhost:{port}"
    try:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not _answers(address):
            if server.poll() is not None or time.monotonic() > deadline:
                raise GrokkerasError("TensorBoard did not start: try `grokkeras board` by hand.")
            time.sleep(0.2)
        yield address
    finally:
        server.terminate()
        server.wait()


def open_tab(address: str, runs: int) -> dict[str, Any]:
    """Opens the tab once TensorBoard has read all runs.

    Returns:
        `rows` of its table, `bytes` and `assets` it loaded, `seconds` from data to the drawn page.
    """
    from selenium import webdriver
    from selenium.webdriver.support.ui import WebDriverWait

    _wait_for_runs(address, runs)
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for argument in ("--headless=new", "--no-sandbox", "--window-size=1280,1000"):
        options.add_argument(argument)
    service = webdriver.chrome.service.Service(shutil.which("chromedriver"))
    browser = webdriver.Chrome(options=options, service=service)
    try:
        browser.get(f"{address}/#grokking")
        wait = WebDriverWait(browser, _PATIENCE_SECONDS)
        frame = wait.until(lambda found: found.find_elements("css selector", "iframe"))[0]
        browser.switch_to.frame(frame)
        rows = "return document.querySelectorAll('tbody tr').length"
        wait.until(lambda found: found.execute_script(rows) >= runs)
        found: dict[str, Any] = browser.execute_async_script(_WATCH)
    finally:
        browser.quit()
    if found["seconds"] is None:
        raise GrokkerasError(
            "The tab drew its runs, but the browser told no time of their arrival."
        )
    return found


def _answers(address: str) -> bool:
    with contextlib.suppress(urllib.error.URLError, ConnectionError):
        urllib.request.urlopen(f"{address}/data/plugins_listing", timeout=30).close()
        return True
    return False


def _wait_for_runs(address: str, runs: int) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        with urllib.request.urlopen(f"{address}/data/plugin/grokking/data", timeout=60) as answer:
            if len(json.load(answer)["runs"]) >= runs:
                return
        if time.monotonic() > deadline:
            raise GrokkerasError(f"TensorBoard did not read {runs} runs in time.")
        time.sleep(0.5)
