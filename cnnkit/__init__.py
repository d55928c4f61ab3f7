"""Convolutional networks in four parts: data set, model, algorithm, evaluation.

``data``, ``models``, ``training`` and ``evaluation`` are these parts of every image classifier;
``plots`` draws what they return. Each is imported when it is used first. Import cnnkit before
keras: it keeps the log lines that TensorFlow writes while it loads out of your notebook.
"""

import logging
import os
import sys
import tempfile
import warnings
from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cnnkit import data, evaluation, models, plots, training

# TensorFlow reports a machine without a GPU as an error when it runs its first operation.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# It takes oneDNN only where a processor has AVX-512; on others, too, networks train twice as fast.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
# Several models in one notebook are no mistake, though TensorFlow warns of it as one.
logging.getLogger("tensorflow").addFilter(lambda record: "retracing" not in record.getMessage())
# `fit` shuffles unless told not to, and Keras warns that a data set brings its own order.
warnings.filterwarnings("ignore", "`shuffle=True` was passed, but will be ignored", UserWarning)

__all__ = ["data", "evaluation", "models", "plots", "training"]
__version__ = "0.1.0"


def __getattr__(name: str) -> ModuleType:
    """Import a part when it is used first: `cnnkit --help` answers before Keras could load."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module(f"cnnkit.{name}")


class _QuietKeras:
    """Finds Keras as Python does, and holds back what file descriptor 2 gets while it is loaded."""

    @classmethod
    def find_spec(cls, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec("keras") if fullname == "keras" else None
        if spec is not None and spec.loader is not None:
            setattr(spec.loader, "exec_module", partial(_load, spec.loader.exec_module))  # noqa: B010
        return spec


def _load(execute: Callable[[ModuleType], None], module: ModuleType) -> None:
    """Execute a module, and show what it wrote to standard error only if it fails."""
    if sys.stderr is None:  # there is nothing to hold back
        return execute(module)
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            execute(module)
            held.truncate(0)  # it did not fail
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            held.seek(0)
            os.write(2, held.read())


sys.meta_path.insert(0, _QuietKeras)
