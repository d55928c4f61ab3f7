"""What a trained run answers: how good it is, what a photo shows, and which photos are like it."""

import hashlib
from collections.abc import Iterator, Sequence
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
    if folder is not None:
        photos, what = run.load(folder, class_names=names), f"photos in {folder}"
        if known := _known(run, photos.file_paths):
            what += f"; {known:,} of them served to train it, so expect less of others"
        path = run.folder / "-".join(["report", *folder.resolve().parts[-2:]])
    elif run.part("test"):
        photos, what = run.photos("test", names), "test photos, which the training has not seen"
    else:
        photos = run.photos("validation", names)
        what = "validation photos; they also chose the best weights, so expect a little less"
    run.tell_unusable(photos.skipped)
    labels = photos.labels
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


def predict(run: "Run", paths: Sequence[Path]) -> Iterator[dict[str, Any]]:
    """Classify photos: yield for each its file, class, probability, and those of all classes.

    For a photo that is not usable, its file and the error.
    """
    classifier = run.classifier()
    names = models.class_names(classifier)
    for path in paths:
        answer: dict[str, Any] = {"file": str(path)}
        try:
            (row,) = evaluation.predict(classifier, _image(run, path))
        except (FileNotFoundError, ValueError) as error:
            yield {**answer, "error": str(error)}
            continue
        name, probability = _answer(row, names)
        shares = {name: round(float(share), 4) for name, share in zip(names, row, strict=True)}
        yield {**answer, "class": name, "probability": probability, "probabilities": shares}


def similar(run: "Run", path: Path, k: int) -> tuple[list[evaluation.Neighbour], Path]:
    """Find the training photos that are most like a photo, and draw them in a row."""
    image = _image(run, path)
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
    """Return the training photos to search in, made anew for new weights and for other photos."""
    path = run.folder / "similar.npz"
    part = run.part("train")
    sources = [run.weights(), *([part, *filter(Path.exists, part.rglob("*"))] if part else [])]
    made = path.stat().st_mtime if path.is_file() else 0.0
    if any(source.stat().st_mtime > made for source in sources):
        photos = run.photos("train")
        features = training.transfer.extract_features(pooled, photos, run.folder / "features")
        evaluation.SimilarImages(features, photos.file_paths).save(path)
    return evaluation.SimilarImages.load(path)


def _image(run: "Run", path: Path) -> np.ndarray:
    side = run.config.base.image_size
    return data.load_images([path], (side, side))


def _known(run: "Run", paths: Sequence[str]) -> int:
    """Count the photos that have the same bytes as one for training or validation."""
    folders = filter(None, map(run.part, ("train", "validation")))
    served = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    seen = {hashlib.sha256(path.read_bytes()).digest() for path in served}
    return sum(hashlib.sha256(Path(path).read_bytes()).digest() in seen for path in paths)


def _answer(probabilities: np.ndarray, names: Sequence[str]) -> tuple[str, float]:
    best = int(probabilities.argmax())
    return names[best], round(float(probabilities[best]), 4)
