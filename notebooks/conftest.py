"""Only the chapters are tested, and not what a reader saved beside them."""

from pathlib import Path

HERE = Path(__file__).parent
collect_ignore = [
    path.name
    for path in HERE.glob("*.ipynb")
    if not (HERE / "scripts" / f"{path.stem}.py").exists()
]
