"""Convolutional networks in four parts: data set, model, algorithm, evaluation.

``data``, ``models``, ``training`` and ``evaluation`` are the four parts of every image
classifier; ``plots`` draws what they return. Import cnnkit before keras: it keeps the log
lines that TensorFlow writes while it loads out of your notebook.
"""

import logging
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

# TensorFlow reports a machine without a GPU as an error when it runs its first operation.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# It takes oneDNN only where a processor has AVX-512; on others, too, networks train twice as fast.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
# Several models in one notebook are no mistake, though TensorFlow warns of it as one.
logging.getLogger("tensorflow").addFilter(lambda record: "retracing" not in record.getMessage())
# `fit` shuffles unless told not to, and Keras warns that a data set brings its own order.
warnings.filterwarnings("ignore", "`shuffle=True` was passed, but will be ignored", UserWarning)


BACKENDS = ("tensorflow", "jax", "torch")


@contextmanager
def _stderr_held_back() -> Iterator[None]:
    """Hold back what is written to file descriptor 2; let it through if the body fails."""
    try:
        stderr = os.dup(2)
    except OSError:  # a process without standard error has nothing to hold back
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(stderr, held.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


try:
    with _stderr_held_back():
        import keras  # noqa: F401
except (ImportError, ValueError) as error:
    missing = (getattr(error, "name", None) or "").partition(".")[0]
    if missing not in BACKENDS and "import backend" not in str(error):
        raise
    raise ImportError(
        f"Keras cannot compute: {error}. Install it, or set the environment variable KERAS_BACKEND "
        f"to one of {', '.join(BACKENDS)} that is installed."
    ) from None

from cnnkit import data, evaluation, models, plots, training  # noqa: E402

__all__ = ["data", "evaluation", "models", "plots", "training"]
__version__ = "0.1.0"
