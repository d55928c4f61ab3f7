"""Collecting what was handed in and grading it, by Otter itself, as a lecturer does."""

import csv
import os
import re
import shutil
import types
import unicodedata
import zipfile
from pathlib import Path

from tools import grading, homework, notebooks

import nbformat
import psutil
import pytest
from otter.test_files import ExceptionTestFile
from typer.testing import CliRunner

NAME = "01_convolution"
FILE = f"{NAME}.ipynb"
FLIPPED = ("* kernel)", "* kernel[::-1, ::-1])")
KILLED = ("def max_pooling", "import os; os._exit(1)\ndef max_pooling")
ENDLESS = "import os, pathlib\npathlib.Path({!r}).write_text(str(os.getpid()))\nwhile True: 1\n"


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
    return folder / NAME / "autograder" / FILE


def changed(solution: Path, *changes: tuple[str, str]) -> nbformat.NotebookNode:
    notebook = nbformat.read(solution, as_version=4)
    for old, new in changes:
        (cell,) = [cell for cell in notebook.cells if old in cell.source]
        cell.source = cell.source.replace(old, new)
    return notebook


def hand_in(path: Path, what: nbformat.NotebookNode | str | Path, age: float = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = what.read_text(encoding="utf-8") if isinstance(what, Path) else what
    path.write_text(text if isinstance(text, str) else nbformat.writes(text), encoding="utf-8")
    os.utime(path, (1.7e9 - 100 * age, 1.7e9 - 100 * age))


def rows(submitted: Path) -> dict[str, dict[str, str]]:
    with (submitted / "grades.csv").open(encoding="utf-8-sig") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def page(submitted: Path, student: str) -> str:
    return (submitted / "feedback" / f"{student}.txt").read_text(encoding="utf-8")


@pytest.mark.homework
def test_a_class_of_twenty_is_graded(solution, tmp_path):
    right, korean = changed(solution), unicodedata.normalize("NFD", "김철수")
    cleared, unchecked, other = changed(solution), changed(solution), changed(solution)
    del cleared.metadata["otter"]
    cleared.cells.insert(3, nbformat.v4.new_code_cell("import os; os.chdir('/')"))
    del cleared.cells[3]["execution_count"]  # some tools leave it out
    unchecked.cells = [cell for cell in right.cells if "grader." not in cell.source]
    other.metadata["kernelspec"] = {"display_name": "R", "language": "R", "name": "ir"}
    easier = ("SIDE, KERNEL, FILTERS = ", "SIDE, KERNEL, FILTERS = 3, 1, 1  # ")
    pooled = ("windows[::stride, ::stride].max", "windows[::size, ::size].max")
    stops = ("output_size(i, f, p=0, s=1):", "output_size(i, f, p=0, s=1)")
    endless = "def max_pooling", ENDLESS.format(str(tmp_path / "pid")) + "def max_pooling"
    untouched = solution.parents[1] / "student" / FILE
    handed_in = {
        "Ahn Bo": ([(FILE, right)], "graded", 13),
        "Bae Ji": ([("homework1_final.ipynb", right)], "graded", 13),
        "Cho In": ([(f"Copy of {NAME} (1).ipynb", right)], "graded", 13),
        "Do Yun": ([(f"{NAME}-1.ipynb", right), (FILE, untouched)], "graded", 13),  # late, again
        "Eom Ki": ([(FILE, changed(solution, FLIPPED))], "graded", 10),
        "Go Eun": ([(FILE, changed(solution, pooled))], "graded", 12),
        "Han So": ([(FILE, untouched)], "graded", 0),
        "Im Su": ([], "no notebook", 0),
        "Jang Mi": ([("answers.pdf", "%PDF")], "no notebook", 0),
        "Kang Ho": ([(FILE, "the dog ate it")], "damaged", 0),
        "Lee Na": ([(FILE, changed(solution, endless))], "stopped", 0),
        "Moon Il": ([(FILE, changed(solution, KILLED))], "damaged", 0),
        "Noh Ra": ([(FILE, cleared)], "graded", 13),
        "Oh Min": ([(FILE, unchecked)], "graded", 13),
        "Pak Jo": ([(FILE, changed(solution, stops))], "graded", 11),
        korean: ([(f"{korean}_{FILE}", right)], "graded", 13),
        "Seo Yi": ([(FILE, changed(solution, easier))], "graded", 11),
        "Shin A": ([(FILE, right), (f".ipynb_checkpoints/{FILE}", untouched)], "graded", 13),
        "Yoon U": ([(FILE, other)], "graded", 13),
        "Zu Ha": (None, "no notebook", 0),
    }
    for number, (student, (files, _, _)) in enumerate(handed_in.items()):
        if files is not None:
            folder = tmp_path / "class" / f"{student}_{number}_assignsubmission_file"
            folder.mkdir(parents=True)
            for age, (name, what) in enumerate(files):
                hand_in(folder / name, what, age)
    (tmp_path / "names.txt").write_text("\n".join(handed_in), encoding="utf-8-sig")
    zipped = shutil.make_archive(str(tmp_path / "class"), "zip", tmp_path / "class")
    submitted = tmp_path / "submitted"
    assert "17 notebooks" in command("collect", NAME, zipped, submitted)
    options = ("--students", tmp_path / "names.txt", "--jobs", 2, "--seconds", 100)
    command("grade", NAME, submitted, *options)
    table = rows(submitted)
    got = {student: (row["status"], int(row["points"])) for student, row in table.items()}
    nfc = {unicodedata.normalize("NFC", who): (*rest,) for who, (_, *rest) in handed_in.items()}
    assert got == nfc, {who: got.get(who) for who in nfc if got.get(who) != nfc[who]}
    scores = {"q1": "1", "q2": "2", "q3": "0", "q4": "3", "q5": "2", "q6": "2"}
    assert table["Eom Ki"] == {
        **{"student": "Eom Ki", "status": "graded", "points": "10", "possible": "13"},
        **scores,
    }
    assert "q2: 2 of 2.\nq3: 0 of 3. Your kernel is flipped." in page(submitted, "Eom Ki")
    assert page(submitted, "Eom Ki").count("flipped") == 1
    assert "q4: 2 of 3. Windows of 3 that move by 2 overlap" in page(submitted, "Go Eun")
    assert "did not end within 100 seconds" in page(submitted, "Lee Na")
    assert "answers.pdf" in page(submitted, "Jang Mi") and "empty" in page(submitted, "Im Su")
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))  # the endless kernel


