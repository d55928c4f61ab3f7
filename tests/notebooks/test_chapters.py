"""What every chapter keeps to, and that the test run really notices when one does not."""

import ast
import copy
import itertools
import re
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

from benchmarks.experiments import alexnet, on_vgg16, own_photos, scratch, shakenet
from cnnkit import plots
from cnnkit.training import recipes
from tools import notebooks

import jupytext
import keras
import nbformat
import numpy as np
import pytest
from matplotlib.figure import Figure
from nbformat import NotebookNode

CHAPTERS = sorted(path.stem for path in notebooks.SCRIPTS.glob("*.py"))

# An absolute path of a machine, an object that has no text, or something that went wrong.
NOT_IN_OUTPUT = re.compile(
    r"(?<![\w.])/(home|root|tmp|usr|work|Users|content|opt|var)/|[A-Z]:\\| at 0x|warning",
    re.IGNORECASE,
)


def read(name: str) -> tuple[NotebookNode, NotebookNode]:
    """Return a chapter's script and its built notebook."""
    built = nbformat.read(notebooks.NOTEBOOKS / f"{name}.ipynb", as_version=4)
    return jupytext.read(notebooks.SCRIPTS / f"{name}.py"), built


def problems(script: NotebookNode, built: NotebookNode) -> list[str]:
    """List what is wrong with a built chapter, of which most is mended by building it again."""
    found = []
    if [essence(cell) for cell in script.cells] != [essence(cell) for cell in built.cells]:
        found.append("the notebook differs from its script")
    code = [cell for cell in built.cells if cell.cell_type == "code"]
    if [cell.execution_count for cell in code] != list(range(1, len(code) + 1)):
        found.append("a cell was not executed, or not in order")
    for cell in code:
        found += [f"{problem}: {cell.source[:60]!r}" for problem in problems_of_cell(cell)]
    for cell, after in zip(code, [*code[1:], None], strict=True):
        if trains(cell) and (after is None or ignored(after) or not after.outputs):
            found.append(f"no cell after it prints what must hold: {cell.source[:60]!r}")
    return found


def problems_of_cell(cell: NotebookNode) -> list[str]:
    found = []
    if len(cell.source.splitlines()) > 25:
        found.append("more than 25 lines")
    if trains(cell) and not ignored(cell):
        found.append("a training cell without the tag nbval-ignore-output")
    if re.search(r"^(plots\.|print\()", cell.source, re.MULTILINE) and not cell.outputs:
        found.append("an output was stripped")
    if last_line_draws(cell) and not any("image/png" in o.get("data", {}) for o in cell.outputs):
        found.append("a figure is missing")
    for output in cell.outputs:
        text = output.get("text", "") + str(output.get("data", {}).get("text/plain", ""))
        if output.output_type == "error" or output.get("name") == "stderr":
            found.append("an error or stderr in the output")
        elif bad := NOT_IN_OUTPUT.search(text):
            found.append(f"{bad[0]!r} in the output")
        elif "image/png" in output.get("data", {}) and "image/png" not in output.metadata:
            found.append("a figure without a caption below it")
    return found


def essence(cell: NotebookNode) -> tuple[str, str, list[str]]:
    return cell.cell_type, cell.source, notebooks.tags(cell)


def ignored(cell: NotebookNode) -> bool:
    return "nbval-ignore-output" in notebooks.tags(cell)


