"""Collecting what was handed in and grading it, by Otter itself, as a lecturer does."""

import csv
import os
import shutil
import subprocess
import sys
import tempfile
import types
import zipfile
from pathlib import Path

from tools import grading, homework, notebooks

import nbformat
import psutil
import pytest
from otter.test_files import ExceptionTestFile
from typer.testing import CliRunner

NAME = "01_convolution"
FLIPPED = ("* kernel)", "* kernel[::-1, ::-1])")


def command(*arguments: object, fails: bool = False) -> str:
    result = CliRunner().invoke(homework.app, [*map(str, arguments)])
    assert (result.exit_code != 0) == fails, result.output
    return " ".join(result.output.replace("│", " ").split())


@pytest.fixture(autouse=True)
def dist(tmp_path, monkeypatch) -> None:
    """Leave alone what a lecturer has built in the checkout."""
    monkeypatch.setattr(homework, "DIST", tmp_path / "dist")


@pytest.fixture(scope="module")
def solution(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("homework")
    homework.make(NAME, folder)
    return folder / NAME / "autograder" / f"{NAME}.ipynb"


def hand_in(solution: Path, path: Path, *changes: tuple[str, str]) -> None:
    notebook = nbformat.read(solution, as_version=4)
    for old, new in changes:
        (cell,) = [cell for cell in notebook.cells if old in cell.source]
        cell.source = cell.source.replace(old, new)
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)


