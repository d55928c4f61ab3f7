"""The web book, built once: its links, and what one meets in the browser."""

import functools
import http.server
import itertools
import os
import shutil
import subprocess
import sys
import threading
from urllib.parse import unquote, urljoin, urlsplit

from tools import book

import numpy as np
import pytest
from bs4 import BeautifulSoup
from keras import ops

pytestmark = pytest.mark.browser
AXE = book.WEB / "node_modules/axe-core/axe.min.js"
CHAPTER, STEPPER = "notebooks/01_convolution.html", "docs/convolution.html"
PAGES = ["docs/index.html", CHAPTER, STEPPER, "docs/api.html", "search.html?q=kernel"]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder, before = tmp_path_factory.mktemp("book") / "pages", os.times()
    command = [sys.executable, "-m", "tools.book", folder]
    done = subprocess.run(command, cwd=book.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder, done, os.times().children_user - before.children_user


@pytest.fixture(scope="module")
def pages(built):
    """Every page of the book, parsed, by its path."""
    found = {path.relative_to(built[0]).as_posix(): path for path in built[0].rglob("*.html")}
    return {
        name: BeautifulSoup(path.read_bytes(), "html.parser")
        for name, path in found.items()
        if name != "index.html" and not name.startswith(("_static/", "slides/0", "slides/1"))
    }


@pytest.fixture(scope="module")
def site(built):
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=built[0])
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture
def npm(built) -> None:
    """MathJax and axe-core, which npm installs."""
    if not AXE.is_file():
        pytest.skip("npm has not installed docs/web, so there is neither MathJax nor axe-core")


@pytest.fixture(scope="module")
def chromium():
    api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    if not (program := shutil.which("chromium")):
        pytest.skip("there is no Chromium on this machine")
    with api.sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])


@pytest.fixture
def page(chromium):
    with chromium.new_context(reduced_motion="reduce") as context:
        yield context.new_page()


def test_the_book_is_built_in_a_minute_without_a_warning(built):
    folder, done, seconds = built
    assert (done.returncode, done.stderr) == (0, "")
    assert list(folder.parent.iterdir()) == [folder]
    assert seconds < 60


def test_every_link_and_anchor_leads_somewhere(built, pages):
    anchors = {name: {tag["id"] for tag in page.find_all(id=True)} for name, page in pages.items()}
    lost = []
    for name, page in pages.items():
        for tag in page.find_all(["a", "img", "script", "link"]):
            link = tag.get("href", tag.get("src", ""))
            target = urlsplit(urljoin(f"/{name}", link))
            path, fragment = unquote(target.path).lstrip("/"), unquote(target.fragment)
            if target.scheme or link in ("", "#"):
                continue
            if not (built[0] / path).is_file() or fragment not in {
                "",
                *anchors.get(path, [fragment]),
            }:
                lost.append((name, link))
    assert lost == []


def test_every_figure_of_a_chapter_is_described(pages):
    chapters = [page for name, page in pages.items() if name.startswith("notebooks/")]
    texts = [[image.get("alt", "") for image in page.find_all("img")] for page in chapters]
    assert len(chapters) == 11 and all(texts)
    assert [text for text in itertools.chain(*texts) if len(text) < 20 or "/" in text[:12]] == []


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_missing_or_loaded_from_elsewhere(page, site, name):
    asked, problems = {}, []
    page.on("request", lambda request: asked.setdefault(request.url, 200))
    page.on("response", lambda response: asked.update({response.url: response.status}))
    page.on("pageerror", lambda error: problems.append(error))
    page.goto(site + name, wait_until="networkidle")
    wrong = [(url, status) for url, status in asked.items()
             if not url.startswith((site, "data:")) or status != 200]  # fmt: skip
    assert (wrong, problems) == ([], [])


def test_no_page_scrolls_sideways_on_a_telephone(page, site, pages):
    page.set_viewport_size({"width": 360, "height": 740})
    for name in pages:
        page.goto(site + name)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, name


def test_formulas_are_typeset(page, site, pages, npm):
    page.goto(site + CHAPTER)
    page.locator("mjx-container").first.wait_for()
    assert page.locator("mjx-container").count() == len(pages[CHAPTER].select(".math")) > 3
    assert page.locator("mjx-merror").count() == 0