def trains(cell: NotebookNode) -> bool:
    """Whether a cell trains a network, and does not just define how."""
    body = [node for node in ast.parse(cell.source).body if not isinstance(node, ast.FunctionDef)]
    for node in itertools.chain.from_iterable(map(ast.walk, body)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""  # such as a program for another process
    runs = "\n".join(map(ast.unparse, body))
    pattern = r"\.(fit|fit_from_frozen|train_on_batch)\(|train_on_"
    return re.search(pattern, runs) is not None


def last_line_draws(cell: NotebookNode) -> bool:
    return cell.source.splitlines()[-1].startswith("plots.")


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_may_go_out(name):
    found = problems(*read(name))
    assert not found, f"{found}. Build the chapter again: python -m tools.notebooks {name}"


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_begins_with_its_scale_and_leads_on(name):
    script, built = read(name)
    tagged = [notebooks.tags(cell) for cell in script.cells]
    assert tagged.index(["install"]) < tagged.index(["parameters"])
    parameters = script.cells[tagged.index(["parameters"])].source
    assert parameters == 'SCALE = "sample"  # @param ["sample", "full"]'
    prose = "\n".join(cell.source for cell in script.cells if cell.cell_type == "markdown")
    for heading in ("## Exercises", "## Sources", "## Solutions", "**Next:**"):
        assert heading in prose
    assert prose.count("What do you expect?") >= 4
    for target in re.findall(r"\]\(([^)#]+)", prose):
        assert target.startswith("http") or (notebooks.NOTEBOOKS / target).exists(), target
    assert built.metadata.language_info == {"name": "python"}


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapters_badge_and_install_cell_are_those_of_the_projects_address(name):
    script, _ = read(name)
    renewed = copy.deepcopy(script)
    notebooks.renew_generated_cells(renewed, name, notebooks.repository())
    assert [essence(cell) for cell in renewed.cells] == [essence(cell) for cell in script.cells]


def test_the_chapters_train_as_the_recipes_and_the_recorded_runs_do():
    first, second, third, fourth = (
        (notebooks.SCRIPTS / f"{name}.py").read_text(encoding="utf-8") for name in CHAPTERS[:4]
    )
    digits, mnist, photos = recipes.DIGITS, recipes.MNIST, recipes.CATS_VS_DOGS
    assert f"SGD(learning_rate={digits.learning_rate:.0e})".replace("e-0", "e-") in first
    assert f'{digits.loss}(reduction="{digits.reduction}")' in first
    assert f"for step in range({digits.epochs}):" in first
    assert f'optimizer="{mnist.optimizer}", loss="sparse_categorical_crossentropy"' in second
    assert f"batch_size={mnist.batch_size}, epochs=EPOCHS" in second
    assert f"EPOCHS = {scratch.MNIST_EPOCHS}[SCALE]".replace("'", '"') in second
    assert f"EPOCHS = {photos.epochs}\n" in third
    assert f"EPOCHS = {scratch.AUGMENTED_EPOCHS}[SCALE]".replace("'", '"') in fourth
    assert keras.optimizers.get(photos.optimizer).learning_rate == photos.learning_rate
    for chapter in (third, fourth):
        assert f'optimizer="{photos.optimizer}", loss="binary_crossentropy"' in chapter
        assert f"batch_size={photos.batch_size}, shuffle=True" in chapter
        assert f"SIZE = {scratch.PHOTO_SIZE}[SCALE]".replace("'", '"') in chapter
        assert 'monitor="val_loss", save_best_only=True' in chapter


def test_chapters_5_and_6_train_as_the_recipes_and_the_recorded_runs_do():
    fifth, sixth = (
        (notebooks.SCRIPTS / f"{name}.py").read_text(encoding="utf-8") for name in CHAPTERS[4:6]
    )
    features, augmented, tuning = (
        recipes.FEATURES,
        recipes.FEATURES_AUGMENTED,
        recipes.FINE_TUNING,
    )
    assert f"EPOCHS = {features.epochs}\nAUGMENTED_EPOCHS = {augmented.epochs}\n" in fifth
    assert f"HEAD_EPOCHS = {augmented.epochs}\nEPOCHS = {tuning.epochs}\n" in sixth
    assert keras.optimizers.get(features.optimizer).learning_rate == features.learning_rate
    rate = f"{tuning.learning_rate:.0e}".replace("e-0", "e-")
    assert f"keras.optimizers.RMSprop(learning_rate={rate})" in sixth
    assert f'optimizer="{features.optimizer}", loss="binary_crossentropy"' in fifth
    assert on_vgg16.AUGMENTED_HEAD_RATE["full"] == augmented.learning_rate == 1e-3
    for chapter in (fifth, sixth):
        assert '{"sample": 2e-4, "full": 1e-3}[SCALE]' in chapter
        assert on_vgg16.AUGMENTED_HEAD_RATE["sample"] == 2e-4
        assert f"batch_size={features.batch_size}, shuffle=True" in chapter
        assert f"VIEWS = {on_vgg16.VIEWS}\n" in chapter
        for name, values in (("SIZE", on_vgg16.SIZE), ("WEIGHTS", on_vgg16.WEIGHTS)):
            assert f"{name} = {values}[SCALE]".replace("'", '"') in chapter


def test_chapter_7_trains_as_the_recipe_and_the_recorded_runs_do():
    chapter = (notebooks.SCRIPTS / f"{CHAPTERS[6]}.py").read_text(encoding="utf-8")
    sample, full = alexnet.RECIPE["sample"], alexnet.RECIPE["full"]
    assert full == recipes.ALEXNET
    for name, values in (
        ("BATCH_SIZE", {"sample": sample.batch_size, "full": full.batch_size}),
        ("LEARNING_RATE", {"sample": sample.learning_rate, "full": full.learning_rate}),
        ("EPOCHS", {"sample": sample.epochs, "full": full.epochs}),
        ("CROPS_EACH_EPOCH", alexnet.CROPS_EACH_EPOCH),
        ("SIDE", {scale: sizes[0] for scale, sizes in alexnet.SIZES.items()}),
        ("WINDOW", {scale: sizes[1] for scale, sizes in alexnet.SIZES.items()}),
    ):
        assert f"{name} = {values}[SCALE]".replace("'", '"') in chapter, name
    assert alexnet.WIDTH == {"sample": 1 / 4, "full": 1.0}
    assert 'WIDTH = {"sample": 1 / 4, "full": 1.0}[SCALE]' in chapter
    assert 'data.cats_vs_dogs(SCALE, "half")' in chapter


def test_chapter_8_trains_as_the_recipes_and_the_recorded_runs_do():
    chapter = (notebooks.SCRIPTS / f"{CHAPTERS[7]}.py").read_text(encoding="utf-8")
    for name in ("SIZE", "WEIGHTS", "SHARES"):
        values = str(getattr(own_photos, name)).replace("'", '"')
        assert f"{name} = {values}[SCALE]" in chapter, name
    assert own_photos.HEAD_RATE == {"sample": 5e-3, "full": 1e-3}
    assert 'HEAD_RATE = {"sample": 5e-3, "full": 1e-3}[SCALE]' in chapter
    assert "every={}, after={}, floor".format(*own_photos.WHEN) in chapter
    assert f"HEAD_EPOCHS = {recipes.HEAD_ONLY.epochs}\n" in chapter
    assert f"EPOCHS = {own_photos.NETWORK.epochs}\n" in chapter
    assert f"SPECIES = {list(own_photos.SPECIES)}".replace("'", '"') in chapter
    assert f"per_class={own_photos.PER_CLASS}, seed=8" in chapter
    assert f"batch_size={recipes.HEAD_ONLY.batch_size}, shuffle=part" in chapter


def test_chapter_9_trains_as_the_recipe_and_the_recorded_runs_do():
    chapter = (notebooks.SCRIPTS / f"{CHAPTERS[8]}.py").read_text(encoding="utf-8")
    sample, full = shakenet.RECIPE["sample"], shakenet.RECIPE["full"]
    assert full == recipes.SHAKENET_SINGLE_GPU
    assert sample == replace(full, batch_size=sample.batch_size, epochs=sample.epochs)
    for name, values in (
        ("PICTURES", shakenet.PICTURES),
        ("VALIDATION", shakenet.VALIDATION),
        ("DEPTH", shakenet.DEPTH),
        ("WIDTH", shakenet.WIDTH),
        ("AUGMENT", shakenet.AUGMENT),
        ("BATCH_SIZE", {"sample": sample.batch_size, "full": full.batch_size}),
        ("EPOCHS", {"sample": sample.epochs, "full": full.epochs}),
    ):
        assert f"{name} = {values}[SCALE]".replace("'", '"') in chapter, name
    assert "recipe = training.recipes.SHAKENET_SINGLE_GPU\n" in chapter
    assert "replace(recipe, batch_size=BATCH_SIZE, epochs=EPOCHS)" in chapter
    for title, mode in (("even", shakenet.EVEN), ("shake", shakenet.SHAKE)):
        options = ", ".join(f'{option}="{value}"' for option, value in mode.items())
        assert f'train_shakenet("{title}", {options})' in chapter
    assert "batches(*validation, batch_size=100" in chapter


def test_building_tidies_a_chapter():
    cells = [
        nbformat.v4.new_code_cell("draw()"),
        nbformat.v4.new_markdown_cell("*Figure 1. A\ncat.*\n\nMore."),
    ]
    view = nbformat.v4.new_output("display_data", data={notebooks.WIDGET_VIEW: {}})
    picture = nbformat.v4.new_output("display_data", data={"image/png": b64encode(b"png").decode()})
    cells[0].outputs = [view, picture]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"signature": "x"})
    notebooks.tidy(notebook)
    assert [cell.id for cell in notebook.cells] == ["cell-00", "cell-01"]
    (kept,) = notebook.cells[0].outputs
    assert kept.metadata == {"image/png": {"alt": "Figure 1. A cat."}}
    assert set(notebook.metadata) == {"kernelspec", "language_info"}


