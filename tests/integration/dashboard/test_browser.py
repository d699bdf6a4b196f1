"""The page in a real browser: it fits, breaks no rule of its own, and works without scripts."""

import shutil
from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, Error, sync_playwright

from tests.integration.dashboard.conftest import Scene

pytestmark = pytest.mark.may_skip
LONG = "stripe.AuthenticationError: " + "no_spaces_at_all_" * 12


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        try:
            found = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        except Error as error:
            pytest.skip(f"no Chromium: {error}")
        yield found
        found.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_it_fits_and_nothing_is_blocked(
    browser: Browser, scene: Scene, address: str, width: int, scheme: Literal["light", "dark"]
) -> None:
    given = scene.open(message=LONG, labels={"a_long_label_of_the_application": LONG}, queries=({"query": LONG},))
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("requestfailed", lambda failed: said.append(failed.url))
    page.goto(scene.link(given, address))

    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("getComputedStyle(document.querySelector('button')).minHeight") != "auto"
    assert said == []
    context.close()


def test_the_button_works_without_scripts(browser: Browser, scene: Scene, address: str) -> None:
    given = scene.open()
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(scene.link(given, address))
    page.get_by_label("Your name").fill("Ana")
    page.get_by_role("button", name="Acknowledge").click()

    assert page.get_by_role("status").inner_text().startswith("Acknowledged by Ana, just now")
    page.reload()
    assert scene.state(given).acknowledged_by == "Ana"
    context.close()
