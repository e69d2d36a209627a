"""The tab in a browser: a live run, a marker as it appears, axis, theme, export, links."""

from __future__ import annotations

import csv
import sys
import urllib.parse

import pytest
from boards import free_port, serving, until_runs
from browser import chromium, errors, hosts, selenium_or_skip, until
from event_files import NASTY, STEPS, odd_runs, record, write

from grokkeras.logging.tensorboard import TensorBoardWriter


@pytest.fixture
def board(tmp_path):
    selenium_or_skip()
    root = tmp_path / "runs"
    odd_runs(root)
    live = TensorBoardWriter(root / "live" / "tensorboard")
    live.evaluation(record(10))
    port = free_port()
    command = [sys.executable, "-m", "grokkeras", "board", str(root), "--port", str(port)]
    with serving(command, f"http://localhost:{port}") as address:
        until_runs(address, 8)
        yield address, live
    live.close()


def choose(browser, title, value):
    browser.execute_script(
        """const node = document.querySelector(`select[aria-label="${arguments[0]}"]`);
           node.value = arguments[1];
           node.dispatchEvent(new Event("change"));""",
        title,
        value,
    )


def test_a_live_run_in_the_browser(board, tmp_path):
    address, live = board
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    with chromium(downloads) as browser:

        def all_of(selector):
            return browser.find_elements("css selector", selector)

        def open_tab(link):
            browser.get("about:blank")
            browser.get(link)
            until(lambda: all_of("iframe"), "the tab's frame")
            browser.switch_to.frame(all_of("iframe")[0])
            until(lambda: all_of("tbody tr"), "the table of runs")

        def texts(selector):
            # In one call: the page may draw them anew at any moment.
            return browser.execute_script(
                "return [...document.querySelectorAll(arguments[0])].map((n) => n.textContent)",
                selector,
            )

        # The tab opens by itself. Names are text, whatever is in them.
        open_tab(address)
        assert NASTY in texts("tbody button.name")
        filtered = urllib.parse.quote("live")
        open_tab(f"{address}/#grokking&p.grokking.filter={filtered}")
        assert texts("tbody button.name") == ["live"]
        assert not all_of(".mark")

        # The run goes on: its markers appear without a reload.
        for step in STEPS[1:]:
            live.evaluation(record(step))
        until(lambda: all_of('.mark[data-event="grokking"]'), "the marker of grokking")
        assert all_of('.mark[data-event="memorization"]')
        assert "delay 500 steps" in texts(".chart text")
        assert "overfitting" in texts(".chart text")

        choose(browser, "Steps", "linear")
        assert "optimizer steps" in texts(".chart text")
        choose(browser, "Steps", "log")
        assert "optimizer steps (log)" in texts(".chart text")
        choose(browser, "Second axis", "weight_norm")
        until(lambda: "weight norm" in texts(".chart text"), "the second axis")

        ground = "return getComputedStyle(document.body).backgroundColor"
        light = browser.execute_script(ground)
        choose(browser, "Theme", "dark")
        assert browser.execute_script(ground) != light

        # By keyboard: a read-out and a zoom, which the address keeps.
        chart = all_of(".chart")[0]
        chart.send_keys("\ue014")  # the right arrow
        assert "train: " in texts(".readout")[0]
        chart.send_keys("+")
        browser.switch_to.default_content()
        assert "p.grokking.zoom=" in browser.current_url
        assert "p.grokking.second=weight_norm" in browser.current_url
        link = browser.current_url
        open_tab(link)
        assert texts("tbody button.name") == ["live"]
        until(lambda: "weight norm" in texts(".chart text"), "the linked view")

        for button in ("CSV", "SVG", "PNG"):
            browser.execute_script(
                "[...document.querySelectorAll('.buttons button')]"
                ".find((node) => node.textContent === arguments[0]).click()",
                button,
            )
            name = f"grokking.{button.lower()}"
            until(lambda name=name: (downloads / name).is_file(), f"the download {name}")
        table = (downloads / "grokking.csv").read_text(encoding="utf-8")
        rows = list(csv.DictReader(table.splitlines()))
        assert [int(row["step"]) for row in rows] == list(STEPS)
        assert {row["run"] for row in rows} == {"live"}
        assert float(rows[-1]["val/accuracy"]) == pytest.approx(0.99)
        assert (downloads / "grokking.svg").read_text(encoding="utf-8").startswith("<svg")
        assert (downloads / "grokking.png").read_bytes().startswith(b"\x89PNG")

        assert hosts(browser) == {urllib.parse.urlsplit(address).netloc}
        assert errors(browser) == []


def test_a_run_that_waits_is_shown_its_forecast(tmp_path):
    selenium_or_skip()
    steps = range(10, 2010, 10)
    falling = [record(s, grokked=9999, val_loss=6 - max(0, s - 100) / 500) for s in steps]
    write(tmp_path / "runs" / "waits", falling)
    write(tmp_path / "runs" / "stuck", [record(step, grokked=9999) for step in steps])
    port = free_port()
    command = [sys.executable, "-m", "grokkeras", "board", str(tmp_path / "runs")]
    with serving([*command, "--port", str(port)], f"http://localhost:{port}") as address:
        until_runs(address, 2)
        with chromium(tmp_path) as browser:

            def look(name):
                browser.get("about:blank")
                browser.get(f"{address}/#grokking&p.grokking.filter={name}")
                frames = until(lambda: browser.find_elements("css selector", "iframe"), "the tab")
                browser.switch_to.frame(frames[0])
                until(lambda: browser.find_elements("css selector", ".story p"), "the story")
                return browser.find_element("css selector", ".story").text

            assert "Forecast: groks at about" in look("waits")
            (interval,) = browser.find_elements("css selector", ".chart .forecast")
            drawn = interval.rect
            plot = browser.find_element("css selector", ".chart").rect
            assert plot["x"] < drawn["x"] < drawn["x"] + drawn["width"] < plot["x"] + plot["width"]
            assert "Forecast: no sign of grokking" in look("stuck")
            assert not browser.find_elements("css selector", ".chart .forecast")
            assert errors(browser) == []
