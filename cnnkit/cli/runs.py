"""What is done with a run on a folder of photos: it is trained, evaluated, and asked."""

import dataclasses
import os
import sys
import zlib
from pathlib import Path
from typing import Any

from cnnkit import data, evaluation, files, models, plots, training
from cnnkit.cli.config import Run, differences, read, write
from cnnkit.data.checking import list_photos
from cnnkit.data.photos import content
from cnnkit.training import recipes, transfer

import keras
import typer
from sklearn.metrics import log_loss


def train(run: Run) -> None:
    """Train a classifier, or resume an interrupted training."""
    team, head = training.distribution.current(), _first_head(run)
    team.in_turn(lambda: _split(run))
    training.reproducible(run.seed)
    train = _photos(run, "train", head and models.class_names(head))
    names = train.class_names
    validation = _photos(run, "validation", names)
    _photos(run, "test", names)  # which would otherwise fail after the training
    base, sets = _base(run), (train, validation)
    model = head or models.classification_head(base, names)
    if team.first:
        write(run, run.output / "run.yml")
    if run.mode == "head":
        make, pooled, folder = transfer.as_features, models.pooled(base), run.output / "features"
        sets = team.in_turn(lambda: [make(pooled, each, folder) for each in sets])
    else:
        transfer.unfreeze_top(base, len(base.layers))
        model = models.with_head(base, model)

    def evaluate(model: keras.Model, folder: Path) -> dict[str, float]:
        probabilities = evaluation.predict(model, getattr(sets[1], "features", validation))
        report = _write_report(validation.labels, probabilities, names, folder)
        loss = log_loss(validation.labels, probabilities, labels=range(len(names)))
        return {"loss": loss, "accuracy": report.accuracy}

    directory = run.output / "training"
    evaluations = training.Evaluations(evaluate, directory, **dict(run.evaluation))
    published = recipes.HEAD_ONLY if run.mode == "head" else recipes.WHOLE_NETWORK
    recipe = dataclasses.replace(published, **dict(run.training))
    lines = "auto" if sys.stdout.isatty() else 2  # 2 writes a line an epoch
    training.fit(model, recipe, *sets, directory, evaluations, verbose=lines)
    if not (directory / "best.keras").is_file():
        typer.echo("No evaluation reached evaluation.floor; the last weights are used.", err=True)


def report(run: Run, folder: Path | None = None) -> str:
    """Evaluate a run on a folder of photos, or on those kept for it; write and return a report."""
    names = models.class_names(network := classifier(run))
    photos, path, what = _photos(run, folder or "test", names), run.output / "report", "test photos"
    known = ["train", "validation"]
    if folder is not None:
        place, what = folder.resolve(), f"photos in {folder}"
        last = "-".join(place.parts[1:][-2:])[-40:]
        path = run.output / f"report-{last}-{zlib.crc32(os.fsencode(place)):08x}"
    elif photos is None:
        photos, known = _photos(run, "validation", names), ["train"]
        what = "validation photos; they also chose the best weights, so expect a little less"
    parts = data.find_parts(run.photos) if run.photos.is_dir() else {}
    seen = {content(p) for part in known if part in parts for p in list_photos(parts[part])[0]}
    if not parts.keys() >= set(known):
        what += f"; {run.photos} lacks the training photos, so nobody knows how many these are"
    if count := sum(content(path) in seen for path in photos.file_paths):
        what += f"; {count:,} of them served to train it, so expect less of others"
    elif what == "test photos":
        what += ", which the training has not seen"
    labels, probabilities = photos.labels, evaluation.predict(network, photos)
    report = _write_report(labels, probabilities, names, path)
    rows = [("file", "class", "taken for", "probability")]
    for n in evaluation.worst_mistakes(labels, probabilities, len(labels)):
        taken, share = names[probabilities[n].argmax()], f"{probabilities[n].max():.4f}"
        rows.append((photos.file_paths[n], names[labels[n]], taken, share))
    files.write_table(path / "mistakes.csv", rows)
    return f"{report}\n\non {len(labels):,} {what}\nA heatmap and the mistakes are in {path}"