def test_a_figure_may_be_described_beside_its_caption():
    picture = nbformat.v4.new_output("display_data", data={"image/png": b64encode(b"png").decode()})
    caption = "*Figure 1. A cat.*\n<!-- alt: It sits\non a mat. -->\n\nMore."
    cells = [nbformat.v4.new_code_cell("draw()"), nbformat.v4.new_markdown_cell(caption)]
    cells[0].outputs = [picture]
    notebooks.tidy(nbformat.v4.new_notebook(cells=cells))
    assert cells[0].outputs[0].metadata == {"image/png": {"alt": "It sits on a mat."}}


def test_prose_is_taken_over_where_the_code_is_the_same():
    def notebook(text: str, code: str) -> NotebookNode:
        cells = [nbformat.v4.new_markdown_cell(text), nbformat.v4.new_code_cell(code)]
        return nbformat.v4.new_notebook(cells=cells)

    written, stored = notebook("New.", "1 + 1"), notebook("Old.", "1 + 1")
    stored.cells[1].execution_count = 7
    stored.cells[1].outputs = [nbformat.v4.new_output("stream", text="2")]
    notebooks.take_over_outputs(written, stored)
    assert written.cells[0].source == "New."
    assert written.cells[1].execution_count == 7
    assert written.cells[1].outputs == stored.cells[1].outputs
    with pytest.raises(ValueError, match="build the chapter without --prose"):
        notebooks.take_over_outputs(notebook("New.", "1 + 2"), stored)


