"""What every deck keeps to: its form, its code, its pictures, and its figures."""

import re
from pathlib import Path

from benchmarks.experiments import EXPERIMENTS
from cnnkit import evaluation
from slides import drawing, figures
from tools import notebooks

import nbformat
import pytest
import yaml

DECKS = sorted(path.stem for path in drawing.SLIDES.glob("[01]*.md"))
NOTE = re.compile(r"<!--(?! _class)(.*?)-->", re.DOTALL)
CODE = re.compile(r"```python\n(.*?)```", re.DOTALL)
OUTPUT = re.compile(r"```text\n(.*?)```", re.DOTALL)
COLOR = re.compile(r"\x1b\[[\d;]*m")
IMAGE = re.compile(r"!\[(.*?)\]\((.*?)\)", re.DOTALL)
NOT_TEXT = re.compile(r"```.*?```|\$\$?.*?\$\$?|<!--.*?-->", re.DOTALL)
MEASURED = re.compile(r'<data value="(\w+) (\w+)">(.*?)</data>')
COVER = "../notebooks/cover.png"
PATH = re.compile(r"`((?:notebooks|slides|tools)/\S+?)`")


def read(name: str) -> str:
    return (drawing.SLIDES / f"{name}.md").read_text(encoding="utf-8")


def slides(name: str) -> list[str]:
    _, head, *parts = re.split(r"^---$", read(name), flags=re.MULTILINE)
    settings = yaml.safe_load(head)
    assert settings["marp"] and settings["theme"] == "cnnkit"
    number = f"{int(name[:2])}. "
    assert number in settings["footer"] and f"\n# {number}" in parts[0]
    return parts


def test_every_chapter_has_a_deck():
    assert sorted(path.stem for path in notebooks.SCRIPTS.glob("*.py")) == DECKS


@pytest.mark.parametrize("name", DECKS)
def test_a_deck_has_a_dozen_or_two_slides_each_with_something_to_say(name):
    assert 12 <= len(slides(name)) <= 24
    for slide in slides(name):
        (note,) = NOTE.findall(slide)
        title, *body = NOTE.sub("", slide).split("\n## ")[-1].strip().splitlines()
        assert len(note.split()) >= 8, f"{title}: nothing to tell the class"
        assert any(line.strip() for line in body), f"{title}: an empty slide"
        assert len(title) <= 60
    assert sum("?" in NOTE.findall(slide)[0] for slide in slides(name)) >= len(slides(name)) * 2 / 3


@pytest.mark.parametrize("name", DECKS)
def test_the_code_on_a_slide_is_the_notebooks(name):
    script = (notebooks.SCRIPTS / f"{name}.py").read_text(encoding="utf-8")
    lines = {line.strip() for line in script.splitlines()}
    for slide in slides(name):
        code = [line for block in CODE.findall(slide) for line in block.splitlines() if line]
        assert len(code) <= 10
        assert not [line for line in code if line.strip() not in lines]
    blocks = CODE.findall(read(name)) + OUTPUT.findall(read(name))
    assert len(blocks) == read(name).count("```") // 2 >= 1


@pytest.mark.parametrize("name", DECKS)
def test_the_output_on_a_slide_is_stored_in_the_notebook(name):
    cells = nbformat.read(notebooks.NOTEBOOKS / f"{name}.ipynb", as_version=4).cells
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    printed = COLOR.sub("", "".join(output.get("text", "") for output in outputs)).splitlines()
    for block in OUTPUT.findall(read(name)):
        assert set(block.splitlines()) <= set(printed)


@pytest.mark.parametrize("name", DECKS)
def test_the_pictures_on_a_slide_are_drawn_and_described(name):
    pictures = IMAGE.findall(read(name))
    assert pictures
    for text, path in pictures:
        assert len(text) >= 20, f"{path} has no alternative text"
        if path != COVER:
            assert Path(path).suffix == ".svg" and Path(path).stem in figures.FIGURES
            assert Path(path).stem[:2] == name[:2]


def test_every_picture_is_on_a_slide():
    shown = {path for name in DECKS for _, path in IMAGE.findall(read(name))}
    assert shown == {COVER, *(f"figures/{name}.svg" for name in figures.FIGURES)}


@pytest.mark.parametrize("name", DECKS)
def test_the_measured_figures_are_the_recorded_ones(name):
    text = read(name)
    for experiment, scale, figure in MEASURED.findall(text):
        recorded = evaluation.spread(experiment, scale)
        assert figure == f"{recorded.mean:.3f} ± {recorded.deviation:.3f}", experiment
    assert "±" not in MEASURED.sub("", text), "a measured figure that is not marked as one"
    script = (notebooks.SCRIPTS / f"{name}.py").read_text(encoding="utf-8")
    plain = NOT_TEXT.sub("", MEASURED.sub("", text))
    for figure in re.findall(r"(?<![\d.,/])\d+\.\d+(?![\d.])", plain):
        whole = re.compile(rf"(?<![\d.]){re.escape(figure)}(?![\d.])")
        assert whole.search(script), f"{figure} is neither a recorded figure nor the chapter's"
    for command in re.findall(
        r"python -m benchmarks results ([\w ]+) --scale (?:sample|full)", text
    ):
        assert set(command.split()) <= set(EXPERIMENTS)
    if name[:2] <= "09":
        assert MEASURED.search(text) and "python -m benchmarks results" in text


@pytest.mark.parametrize("name", DECKS)
def test_what_a_deck_points_to_is_there(name):
    text = IMAGE.sub("", read(name))
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert (drawing.SLIDES / target).exists(), target
    for path in PATH.findall(text):
        assert (notebooks.ROOT / path).exists(), path
    assert f"`notebooks/{name}.ipynb`" in text
    assert (f"`notebooks/homework/{name}.ipynb`" in text) == (name[:2] <= "10")


def test_a_lecture_takes_what_the_syllabus_says():
    syllabus = (notebooks.ROOT / "docs/teaching.md").read_text(encoding="utf-8")
    table = (drawing.SLIDES / "README.md").read_text(encoding="utf-8")
    for name in DECKS:
        number = int(name[:2])
        minutes = re.findall(rf"^\| \d+ \| \[?{number}\. [^|]*\| (\d+) \|", syllabus, re.MULTILINE)
        (note,) = NOTE.findall(slides(name)[0])
        assert minutes == re.findall(r"(\d+) minutes", note), name
        assert f"({name}.md) | {' + '.join(minutes)} minutes |" in table
