"""Cells and texts that all assignments share; `tools.homework` puts them in."""

# %% config [raw]
# # ASSIGNMENT CONFIG
# config_file: otter.yml
# name: NAME

# %% setup jupyter={"source_hidden": true} tags=["install"]
# Colab opens a notebook without storing its file, so the checks are missing.
if "google.colab" in str(get_ipython()):
    import json
    from pathlib import Path

    get_ipython().run_line_magic("pip", "install -q 'otter-grader>=7'")
    if not Path("NAME.ipynb").exists():
        raise FileNotFoundError("Upload NAME.ipynb next to this notebook, for its checks.")
    page = json.loads(Path("NAME.ipynb").read_text(encoding="utf-8"))
    Path("tests").mkdir(exist_ok=True)
    for question, check in page["metadata"]["otter"]["tests"].items():
        Path("tests", f"{question}.py").write_text(check, encoding="utf-8")

# %% hints jupyter={"source_hidden": true} tags=["install"]
from otter.test_files import ExceptionTestFile


def run(self, variables, run=ExceptionTestFile.run):
    """Let Otter run its checks, and keep the hint alone of what it says."""
    run(self, variables)
    said = [result.message for result in self.test_case_results]
    hints = [message.partition("AssertionError: ")[2] or message for message in said]
    for number, (result, hint) in enumerate(zip(self.test_case_results, hints, strict=True)):
        again = not result.passed and hint in hints[:number]
        result.message = "This part needs the one above." if again else hint


ExceptionTestFile.run = run

# %% grader
import otter

grader = otter.Notebook("NAME.ipynb")

# %% hand in [markdown]
# Replace each `...`, run the cell below it, and read what it says. Try as often as you like.
#
# **To hand it in**, run all cells, save the notebook as `NAME.ipynb`, and upload that file. Delete no cells.

# %% total
results = grader.check_all()
print(f"{results.total:g} of {results.possible:g} points")
results

# %% check
# What a check returns is what to tell the student. What it gets is None where a cell has not run.
def test():
    "NUMBERS"

    def look():
        "BODY"

    problem = None
    if any(answer is None for answer in ["ANSWERS"]):
        problem = "There is no answer yet: run its cell. Does its function return something?"
    try:
        problem = problem or look()
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        problem = f"Your code stops, or gives another kind of thing than asked for. {reason}"
    assert not problem, problem
