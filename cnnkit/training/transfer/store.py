"""Features on disk: a row for each photo, which knows its photo and whether it is sound."""

import errno
import hashlib
import tempfile
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np

WRITTEN = 1 << 32  # beside a checksum of 32 bits, tells a row from one that was never written


class FeatureFile:
    """A NumPy file of rows (photo, checksum, features), made in full before it is filled.

    A row counts if its checksum is right and it was made from the same photo. So an interrupted
    run goes on where it was, a changed photo is noticed, and so is damage.

    Parameters
    ----------
    path : Path
        Made where it is missing.
    count : int
        Number of rows.
    shape : tuple of int
        Of the features of one photo.

    Raises
    ------
    OSError
        The folder cannot be written, or has no room.
    """

    def __init__(self, path: Path, count: int, shape: tuple[int, ...]) -> None:
        self.path, self._damage_told = path, False
        self._dtype = np.dtype([("photo", "<u8"), ("checksum", "<u8"), ("features", "<f4", shape)])
        self._rows = self._open()
        if self._rows is None or self._rows.shape != (count,) or self._rows.dtype != self._dtype:
            if self._rows is not None or path.exists():
                self._tell_damage()
            self._rows = None  # Windows cannot replace a file that is mapped
            self._allocate(count)
            self._rows = self._open()

    @property
    def features(self) -> np.ndarray:
        """All features, read from disk where they are used."""
        return self._rows["features"]

    def current(self, rows: np.ndarray, photos: np.ndarray) -> bool:
        """Whether the features of these rows are there, and belong to these photos."""
        current = True
        for number, photo in zip(rows, photos, strict=True):
            row = self._rows[number]
            sound = row["checksum"] == _checksum(row["photo"], row["features"])
            if row["checksum"] and not sound:
                self._tell_damage()
            current &= bool(sound and row["photo"] == photo)
        return current

    def write(self, rows: np.ndarray, photos: np.ndarray, features: np.ndarray) -> None:
        """Set rows."""
        if not self._rows.flags.writeable:
            raise OSError(errno.EACCES, f"{self.path} may not be written. Name another directory.")
        for row, photo, values in zip(rows, photos, features.astype("<f4"), strict=True):
            record = self._rows[row]
            record["checksum"] = 0  # until all is there, for another process that reads it
            record["photo"], record["features"] = photo, values
            record["checksum"] = _checksum(photo, values)

    def _open(self) -> Any:
        for mode in ("r+", "r"):
            try:
                rows = np.load(self.path, mmap_mode=mode)
            except PermissionError:
                continue
            except Exception:  # a damaged header makes NumPy's parser raise nearly anything
                return None
            return rows if isinstance(rows, np.memmap) else None
        return None

    def _allocate(self, count: int) -> None:
        # In full, since a full disk ends a process that writes to a mapped file.
        form = np.lib.format.dtype_to_descr(self._dtype)
        header = {"descr": form, "fortran_order": False, "shape": (count,)}
        empty = bytes(self._dtype.itemsize)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".features-", dir=self.path.parent) as folder:
                part = Path(folder) / self.path.name
                with part.open("wb") as file:
                    np.lib.format.write_array_header_2_0(file, header)
                    for _ in range(count):
                        file.write(empty)
                part.replace(self.path)
        except OSError as error:
            raise OSError(
                error.errno,
                f"{self.path} was not made ({error.strerror}); it needs "
                f"{count * len(empty) / 1e9:.2f} GB. Make room there, or name another directory "
                "in the call.",
            ) from None

    def _tell_damage(self) -> None:
        if not self._damage_told:
            warnings.warn(f"{self.path} is damaged; computing it again.", stacklevel=2)
        self._damage_told = True


def photo_keys(images: np.ndarray) -> np.ndarray:
    """Return a 64-bit key of each photo's pixels."""
    rows = np.ascontiguousarray(images)
    keys = [hashlib.blake2b(row.data, digest_size=8).digest() for row in rows]
    return np.frombuffer(b"".join(keys), "<u8")


def _checksum(photo: np.ndarray, features: np.ndarray) -> int:
    start = zlib.crc32(np.asarray(photo, "<u8").tobytes())
    return WRITTEN | zlib.crc32(np.ascontiguousarray(features).data, start)
