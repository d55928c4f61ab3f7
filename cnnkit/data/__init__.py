"""The data set: where data lives, loading, preparing, checking, augmenting."""

from cnnkit.data.digits import digits, mnist

__all__ = ["digits", "mnist"]
