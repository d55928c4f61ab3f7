"""Only the chapters are tested, and not what a reader saved beside them.

The homework is tested by ``tests/homework``: its notebooks have answers that are missing.
"""

from pathlib import Path

HERE = Path(__file__).parent
collect_ignore = [
    "homework",
    *(
        path.name
        for path in HERE.glob("*.ipynb")
        if not (HERE / "scripts" / f"{path.stem}.py").exists()
    ),
]
