"""Ants and bees: a small folder of real photos, as a stand-in for your own."""

from pathlib import Path

from cnnkit.data import store

URL = "https://download.pytorch.org/tutorial/hymenoptera_data.zip"


def ants_and_bees() -> Path:
    """Return the folder of ants and bees of PyTorch's tutorial on transfer learning.

    Its training part, which holds a file that is no photo, as folders of one's own do.

    Returns
    -------
    Path
        With ``ants/`` and ``bees/``, 123 and 121 photos.

    Raises
    ------
    FileNotFoundError
        The folder is missing. The message says how to get it.
    """
    folder = store.home() / "hymenoptera_data" / "train"
    if not folder.is_dir():
        raise FileNotFoundError(
            f"{folder} is missing. Get the photos (47 MB) where there is internet:\n"
            f'  curl -L -O {URL} && unzip hymenoptera_data.zip -d "{store.home()}"'
        )
    return folder