def rows(submitted: Path) -> list[dict[str, str]]:
    with (submitted / "grades.csv").open(encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_a_folder_is_graded(solution, tmp_path):
    handed = tmp_path / "handed"
    easier = ("SIDE, KERNEL, FILTERS = ", "SIDE, KERNEL, FILTERS = 3, 1, 1  # ")
    hand_in(solution, handed / "kim" / f"Copy of {NAME} (1).ipynb", FLIPPED, easier)
    (handed / "park").mkdir()
    (handed / "park" / f"{NAME}.ipynb").write_text("the dog ate it")
    (handed / "choi").mkdir()
    (handed / "choi" / "homework.docx").write_text("")
    (handed / "lim").mkdir()
    submitted = tmp_path / "submitted"
    said = command("collect", NAME, handed, submitted)
    assert "lim: no notebook" in said and "an empty folder" in said
    assert "2 notebooks" in said and "choi: no notebook" in said and "homework.docx" in said
    command("grade", NAME, submitted)
    kim, park = rows(submitted)
    scores = {"q1": "1", "q2": "2", "q3": "0", "q4": "3", "q5": "2", "q6": "2"}
    assert kim == {"student": "kim", "points": "10", "possible": "13", **scores}
    nothing = dict.fromkeys(scores, "0")
    assert park == {"student": "park", "points": "0", "possible": "13", **nothing}
    pages = {path.stem: path.read_text(encoding="utf-8") for path in submitted.glob("*/*.txt")}
    assert "10 of 13 points" in pages["kim"]
    assert "q2: 2 of 2.\nq3: 0 of 3. Your kernel is flipped." in pages["kim"]
    assert "not a notebook" in pages["park"]


@pytest.mark.slow
def test_a_notebook_that_never_ends_is_stopped(solution, tmp_path):
    hand_in(solution, tmp_path / "lee.ipynb", ("def max_pooling", "while True: 1\ndef max_pooling"))
    command("grade", NAME, tmp_path, "--seconds", 4)
    (lee,) = rows(tmp_path)
    assert (lee["points"], lee["possible"], lee["q1"]) == ("0", "13", "0")
    page = (tmp_path / "feedback" / "lee.txt").read_text(encoding="utf-8")
    assert "stopped after 4 seconds" in page
    left = [each.cmdline() for each in psutil.Process().children(recursive=True)]
    assert not [line for line in left if "otter" in line or "ipykernel_launcher" in line]


def test_given_cells_are_put_back_and_answers_and_own_cells_stay(solution, tmp_path):
    student = solution.parents[1] / "student" / solution.name
    notebook = nbformat.read(solution, as_version=4)
    del notebook.cells[2], notebook.cells[-1]
    notebook.cells[1].source = "import os"
    notebook.cells.insert(5, nbformat.v4.new_code_cell("own = 1"))
    nbformat.write(notebook, tmp_path / "kim.ipynb")
    grading.restore(tmp_path / "kim.ipynb", student, tmp_path / "restored.ipynb")
    restored = nbformat.read(tmp_path / "restored.ipynb", as_version=4).cells
    (own,) = [number for number, cell in enumerate(restored) if cell.source == "own = 1"]
    del restored[own]
    expected = [cell.source for cell in nbformat.read(solution, as_version=4).cells]
    assert [cell.source for cell in restored] == expected


def test_collecting_takes_the_latest_notebook_of_each_student(tmp_path):
    handed = tmp_path / "handed"
    for name, text, age in (
        (f"kim/{NAME}.ipynb", "old", 9),
        (f"kim/{NAME}-1.ipynb", "new", 1),
        (f"kim/.ipynb_checkpoints/{NAME}-checkpoint.ipynb", "saved", 0),
        ("kim/02_mnist.ipynb", "another", 0),
        (f"lee_{NAME}-2.ipynb", "lee's", 5),
        (f"lee_{NAME.upper()}.ipynb", "lee's first", 6),
        (f"김철수/{NAME} (1).ipynb", "김's", 5),
        (f"__MACOSX/kim/._{NAME}.ipynb", "a Mac's", 0),
    ):
        path = handed / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        os.utime(path, (1.7e9 - 100 * age, 1.7e9 - 100 * age))
    (handed / "lost").symlink_to(tmp_path / "nowhere")
    assert collected(handed) == {"kim": "new", "lee": "lee's", "김철수": "김's"}
    (handed / "lost").unlink()
    zipped = shutil.make_archive(str(tmp_path / "zipped"), "zip", handed)
    assert collected(Path(zipped)) == collected(handed)
    wrapped = shutil.make_archive(str(tmp_path / "wrapped"), "zip", tmp_path, "handed")
    assert collected(Path(wrapped)) == collected(handed)


def collected(source: Path) -> dict[str, str]:
    with tempfile.TemporaryDirectory() as submitted:
        grading.collect(NAME, source, Path(submitted))
        return {path.stem: path.read_text() for path in Path(submitted).iterdir()}


def test_one_students_folder_is_not_taken_for_a_class(tmp_path):
    for names, students in (
        ([f"kim/{NAME}.ipynb"], {"kim"}),
        ([f"kim/Copy of {NAME}.ipynb", "kim/notes.txt"], {"kim"}),
        ([f"class/kim_{NAME}.ipynb", f"class/lee_{NAME}.ipynb"], {"kim", "lee"}),
    ):
        handed = Path(tempfile.mkdtemp(dir=tmp_path))
        for name in names:
            (handed / name).parent.mkdir(exist_ok=True)
            (handed / name).write_text("")
        assert set(collected(handed)) == students


def test_the_names_of_a_korean_windows_are_read(tmp_path):
    name = f"김철수_{NAME}.ipynb".encode("cp949")
    with zipfile.ZipFile(tmp_path / "handed.zip", "w") as archive:
        archive.writestr("x" * len(name), "{}")
    raw = (tmp_path / "handed.zip").read_bytes()
    (tmp_path / "handed.zip").write_bytes(raw.replace(b"x" * len(name), name))
    assert set(collected(tmp_path / "handed.zip")) == {"김철수"}


def test_a_damaged_zip_file_is_told(tmp_path):
    with zipfile.ZipFile(tmp_path / "handed.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("kim.ipynb", "text" * 1000)
    raw = bytearray((tmp_path / "handed.zip").read_bytes())
    start = raw.index(b"kim.ipynb") + len("kim.ipynb")
    raw[start : start + 8] = b"\xff" * 8  # no compressed data begin like this
    (tmp_path / "handed.zip").write_bytes(raw)
    said = command("collect", NAME, tmp_path / "handed.zip", tmp_path / "submitted", fails=True)
    assert "cannot be unpacked" in said and "invalid block type" in said


def test_mistakes_of_a_lecturer_are_told(tmp_path):
    (tmp_path / "text.txt").write_text("no zip file")
    (tmp_path / "empty").mkdir()
    for arguments, said in (
        (("collect", NAME, tmp_path / "none", tmp_path / "to"), "No such file"),
        (("collect", NAME, tmp_path / "text.txt", tmp_path / "to"), "cannot be unpacked"),
        (("collect", NAME, tmp_path / "empty", tmp_path / "to"), "no notebook has"),
        (("collect", NAME, tmp_path / "empty", tmp_path), "is not empty"),
        (("grade", NAME, tmp_path / "empty"), "There is no notebook in"),
        (("build", "nope"), "There is no 'nope'; there are 01_convolution"),
    ):
        assert said in command(*arguments, fails=True)


def install_code() -> str:
    cells = homework.read_master(NAME).cells
    return "\n".join(cell.source for cell in cells if "install" in notebooks.tags(cell))


@pytest.mark.parametrize("address", ["", "https://forge.example/someone/course"])
def test_in_colab_the_checks_come_from_an_uploaded_notebook(address, tmp_path, monkeypatch):
    monkeypatch.setattr(notebooks, "repository", lambda: address)
    install = install_code()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    with pytest.raises(FileNotFoundError, match=f"Upload {NAME}.ipynb"):
        exec(install, {})
    shutil.copy(homework.HOMEWORK / f"{NAME}.ipynb", tmp_path)
    exec(install, {})
    checks = [ExceptionTestFile.from_file(str(path)) for path in Path("tests").glob("q*.py")]
    assert sum(check.possible for check in checks) == 13


def test_otter_is_installed_where_it_is_missing(tmp_path, monkeypatch):
    install = install_code()
    called: list[list[str]] = []
    monkeypatch.setattr(subprocess, "run", lambda command, check: called.append(command))
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: None if name == "otter" else object()
    )
    exec(install, {})
    assert [command[-1] for command in called] == ["otter-grader>=7"]