@pytest.mark.parametrize("name", notebooks.PICTURES)
def test_the_readmes_pictures_are_the_figures_tagged_for_it(name):
    tagged = [
        c for chapter in CHAPTERS for c in read(chapter)[1].cells if name in notebooks.tags(c)
    ]
    (outputs,) = [cell.outputs for cell in tagged]
    (picture,) = [output.data["image/png"] for output in outputs]
    assert (notebooks.NOTEBOOKS / f"{name}.png").read_bytes() == b64decode(picture)


def first(built: NotebookNode, suitable: Callable[[NotebookNode], bool]) -> NotebookNode:
    return next(cell for cell in built.cells if cell.cell_type == "code" and suitable(cell))


def strip_a_cell(built):
    first(built, lambda cell: cell.outputs).update(outputs=[], execution_count=None)


def strip_an_output(built):
    first(built, lambda cell: cell.source.startswith("print")).outputs = []


def lose_a_figure(built):
    first(built, last_line_draws).outputs = []


def change_the_source(built):
    first(built, lambda cell: cell.outputs).source += "\nprint('new')"


def untag_the_training(built):
    first(built, trains).metadata["tags"] = []


def print_a_path(built):
    output = first(built, lambda cell: cell.outputs and "text" in cell.outputs[0]).outputs[0]
    output.text += "/home/someone/data\n"


def show_an_object(built):
    output = first(built, lambda cell: cell.outputs and "text" in cell.outputs[0]).outputs[0]
    output.text += "<History object at 0x7f99bb1bc290>"


def print_a_warning(built):
    cell = first(built, lambda cell: cell.outputs)
    cell.outputs.append(nbformat.v4.new_output("stream", name="stderr", text="careful"))


def write_a_long_cell(built):
    first(built, lambda cell: cell.outputs).source = "\n".join(["x = 1"] * 26)


SPOILS = [
    strip_a_cell,
    strip_an_output,
    lose_a_figure,
    change_the_source,
    untag_the_training,
    print_a_path,
    show_an_object,
    print_a_warning,
    write_a_long_cell,
]


@pytest.mark.parametrize("spoil", SPOILS)
def test_a_spoiled_chapter_may_not_go_out(spoil):
    script, built = read("02_mnist")
    spoiled = copy.deepcopy(built)
    spoil(spoiled)
    assert problems(script, spoiled) != []


@pytest.mark.parametrize("installed", [True, False])
def test_the_kernel_slides_where_ipywidgets_is_there_and_stands_still_elsewhere(
    installed, monkeypatch
):
    (cell,) = [c for c in read("01_convolution")[0].cells if "interact(" in c.source]
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda *figures, **_: shown.extend(figures))
    slid = SimpleNamespace(interact=lambda draw, row, column: shown.append((row, column)))
    monkeypatch.setitem(sys.modules, "ipywidgets", slid if installed else None)
    lesson = {"plots": plots, "picture": np.eye(5), "sobel": np.eye(3), "response": np.eye(3)}
    exec(cell.source, lesson)
    assert shown == [((0, 2), (0, 2))] if installed else isinstance(shown[0], Figure)
