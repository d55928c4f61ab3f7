"""What comes before a run: whose folder it is, the parts of the photos, and its description."""

import dataclasses
from typing import TYPE_CHECKING, Any

from cnnkit import data, files
from cnnkit.cli import config as configuration
from cnnkit.cli import reading

if TYPE_CHECKING:
    from cnnkit.cli.runs import Run


def prepare(run: "Run") -> None:
    """Make sure that the folder is this run's, and that its photos are there and split.

    Raises
    ------
    FileNotFoundError
        Photos are missing.
    ValueError
        The folder holds another run or something else, or the photos cannot be used, or are no
        longer those that the run was begun with.
    """
    _make_sure_it_is_ours(run)
    _split(run)


def _make_sure_it_is_ours(run: "Run") -> None:
    """Refuse an output folder that holds another run, or something else."""
    if run.folder.exists() and not run.folder.is_dir():
        raise ValueError(f"{run.folder} is a file; name another output.")
    there = files.visible(run.folder)
    if "run.yml" in there:
        kept = reading.read(run.folder / "run.yml")
        if different := configuration.differences(kept, run.config):
            raise ValueError(
                f"{run.folder} holds another run: {'; '.join(different)}. Name another "
                "output, or delete the folder."
            )
    elif there not in ([], ["photos"]):
        raise ValueError(f"{run.folder} holds {there[0]!r} and no run; name another output.")


def _split(run: "Run") -> None:
    """Copy the photos into three parts, before the run begins."""
    given, begun = run.config.data, (run.folder / "run.yml").exists()
    if given.folder is None:
        return
    source = run.config.path(given.folder)
    if begun and not source.exists():  # its photos are in the run
        return
    problems = [] if begun else data.check_images(source)
    try:
        data.split_folder(
            source,
            run.folder / "photos",
            given.validation_share,
            given.test_share,
            run.config.seed,
            given.skip_unusable,
        )
    except ValueError as error:
        if not begun:
            raise
        raise ValueError(
            f"{source} is no longer what it was when {run.folder} was begun. Name another "
            f"output, or delete the folder. ({error})"
        ) from None
    run.tell_unusable(problems)


def keep_description(run: "Run") -> None:
    """Keep the description with the run, its paths counted from there."""
    sections: dict[str, Any] = {
        section: dataclasses.replace(values, **_seen_from(run, values))
        for section, values in (("data", run.config.data), ("base", run.config.base))
    }
    kept = dataclasses.replace(run.config, **sections, output=".")
    configuration.write(kept, run.folder / "run.yml")


def _seen_from(run: "Run", values: Any) -> dict[str, Any]:
    return {
        name: configuration.relative(run.config.path(value), run.folder)
        for name, value in dataclasses.asdict(values).items()
        if configuration.is_path(name) and value is not None
    }