@pytest.mark.parametrize("word", ["overfitting", "grad_cam", "커널", "합성"])
def test_the_search_finds_english_and_korean_words(page, site, word):
    page.goto(f"{site}search.html?q={word}", wait_until="networkidle")
    found = page.locator("#search-results").inner_text()
    assert {"합성": "Chapter 1.", "grad_cam": "explain"}.get(word, "Glossary") in found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious(page, site, npm, name, scheme):
    page.emulate_media(color_scheme=scheme)
    page.goto(site + name, wait_until="networkidle")
    page.add_script_tag(path=AXE)
    found = page.evaluate("axe.run()")["violations"]
    serious = [rule for rule in found if rule["impact"] in ("serious", "critical")]
    assert {rule["id"]: [node["html"] for node in rule["nodes"]] for rule in serious} == {}


def sums(padded, kernel, stride):
    """What Keras makes of a picture that has its zeros around it."""
    padded, kernel = (np.asarray(grid, "float32")[..., None] for grid in (padded, kernel))
    kept = ops.conv(padded[None], kernel[..., None], stride, "valid")
    return ops.convert_to_numpy(kept)[0, :, :, 0]


def test_the_stepper_computes_as_keras_does(page, site):
    page.goto(site + STEPPER)
    random = np.random.default_rng(0)
    for size, padding, stride in itertools.product((2, 3, 5), (0, 1, 2), (1, 2, 3)):
        picture, kernel = random.integers(0, 10, (8, 8)), random.normal(size=(size, size))
        expected = sums(np.pad(picture, padding), kernel, stride)
        given = [picture.tolist(), kernel.tolist(), padding, stride]
        computed = page.evaluate("given => convolve(...given)", given)
        np.testing.assert_allclose(computed, expected, atol=1e-4)


def shown(page, part):
    """Return the numbers of a table on the stepper's page."""
    return page.locator(f"[data-part={part}]").evaluate(
        """part => [...part.querySelectorAll("tr")].map(line => [...line.cells].map(
        cell => toNumber(cell.querySelector("input")?.value ?? cell.textContent)))"""
    )


@pytest.mark.parametrize(("padding", "stride"), [(0, 1), (1, 2), (2, 3)])
def test_the_stepper_shows_each_sum_of_what_is_typed(page, site, padding, stride):
    page.goto(site + STEPPER)
    page.select_option("[name=padding]", str(padding))
    page.select_option("[name=stride]", str(stride))
    page.get_by_label("input, row 2, column 3", exact=True).fill("4,5")
    page.get_by_label("kernel, row 1, column 1", exact=True).fill("−1/2")
    padded, kernel = np.array(shown(page, "input")), shown(page, "kernel")
    assert padded[1 + padding, 2 + padding] == 4.5 and kernel[0][0] == -0.5
    expected = sums(padded, kernel, stride)
    assert f"+ 1 = {len(expected)}." in page.locator("[data-part=size]").inner_text()
    for value in expected.flat:
        written = page.locator("[data-part=sum]").inner_text().replace("−", "-")
        assert float(written) == pytest.approx(value, abs=0.01)
        assert np.sum(shown(page, "products")) == pytest.approx(value, abs=0.05)
        page.click("[name=next]")
    np.testing.assert_allclose(shown(page, "output"), expected, atol=0.51)  # short, for a cell


def test_the_stepper_works_by_keyboard_and_plays(page, site):
    page.goto(site + STEPPER)
    page.locator("[name=pooling]").focus()
    for key in ("Tab", "ArrowDown", "ArrowRight", "8", "Tab", "Tab"):
        page.keyboard.press(key)
    assert page.get_by_label("input, row 2, column 2", exact=True).input_value() == "8"
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "ArrowLeft"):
        page.keyboard.press(key)
    assert "row 2, column 2" in page.locator("[data-part=status]").inner_text()
    page.click("[name=play]")
    page.get_by_text("row 2, column 4").wait_for()


@pytest.mark.parametrize("pooling", ["none", "max"])
@pytest.mark.parametrize(("kernel", "size"), [("sharpen", 3), ("blur, 5 × 5", 5)])
@pytest.mark.parametrize("stride", [1, 2])
def test_the_receptive_field_holds_the_pixels_that_count(page, site, pooling, kernel, size, stride):
    page.goto(site + STEPPER)
    for name, choice in {"pooling": pooling, "named": kernel, "stride": stride}.items():
        page.select_option(f"[name={name}]", str(choice))
    expected = []
    for layers in range(1, 5):
        seen = {0}  # the places of a line that the first number depends on, back to the input
        for _ in range(layers):
            if pooling == "max":
                seen = {2 * place + step for place in seen for step in range(2)}
            seen = {stride * place + step for place in seen for step in range(size)}
        expected.append(f"{max(seen) + 1} × {max(seen) + 1}")
    assert page.locator(".fields tr:last-child td").all_inner_texts() == expected