@pytest.fixture
def private(tmp_path) -> Path:
    """A folder with the master that docs/teaching.md shows."""
    page = (notebooks.ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")
    (master,) = re.findall(r"```text\n(# %% \[markdown\]\n# # Midterm.*?)```", page, re.DOTALL)
    hand_in(tmp_path / "exam" / "midterm.py", master)
    return tmp_path / "exam"


@pytest.mark.slow
def test_a_private_master_has_hidden_tests_that_count(private, tmp_path):
    assert "hand out" in command("build", "--private", private)
    handed_out = nbformat.read(private / "midterm.ipynb", as_version=4)
    assert "It is not right for all sides" not in nbformat.writes(handed_out)
    assert "_Points:_ 4" in nbformat.writes(handed_out)
    assert not (homework.HOMEWORK / "midterm.ipynb").exists()
    guess = "    return 25 if side == 5 else None"
    right = "    return side**2 if side >= 0 else None"
    for student, answer in (("kim", guess), ("lee", right)):
        solved = changed(private / "midterm.ipynb", ("    ...", answer))
        hand_in(tmp_path / "submitted" / f"{student}.ipynb", solved)
    command("grade", "midterm", tmp_path / "submitted", "--private", private)
    table = rows(tmp_path / "submitted")
    assert [(row["points"], row["possible"]) for row in table.values()] == [("2", "4"), ("4", "4")]
    assert "q1: 2 of 4. It is not right for all sides." in page(tmp_path / "submitted", "kim")


@pytest.mark.slow
def test_a_mistake_in_a_private_master_is_told(private):
    master = private / "midterm.py"
    hand_in(master, master.read_text(encoding="utf-8").replace("[1, 1, 2]", "[1, 1]"))
    said = command("build", "--private", private, fails=True)
    assert "than number of test cases" in said


def test_a_hint_stands_alone_and_once(tmp_path, monkeypatch):
    monkeypatch.setattr(ExceptionTestFile, "run", ExceptionTestFile.run)
    assert set_up("ZMQInteractiveShell") == []
    source = nbformat.read(homework.HOMEWORK / FILE, as_version=4).metadata["otter"]["tests"]["q3"]
    check = ExceptionTestFile.from_string(source)
    check.run({"correlate": lambda picture, kernel, stride=1: None})
    said = [result.message for result in check.test_case_results]
    assert said == ["The function returns nothing yet.", "This part needs the one above."]


def test_collecting_takes_the_latest_notebook_of_each_student(tmp_path):
    handed = tmp_path / "handed"
    for name, text, age in (
        (f"kim/{FILE}", "old", 9),
        (f"kim/{NAME}-1.ipynb", "new", 1),
        ("kim/02_mnist.ipynb", "another", 0),
        (f"lee_{NAME}-2.ipynb", "lee's", 5),
        (f"lee_{NAME.upper()}.ipynb", "lee's first", 6),
        (f"김철수/{NAME} (1).ipynb", "김's", 5),
        (f"__MACOSX/kim/._{FILE}", "a Mac's", 0),
        (f"parkjun_123_456_{NAME}.ipynb", "in time", 3),
        (f"parkjun_LATE_123_457_{NAME}-1.ipynb", "late", 2),
    ):
        hand_in(handed / name, text, age)
    (handed / "lost").symlink_to(tmp_path / "nowhere")
    expected = {"kim": "new", "lee": "lee's", "김철수": "김's", "parkjun": "late"}
    assert collected(handed) == expected
    (handed / "lost").unlink()
    zipped = shutil.make_archive(str(tmp_path / "zipped"), "zip", handed)
    assert collected(Path(zipped)) == expected
    wrapped = shutil.make_archive(str(tmp_path / "wrapped"), "zip", tmp_path, "handed")
    assert collected(Path(wrapped)) == expected


def collected(source: Path) -> dict[str, str]:
    submitted = source.parent / f"of_{source.name}"
    grading.collect(NAME, source, submitted)
    return {path.stem: path.read_text() for path in submitted.iterdir()}


@pytest.mark.parametrize(
    ("names", "students"),
    [
        ([f"kim/{FILE}"], {"kim"}),
        ([f"kim/Copy of {FILE}", "kim/notes.txt"], {"kim"}),
        ([f"class/kim_{FILE}", f"class/lee_{FILE}"], {"kim", "lee"}),
        ([f"monday/kim/{FILE}", f"tuesday/park/{FILE}"], {"kim", "park"}),
        ([f"monday/kim/{FILE}", f"tuesday/kim/{FILE}"], {"monday kim", "tuesday kim"}),
        (["kim.ipynb", "lee.ipynb"], {"kim", "lee"}),
        (
            ["lee/HW01_lee.ipynb", "park/week_02_park.ipynb", "park/IMG_2024_12.jpg"],
            {"lee", "park"},
        ),
        ([f"monday/kim/{FILE}", "monday/.DS_Store", "names.csv"], {"kim"}),
        (["kim/draft.ipynb", "kim/final.ipynb", "kim/data/cat.jpg"], {"kim"}),
        ([f"lee/{FILE}", f"park/{NAME}/{FILE}", "lee/.ipynb_checkpoints/x.ipynb"], {"lee", "park"}),
        ([f"Kim Min_123_assignsubmission_file_{FILE}"], {"Kim Min"}),
        (
            [f"Kim_1_assignsubmission_file/{FILE}", f"Kim_2_assignsubmission_file/{FILE}"],
            {"Kim 1", "Kim 2"},
        ),
        (
            [f"2024_03_15_kim_{FILE}", f"2024_03_15_lee_{FILE}"],
            {"2024_03_15_kim", "2024_03_15_lee"},
        ),
        ([f"lee_Copy of {FILE}", f"kim/{NAME}.IPYNB"], {"lee", "kim"}),
        ([f"=kim_{FILE}"], {"kim"}),
    ],
)
def test_students_are_known_by_their_folders_or_files(names, students, tmp_path):
    for name in names:
        hand_in(tmp_path / "handed" / name, "")
    taken, others = grading.collect(NAME, tmp_path / "handed", tmp_path / "submitted")
    assert {path.stem for path in (tmp_path / "submitted").iterdir()} == set(taken) == students
    assert others == {}


def test_the_names_of_a_korean_windows_are_read(tmp_path):
    name = f"김철수_{FILE}".encode("cp949")
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
    assert "cannot be collected" in said and "invalid block type" in said


def test_mistakes_of_a_lecturer_are_told(tmp_path):
    (tmp_path / "text.zip").write_text("no zip file")
    (tmp_path / "empty").mkdir()
    for arguments, said in (
        (("collect", NAME, tmp_path / "none", tmp_path / "to"), "No such file"),
        (("collect", NAME, tmp_path / "text.zip", tmp_path / "to"), "not a zip file"),
        (("collect", NAME, tmp_path / "empty", tmp_path / "to"), "there is no notebook for"),
        (("collect", NAME, tmp_path / "empty", tmp_path), "is not empty"),
        (("grade", NAME, tmp_path / "empty"), "There is no notebook in"),
        (("build", "nope"), "There is no 'nope'; there are 01_convolution"),
    ):
        assert said in command(*arguments, fails=True)


def set_up(shell: str) -> list[str]:
    """Run what an assignment begins with, and return what it asks of pip."""
    cells = homework.read_master(homework.MASTERS / f"{NAME}.py").cells
    code = "\n".join(cell.source for cell in cells if "install" in notebooks.tags(cell))
    lines: list[str] = []
    ipython = types.new_class(shell)()
    ipython.run_line_magic = lambda magic, line: lines.append(f"{magic} {line}")
    exec(code, {"get_ipython": lambda: ipython})
    return lines


def test_in_colab_otter_is_installed_and_the_checks_come_from_an_uploaded_notebook(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(ExceptionTestFile, "run", ExceptionTestFile.run)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=f"Upload {FILE}"):
        set_up("google.colab.Shell")
    shutil.copy(homework.HOMEWORK / FILE, tmp_path)
    assert "pip install -q 'otter-grader>=7'" in set_up("google.colab.Shell")
    checks = [ExceptionTestFile.from_file(str(path)) for path in Path("tests").glob("q*.py")]
    assert sum(check.possible for check in checks) == 13