def predict(run: Run, paths: list[Path]) -> list[dict[str, Any]]:
    """Return the file, class, probability, and probabilities of all classes of photos."""
    network, answers = classifier(run), list[dict[str, Any]]()
    names, images = models.class_names(network), data.load_images(paths, _size(run))
    for path, row in zip(paths, evaluation.predict(network, images), strict=True):
        shares = {name: round(float(share), 4) for name, share in zip(names, row, strict=True)}
        best = {"class": names[row.argmax()], "probability": max(shares.values())}
        answers.append({"file": str(path), **best, "probabilities": shares})
    return answers


def similar(run: Run, path: Path, k: int) -> tuple[list[evaluation.Neighbour], Path]:
    """Find the training photos that are most like a photo, and draw them in a row."""
    image, photos = data.load_images([path], _size(run)), _photos(run, "train")
    pooled = models.pooled(classifier(run).get_layer(run.base.network))
    features = transfer.extract_features(pooled, photos, run.output / "features")
    collection = evaluation.SimilarImages(features, photos.file_paths)
    found = collection.nearest(pooled.predict(image, verbose=0)[0], k)
    figure, picture = collection.show(path, found), run.output / "similar.png"
    files.replace(picture, lambda file: figure.savefig(file, format="png"))
    return found, picture


def classifier(run: Run) -> keras.Model:
    """Return the trained network: its best weights, or its last if none reached the floor."""
    best, last = (run.output / "training" / f"{name}.keras" for name in ("best", "last"))
    if not last.is_file():
        raise FileNotFoundError(f"{run.output} holds no trained network yet; call cnnkit train.")
    trained = keras.models.load_model(best if best.is_file() else last)
    return models.with_head(_base(run), trained) if run.mode == "head" else trained


def _base(run: Run) -> keras.Model:
    return getattr(models, f"{run.base.network}_base")(run.base.weights, (*_size(run), 3))


def _photos(run: Run, part: str | Path, class_names: list[str] | None = None) -> Any:
    """Load a part of the photos, or a folder; None where there is no test set."""
    folder = data.find_parts(run.photos).get(part) if isinstance(part, str) else part
    options: Any = {"shuffle": part == "train", "seed": run.seed, "class_names": class_names}
    options |= {"skip_unusable": run.data.skip_unusable}
    if folder is None and part != "test":
        raise FileNotFoundError(f"{run.photos} holds no {part} photos any more; put them back.")
    found = folder and data.image_folder(folder, _size(run), run.training.batch_size, **options)
    if found and found.skipped:
        typer.echo(f"{folder}: {len(found.skipped)} files left out; see cnnkit check.", err=True)
    return found


def _size(run: Run) -> tuple[int, int]:
    return run.base.image_size, run.base.image_size


def _first_head(run: Run) -> keras.Model | None:
    """Load the head of another run on the same photos, if one is named."""
    if run.base.head_from is None:
        return None
    other = read(run.base.head_from / "run.yml")
    same = ("data", "seed", "base.network", "base.weights", "base.image_size")
    found = [line for line in differences(other, run) if line.startswith(same)]
    if found or other.mode != "head":
        what = "; ".join(found or [f"its mode is {other.mode}"])
        raise ValueError(f"base.head_from has to be a head's run on the same photos: {what}.")
    return classifier(other).get_layer("head")


def _split(run: Run) -> None:
    """Refuse the folder of another run, and split the photos."""
    begun, photos = (run.output / "run.yml").exists(), run.data
    if begun and (different := differences(read(run.output / "run.yml"), run)):
        raise ValueError(f"{run.output} holds another run: {'; '.join(different)}. Name another.")
    parts = data.find_parts(photos.folder) if photos.folder.exists() else {}
    for place in parts.values() or [photos.folder]:
        if run.output.resolve().is_relative_to(place.resolve()):
            raise ValueError(f"{run.output} lies inside of {place}, the photos. Name another.")
    if (photos.folder.exists() or not begun) and not parts:
        shares, to = (photos.validation_share, photos.test_share), run.output / "photos"
        data.split_folder(photos.folder, to, *shares, run.seed, photos.skip_unusable)


def _write_report(y: Any, probabilities: Any, names: list[str], folder: Path) -> evaluation.Report:
    """Write a report as text, as a table, and as a heatmap."""
    report = evaluation.report(y, probabilities, names)
    heatmap = plots.confusion(report.confusion, names, percent=True)
    files.replace(folder / "report.txt", lambda file: file.write(f"{report}\n".encode()))
    files.replace(folder / "confusion.png", lambda file: heatmap.savefig(file, format="png"))
    report.to_csv(folder / "report.csv")
    return report
