"""The pages beside the README: terms, links and versions that have to agree with the course."""

import re
from pathlib import Path

import cnnkit

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted(ROOT.glob("*.md")),
    *(
        ROOT / part / "README.md"
        for part in ("data", "slides", "benchmarks", "benchmarks/measured")
    ),
]
CHAPTERS = sorted((ROOT / "notebooks" / "scripts").glob("*.py"))
KOREAN = r"[가-힣][가-힣 ]*"


def given_terms() -> dict[str, int]:
    """The Korean terms that chapters give in brackets, each with the chapter."""
    return {
        term: int(path.name[:2])
        for path in reversed(CHAPTERS)
        for term in re.findall(
            rf"\(({KOREAN})[,;:)]", path.read_text(encoding="utf-8").replace("\n# ", " ")
        )
    }


def test_the_glossary_has_every_korean_term_and_the_chapter_where_it_comes_first():
    page = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    rows = re.findall(rf"^\| .*? \| ({KOREAN}) \| (\d+) \|", page, re.MULTILINE)
    assert len(rows) == len(set(rows)) > 60
    assert {term: int(chapter) for term, chapter in rows} == given_terms()


def test_the_glossary_is_in_alphabetical_order():
    page = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    terms = [row.split("|")[1].strip().lower() for row in page.splitlines()[6:]]
    assert terms == sorted(terms)


def test_every_chapter_has_its_row_on_what_the_full_scale_takes():
    page = (ROOT / "docs" / "full_scale.md").read_text(encoding="utf-8")
    chapters = [int(number) for number in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)]
    assert chapters == list(range(1, len(CHAPTERS) + 1))


def anchors(page: Path) -> set[str]:
    """The fragments that lead to a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere_and_say_where(page):
    prose = re.sub(r"```.*?```|`[^`]*`", "code", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for text, link in re.findall(r"\[([^\]]*)\]\(([^)]+)\)", prose):
        assert text.lower() not in ("here", "this", "link", "another page", "how"), link
        if link.startswith("http"):
            continue
        target, _, fragment = link.partition("#")
        there = page.parent / target if target else page
        assert there.exists(), link
        assert not fragment or fragment in anchors(there), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_no_line_of_prose_is_longer_than_an_editor_is_wide(page):
    lines = page.read_text(encoding="utf-8").splitlines()
    assert not [line for line in lines if len(line) > 120 and not line.startswith("|")]


def test_the_front_page_is_short_and_names_every_chapter_deck_and_assignment():
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(page.splitlines()) <= 120
    for path in CHAPTERS:
        files = [f"notebooks/{path.stem}.ipynb", f"slides/{path.stem}.md"]
        files += [f"notebooks/homework/{path.stem}.ipynb"] * (path.stem[:2] <= "10")
        assert all(f"]({file})" in page for file in files)


def test_the_syllabus_names_every_chapter_and_the_points_of_its_homework():
    page = (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")
    for path in CHAPTERS:
        assert f"(../notebooks/{path.stem}.ipynb)" in page
        master = ROOT / "notebooks" / "homework" / "masters" / path.name
        if master.exists():
            lines = re.findall(r"points: *(.+)", master.read_text(encoding="utf-8"))
            points = re.findall(r"\d+", " ".join(lines))
            row = next(row for row in page.splitlines() if f"{int(path.name[:2])}. " in row
                       and "points" in row)  # fmt: skip
            assert f"| {sum(map(float, points)):.0f} points |" in row


def test_the_citation_names_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == cnnkit.__version__
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
