"""The page at `/` in a browser: numbers, a drop-down, many numbers, an error, the circle."""

from __future__ import annotations

import json

import numpy as np
import pytest
from browser import chromium, errors, hosts, until
from served import copy_version, make_version, renew_manifest, serving


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    models = folder / "models"
    copy_version(models, 1)
    for name in ("features", "words"):
        (models / name).mkdir()
    make_version(models / "features" / "1", np.eye(3), features=True)
    words = make_version(models / "words" / "1", np.eye(2), labels=["even", "odd"])
    card_file = words / "assets.extra" / "grokkeras.json"
    card = json.loads(card_file.read_text())
    card["title"] = "<b>bold</b>"
    card_file.write_text(json.dumps(card))
    renew_manifest(words)
    with serving(models, folder / "log") as server, chromium(folder) as browser:
        browser.get(server.url)
        until(lambda: text(browser, "percent"), "the first answer")
        yield browser
        assert hosts(browser) == {f"127.0.0.1:{server.port}"}


def text(browser, name):
    return browser.execute_script("return document.getElementById(arguments[0]).innerText", name)


def choose(browser, model):
    browser.execute_script(
        """const node = document.getElementById("model");
           node.value = arguments[0]; node.dispatchEvent(new Event("change"));""",
        model,
    )
    until(lambda: f"Model {model}," in text(browser, "subtitle"), f"the model {model}")


def fill(browser, **values):
    browser.execute_script(
        """const fields = document.getElementById("form").elements;
           for (const [name, value] of Object.entries(arguments[0])) {
             fields[name].value = value;
             fields[name].dispatchEvent(new Event("input"));
           }""",
        values,
    )


def test_numbers_are_added_on_the_circle_and_a_mistake_is_explained(page):
    choose(page, "quickstart")
    fill(page, a="12", b="95")
    until(lambda: text(page, "answer") == "= 10", "12 + 95")
    assert "% sure" in text(page, "percent")
    assert 'curl -d \'{"a":12,"b":95}\'' in page.find_element("id", "curl").get_attribute(
        "textContent"
    )
    names = page.execute_script(
        """return [...document.querySelectorAll("#marks text")].map((node) =>
             [node.textContent, +node.getAttribute("x"), +node.getAttribute("y")]);"""
    )
    assert [name for name, *_ in names] == ["12", "95", "10"]
    places = np.array([place for _, *place in names])
    apart = np.linalg.norm(places[:, None] - places[None], axis=-1)
    assert apart[~np.eye(3, dtype=bool)].min() > 8  # no name lies on another
    assert errors(page) == []

    fill(page, b="97")
    until(lambda: "b: expected an integer from 0 to 96" in text(page, "problem"), "the refusal")
    assert not page.find_element("id", "probability").is_displayed()
    assert page.execute_script("return document.querySelectorAll('#marks *').length") == 0
    fill(page, b="0")
    until(lambda: text(page, "answer") == "= 12", "12 + 0")
    assert text(page, "problem") == ""
    errors(page)  # the browser itself reports the 400


def test_names_are_chosen_from_a_list_and_are_never_taken_for_markup(page):
    choose(page, "words")
    assert text(page, "title") == "<b>bold</b>"
    options = "return [...document.querySelectorAll('select[name=a] option')].map((o) => o.value)"
    assert page.execute_script(options) == ["even", "odd"]
    fill(page, a="odd", b="even")
    until(lambda: text(page, "answer") == "= odd", "the answer's name")
    assert not page.find_element("id", "circle").is_displayed()
    assert errors(page) == []


def test_many_numbers_are_typed_with_spaces_and_random_ones_answer(page):
    choose(page, "features")
    fill(page, x="0.5 -2  7")
    until(lambda: text(page, "answer") == "= 2", "the largest")
    fill(page, x="")
    until(lambda: text(page, "answer").strip() == "", "no answer to nothing")
    page.find_element("id", "random").click()
    until(lambda: text(page, "answer").startswith("= "), "an answer to random numbers")
    assert errors(page) == []
