"""Record what the slides show of trained networks: ``python -m slides.recording [NAME…]``.

It runs a chapter as it stands, trainings included, and keeps a few of its results in
``slides/recorded/``. `slides.figures` draws them, so that drawing needs no training.
"""

import contextlib
import hashlib
from collections.abc import Callable
from typing import Annotated, Any

from cnnkit import data, evaluation
from cnnkit.evaluation import explain
from slides.drawing import RECORDED
from tools import notebooks

import jupytext
import numpy as np
import typer

Results = dict[str, Any]


def _history(results: Results, name: str = "history") -> Results:
    return {f"{name}/{curve}": values for curve, values in results[name].history.items()}


def _mistakes(results: Results, count: int = 8) -> Results:
    worst = results["worst"][:count]
    return {"worst": worst, "worst_probabilities": results["probabilities"][worst]}


def _inside(results: Results) -> Results:
    test, tuned, size = results["test"], results["tuned"], results["SIZE"]
    rows = results["probabilities"]["fine-tuned"]
    right = np.flatnonzero(rows.argmax(axis=1) == test.labels)
    numbers: dict[str, Any] = {
        "right": [*right[:3], *right[-3:]],
        "wrong": evaluation.worst_mistakes(test.labels, rows, count=5),
    }
    kept = {f"plane/{name}": points for name, points in results["plane"].items()}
    kept["labels"] = test.labels[results["some"]]
    for name, chosen in numbers.items():
        photos = data.load_images([test.file_paths[number] for number in chosen], (size, size))
        heat = explain.grad_cam(tuned, photos)
        kept |= {name: chosen, f"{name}_answers": rows[chosen], f"{name}_heat": _bytes(heat)}
    small = results["SMALL"]
    for name, model in results["classifiers"].items():
        paths = results["sets"][name, "test"].file_paths
        photos = data.load_images(
            [paths[number] for number in (0, 1, 2, -3, -2, -1)], (small, small)
        )
        kept[f"cheating/{name}"] = _bytes(explain.grad_cam(model, photos))
    return kept


def _bytes(heat: np.ndarray) -> np.ndarray:
    return np.round(255 * heat).astype("uint8")


KEEP: dict[str, Callable[[Results], Results]] = {
    "01_convolution": lambda r: {"learned": np.stack(r["learned"])[..., 0, 0]},
    "02_mnist": lambda r: {
        **_history(r, "dense_history"),
        **_mistakes(r),
        "confusion": r["matrix"],
    },
    "03_cats_vs_dogs": lambda r: {**_history(r), **_mistakes(r)},
    "05_feature_extraction": lambda r: {
        **_history(r),
        **{f"map/{name}": points for name, points in r["maps"].items()},
        "labels": r["test"].labels,
    },
    "06_fine_tuning": lambda r: {
        **_history(r),
        **{f"block/{name}": figures for name, figures in r["by_block"].items()},
        **{f"way/{name}": way.history["val_accuracy"] for name, way in r["ways"].items()},
    },
    "07_alexnet": lambda r: {
        "layers": [*r["names"][:-1], "logits"],
        **{f"spread/{name}": values for name, values in r["found"].items()},
    },
    "08_own_photos": lambda r: {"confusion": r["report"].confusion},
    "09_shakenet": lambda r: {
        f"correlation/{name}": each.matrix for name, each in r["found"].items()
    },
    "10_looking_inside": _inside,
}


def code_of(name: str) -> list[str]:
    """Return the code cells of a chapter, without the one that installs cnnkit."""
    cells = jupytext.read(notebooks.SCRIPTS / f"{name}.py").cells
    code = [cell for cell in cells if cell.cell_type == "code"]
    return [cell.source for cell in code if "install" not in cell.metadata.get("tags", ())]


def fingerprint(name: str) -> str:
    """Return what changes with a chapter's code, and is recorded beside its results."""
    return hashlib.sha256("\n".join(code_of(name)).encode()).hexdigest()


def record(name: str) -> None:
    """Run a chapter and store what `KEEP` names of it."""
    results: Results = {"__name__": "__main__"}
    with contextlib.chdir(notebooks.NOTEBOOKS):
        for code in code_of(name):
            exec(compile(code, name, "exec"), results)
    kept: dict[str, Any] = {**KEEP[name](results), "code": fingerprint(name)}
    np.savez_compressed(RECORDED / f"{name}.npz", **kept)


def main(
    names: Annotated[list[str] | None, typer.Argument(help="Such as 02_mnist.")] = None,
) -> None:
    """Train what the slides show, in some ten minutes, and record it in slides/recorded."""
    names = names or list(KEEP)
    if unknown := set(names) - set(KEEP):
        raise typer.BadParameter(f"nothing of {min(unknown)!r} is recorded; of {list(KEEP)} it is")
    for name in names:
        typer.echo(f"recording {name}")
        record(name)


if __name__ == "__main__":
    typer.run(main)
