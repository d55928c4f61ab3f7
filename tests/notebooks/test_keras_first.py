"""Keras first, cnnkit second: what a chapter writes out before a helper does the same."""

import ast
from collections.abc import Iterator

from tools import notebooks

import jupytext
import pytest
from nbformat import NotebookNode

# For each chapter and each helper of cnnkit, the calls that come before it, at sample scale.
CONVOLUTIONS = "Input", "Conv2D", "MaxPooling2D", "Flatten", "Dense"
TABLE: dict[str, dict[str, tuple[str, ...]]] = {
    "01_convolution": {
        "models.digits_cnn": ("Sequential", *CONVOLUTIONS),
        "evaluation.report": ("compile", "fit", "predict"),
    },
    "02_mnist": {
        "data.mnist": ("mnist_data", "train_test_split", "reshape", "astype"),
        "models.mnist_cnn": (*CONVOLUTIONS, "Model"),
        "evaluation.report": ("compile", "fit", "evaluate", "predict"),
        "evaluation.predict": ("predict",),
        "evaluation.confusion": ("predict", "argmax"),
        "evaluation.worst_mistakes": ("predict", "argmax", "flatnonzero", "argsort"),
    },
    "03_cats_vs_dogs": {
        "data.image_folder": ("image_dataset_from_directory",),
        "models.cats_vs_dogs_cnn": ("Rescaling", *CONVOLUTIONS, "Model"),
        "evaluation.report": ("compile", "ModelCheckpoint", "fit", "load_model", "evaluate"),
    },
    "04_augmentation": {
        "augment.flip_rotate_zoom": ("RandomFlip", "RandomRotation", "RandomZoom"),
        "models.cats_vs_dogs_cnn": ("Rescaling", *CONVOLUTIONS, "Dropout", "Model"),
        "evaluation.report": ("ModelCheckpoint", "fit", "load_model", "evaluate"),
    },
}
ROWS = [(chapter, helper) for chapter, helpers in TABLE.items() for helper in helpers]


def cells(chapter: str) -> list[NotebookNode]:
    notebook = jupytext.read(notebooks.SCRIPTS / f"{chapter}.py")
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source]


class AtSampleScale(ast.NodeTransformer):
    """Leaves out what runs at full scale alone."""

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        self.generic_visit(node)
        return node.orelse if ast.unparse(node.test) == "SCALE == 'full'" else node


def calls(source: str) -> Iterator[str]:
    """Yield the names that a cell calls, such as ``keras.layers.Dense`` and ``model.fit``."""
    for node in ast.walk(AtSampleScale().visit(ast.parse(source))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def used(node: ast.AST) -> set[str]:
    return {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}


@pytest.mark.parametrize(("chapter", "helper"), ROWS)
def test_a_chapter_calls_keras_before_the_helper(chapter, helper):
    called = [
        (n, cell, name) for n, cell in enumerate(cells(chapter)) for name in calls(cell.source)
    ]
    first = min(n for n, _, name in called if name == helper)
    before = {
        name.rpartition(".")[2]
        for n, cell, name in called
        if n < first and "check" not in notebooks.tags(cell)
    }
    assert before >= set(TABLE[chapter][helper])


@pytest.mark.parametrize(("chapter", "helper"), ROWS)
def test_a_check_compares_the_helper_with_what_was_written(chapter, helper):
    """What is asserted contains the helper's call, or a name that was given its result."""
    for cell in cells(chapter):
        if "check" not in notebooks.tags(cell):
            continue
        names = {helper}
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Assign) and names & {*calls(ast.unparse(node)), *used(node)}:
                names |= {
                    name.id for name in ast.walk(node.targets[0]) if isinstance(name, ast.Name)
                }
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Assert) and names & {*calls(ast.unparse(node)), *used(node)}:
                return
    pytest.fail("No check asserts anything about it.")


def test_what_runs_at_full_scale_alone_does_not_count():
    source = "if SCALE == 'full':\n    keras.a()\nelse:\n    keras.b(keras.c())"
    assert set(calls(source)) == {"keras.b", "keras.c"}
