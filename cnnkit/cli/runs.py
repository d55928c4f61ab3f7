"""A run on a folder of photos, from its description to trained weights."""

import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cnnkit import data, evaluation, models, training
from cnnkit.cli import config as configuration
from cnnkit.cli import preparing, reading
from cnnkit.cli.config import Config
from cnnkit.cli.reports import write_report
from cnnkit.models.pretrained import OR_DRAWN

import keras
from sklearn.metrics import log_loss

BASES: dict[str, Callable[..., keras.Model]] = {
    "densenet": models.densenet_base,
    "vgg16": models.vgg16_base,
}


class Run:
    """A folder that holds a run.

    ``run.yml`` describes it; ``photos`` holds the parts of a folder that had to be split,
    ``features`` what a base made of them, and ``training`` the weights, the history and the
    evaluations. What is made of it later lies beside these.

    Parameters
    ----------
    folder : Path
    config : Config
    say : callable
        Takes a line that tells the user what is going on.
    processes : training.distribution.Processes
        Those that train it together.
    """

    def __init__(
        self,
        folder: Path,
        config: Config,
        say: Callable[[str], object],
        processes: training.distribution.Processes | None = None,
    ) -> None:
        self.folder, self.config, self._say = folder, config, say
        self._processes = processes or training.distribution.current()

    @classmethod
    def open(cls, folder: Path, say: Callable[[str], object]) -> "Run":
        """Return the run that a folder holds.

        Raises
        ------
        FileNotFoundError
            It is missing, or holds no run.
        """
        if not (folder / "run.yml").is_file():
            raise FileNotFoundError(
                f"{folder} holds no run; give a folder that `cnnkit train` has made."
            )
        return cls(folder, reading.read(folder / "run.yml"), say)

    def train(self) -> None:
        """Train a classifier, or go on where an interrupted call was."""
        head = self._head_to_begin_with()  # which may not fit, before anything is made for it
        self._processes.in_turn(lambda: preparing.prepare(self))
        training.reproducible(self.config.seed)
        train, validation = self.photos("train"), self.photos("validation")
        self.tell_unusable(train.skipped + validation.skipped)
        names = train.class_names
        if validation.class_names != names:
            raise ValueError(
                f"The training photos have the classes {', '.join(names)}, and the validation "
                f"photos {', '.join(validation.class_names)}; expected the same."
            )
        if self.config.data.test_folder and not (self.folder / "run.yml").exists():
            self.photos("test", names)  # which would otherwise fail after the training
        if head and models.class_names(head) != names:
            raise ValueError(
                f"The head of base.head_from has the classes {', '.join(models.class_names(head))}"
                f", and the photos {', '.join(names)}; expected the same."
            )
        base = self.base()
        model = head or models.classification_head(base, names)
        if self._processes.first:
            preparing.keep_description(self)
        sets = [train, validation]
        if self.config.mode == "head":
            pooled, folder = models.pooled(base), self.folder / "features"
            sets = self._processes.in_turn(
                lambda: [training.transfer.as_features(pooled, each, folder) for each in sets]
            )
        else:
            training.transfer.unfreeze_top(base, len(base.layers))
            model = models.with_head(base, model)

        def judge(model: keras.Model, folder: Path) -> dict[str, float]:
            photos = getattr(sets[1], "features", sets[1])
            probabilities = evaluation.predict(model, photos)
            report = evaluation.report(validation.labels, probabilities, names)
            write_report(report, folder)
            loss = log_loss(validation.labels, probabilities, labels=range(len(names)))
            return {"loss": loss, "accuracy": report.accuracy}

        when, directory = self.config.evaluation, self.folder / "training"
        evaluations = training.Evaluations(
            judge, directory, when.every, when.after, floor=when.floor
        )
        recipe = dataclasses.replace(
            configuration.RECIPES[self.config.mode], **dataclasses.asdict(self.config.training)
        )
        lines = "auto" if sys.stdout.isatty() else 2  # 2 writes a line an epoch
        training.fit(
            model, recipe, sets[0], sets[1], directory, evaluate=evaluations, verbose=lines
        )
        if not (directory / "best.keras").is_file():
            self._say(
                f"No evaluation reached evaluation.floor, {when.floor}; the last weights are used."
            )

    def classifier(self) -> keras.Model:
        """Return the trained network: its best weights, or its last if none reached the floor."""
        trained = keras.models.load_model(self.weights())
        return models.with_head(self.base(), trained) if self.config.mode == "head" else trained

    def weights(self) -> Path:
        """Return the file of the trained network, or of its head."""
        best, last = (self.folder / "training" / f"{name}.keras" for name in ("best", "last"))
        if not last.is_file():
            raise FileNotFoundError(
                f"{self.folder} holds no trained weights yet; go on with `cnnkit train`."
            )
        return best if best.is_file() else last

    def base(self) -> keras.Model:
        """Return the base as it is before the run."""
        base = self.config.base
        try:
            return BASES[base.network](base.weights, (base.image_size, base.image_size, 3))
        except FileNotFoundError as error:
            text = str(error).removesuffix(OR_DRAWN)
            raise FileNotFoundError(
                f"{text}Or practise without them: `cnnkit init` with --weights drawn --force."
            ) from None

    def part(self, name: str) -> Path | None:
        """Return the folder of a part of the photos; None for a test set that there is not."""
        given = self.config.data
        if given.folder is None:
            folder = getattr(given, f"{name}_folder")
            return None if folder is None else self.config.path(folder)
        return None if name == "test" and not given.test_share else self.folder / "photos" / name

    def photos(self, part: str, class_names: list[str] | None = None) -> Any:
        """Load a part of the photos; None for a test set that there is not."""
        folder = self.part(part)
        return folder and self.load(folder, part == "train", class_names)

    def load(
        self, folder: Path, shuffle: bool = False, class_names: list[str] | None = None
    ) -> Any:
        """Load a folder of photos, in the size that the base takes."""
        config, side = self.config, self.config.base.image_size
        return data.image_folder(
            folder,
            (side, side),
            config.training.batch_size,
            shuffle,
            config.seed,
            skip_unusable=config.data.skip_unusable,
            class_names=class_names,
        )

    def _head_to_begin_with(self) -> keras.Model | None:
        """Load the head of another run on the same base and photos."""
        if self.config.base.head_from is None:
            return None
        other = Run.open(self.config.path(self.config.base.head_from), self._say)
        different = [
            line
            for line in configuration.differences(other.config, self.config)
            if line.startswith(("data.", "base.", "seed")) and "head_from" not in line
        ]
        if other.config.mode != "head" or different:
            raise ValueError(
                f"{other.folder}, which base.head_from names, is no run of a head on the same base "
                f"and photos{': ' if different else ''}{'; '.join(different)}. Name another."
            )
        return keras.models.load_model(other.weights())

    def tell_unusable(self, problems: list[Any]) -> None:
        """Name files that were left out, with the reasons."""
        for path, reason in problems:
            self._say(f"not used: {path}: {reason}")
