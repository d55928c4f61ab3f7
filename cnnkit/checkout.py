"""The checkout that cnnkit is installed from, where it is installed from one."""

from pathlib import Path

_PARENT = Path(__file__).resolve().parents[1]

CHECKOUT: Path | None = _PARENT if (_PARENT / "pyproject.toml").is_file() else None
