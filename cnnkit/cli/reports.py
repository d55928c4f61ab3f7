"""What a trained run answers: how good it is, what a photo shows, and which photos are like it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnkit import data, evaluation, files, models, plots, training

import keras
import numpy as np

if TYPE_CHECKING:
    from cnnkit.cli.runs import Run


def judge(run: "Run", folder: Path | None = None) -> tuple[evaluation.Report, str, Path]:
    """Judge the classifier of a run on a folder of photos, or on those kept for it.

    Returns
    -------
    report : Report
    photos : str
        How many photos these were, and which.
    path : Path
        Where the report is, with a heatmap and a table of the mistakes.
    """
    classifier = run.classifier()
    names = models.class_names(classifier)
    path = run.folder / "report"
    photos, what = run.photos("test"), "test photos, which the training has not seen"
    if folder is not None:
        photos, what = run.load(folder), f"photos in {folder}"
        path = run.folder / f"report-{folder.resolve().name}"
    elif photos is None:
        photos = run.photos("validation")
        what = "validation photos; they also chose the best weights, so expect a little less"
    run.tell_unusable(photos.skipped)
    labels = _labels(photos, names)
    probabilities = evaluation.predict(classifier, photos)
    report = evaluation.report(labels, probabilities, names)
    write_report(report, path)
    wrong = evaluation.worst_mistakes(labels, probabilities, len(labels))
    rows = [
        (photos.file_paths[n], names[labels[n]], *_answer(probabilities[n], names)) for n in wrong
    ]
    columns = ("file", "class", "taken for", "probability")
    files.write_table(path / "mistakes.csv", [columns, *rows])
    return report, f"{report.count:,} {what}", path


def predict(run: "Run", paths: Sequence[Path]) -> list[dict[str, Any]]:
    """Classify photos: for each its file, class, probability, and those of all classes."""
    images = _images(run, paths)
    classifier = run.classifier()
    names = models.class_names(classifier)
    answers = []
    for path, row in zip(paths, evaluation.predict(classifier, images), strict=True):
        name, probability = _answer(row, names)
        shares = {name: round(float(share), 4) for name, share in zip(names, row, strict=True)}
        answers.append(
            {
                "file": str(path),
                "class": name,
                "probability": probability,
                "probabilities": shares,
            }
        )
    return answers


def similar(run: "Run", path: Path, k: int) -> tuple[list[evaluation.Neighbour], Path]:
    """Find the training photos that are most like a photo, and draw them in a row."""
    image = _images(run, [path])
    pooled = models.pooled(run.classifier().get_layer(run.config.base.network))
    collection = _collection(run, pooled)
    found = collection.nearest(pooled.predict(image, verbose=0)[0], k)
    figure, picture = collection.show(path, found), run.folder / "similar.png"
    files.replace(picture, lambda file: figure.savefig(file, format="png"))
    return found, picture


def write_report(report: evaluation.Report, folder: Path) -> None:
    """Write a report as text, as a table, and as a heatmap."""
    names = [scores.name for scores in report.classes]
    heatmap = plots.confusion(report.confusion, names, percent=True)
    files.replace(folder / "report.txt", lambda file: file.write(f"{report}\n".encode()))
    files.replace(folder / "confusion.png", lambda file: heatmap.savefig(file, format="png"))
    report.to_csv(folder / "report.csv")


def _collection(run: "Run", pooled: keras.Model) -> evaluation.SimilarImages:
    """Return the training photos as a collection to search in, made where it is missing."""
    path = run.folder / "similar.npz"
    if not path.is_file():
        photos = run.photos("train")
        features = training.transfer.extract_features(pooled, photos, run.folder / "features")
        evaluation.SimilarImages(features, photos.file_paths).save(path)
    return evaluation.SimilarImages.load(path)


def _images(run: "Run", paths: Sequence[Path]) -> np.ndarray:
    side = run.config.base.image_size
    return data.load_images(paths, (side, side))


def _answer(probabilities: np.ndarray, names: Sequence[str]) -> tuple[str, float]:
    best = int(probabilities.argmax())
    return names[best], round(float(probabilities[best]), 4)


def _labels(photos: Any, names: list[str]) -> np.ndarray:
    """Return the labels of photos by the classes of the classifier, whatever their own are."""
    if strange := [name for name in photos.class_names if name not in names]:
        raise ValueError(
            f"The class {strange[0]!r} is unknown to this run, which has {', '.join(names)}. "
            "Rename its folder, or leave it out."
        )
    numbers = np.array([names.index(name) for name in photos.class_names])
    return numbers[photos.labels]
