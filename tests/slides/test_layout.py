"""What a class sees: every deck, built and measured in a browser."""

import shutil
import subprocess
from pathlib import Path

from slides import drawing

import pytest

pytestmark = pytest.mark.browser
DECKS = sorted(path.stem for path in drawing.SLIDES.glob("[01]*.md"))
POINT = 1280 / 960  # of a page that is 960 points wide, in pixels
SHORT = {"lead", "question"}  # slides that may end early
MEASURE = Path(__file__).with_name("measure.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    if shutil.which("npm") is None:
        pytest.skip("there is no npm on this machine, so no deck can be built")
    folder, npm = tmp_path_factory.mktemp("slides"), ["npm", "--prefix", str(drawing.SLIDES)]
    if not (drawing.SLIDES / "node_modules/@fontsource-variable").is_dir():
        subprocess.run([*npm, "ci"], check=True)
    subprocess.run([*npm, "run", "html", "--", "--output", str(folder)], check=True)
    return folder


@pytest.fixture(scope="module")
def measured(built):
    """Return what measure.js finds in each deck, and the addresses that the deck asks for."""
    sync_api, chromium = pytest.importorskip("playwright.sync_api"), shutil.which("chromium")
    if chromium is None:
        pytest.skip("there is no Chromium on this machine, so no deck can be measured")
    found = {}
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name in DECKS:
            page, asked = browser.new_page(viewport={"width": 1280, "height": 720}), []
            page.emulate_media(media="print")  # all slides are shown at once
            page.on("request", lambda request, asked=asked: asked.append(request.url))
            page.goto((built / f"{name}.html").as_uri())
            found[name] = page.evaluate(MEASURE) | {"asked": asked}
        browser.close()
    return found


@pytest.fixture(params=DECKS)
def deck(request, measured):
    return measured[request.param]


def test_nothing_leaves_the_slide_or_touches_title_and_footer(deck):
    assert not {slide["title"]: slide["outside"] for slide in deck["slides"] if slide["outside"]}


def test_the_last_row_can_read_it(deck):
    sizes = {"text": 24, "code": 20, "labels": 16 * POINT}
    for slide in deck["slides"]:
        small = [each for kind, least in sizes.items() for each in slide[kind] if each[0] < least]
        assert not small, f"{slide['title']}: too small, in pixels: {small}"


def test_a_slide_is_full_or_short_on_purpose(deck):
    for slide in deck["slides"]:
        assert slide["bottom"] >= 0.6 or SHORT & set(slide["classes"]), slide["title"]


def test_a_deck_is_one_english_file_that_leads_to_the_next(deck, built):
    assert deck["lang"] == "en"
    assert set(deck["fonts"]) == {"Inconsolata Variable", "Noto Sans KR Variable"}
    asked = [url for url in deck["asked"] if not url.startswith("data:")]
    assert len(asked) == 1, f"the deck needs {asked[1:]}"
    assert not [link for link in deck["links"] if not (built / link).is_file()]
