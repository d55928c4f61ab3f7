"""Features laid out in a plane, so that one sees which pictures a network finds alike."""

from cnnkit import checks

import numpy as np

ENOUGH = 50  # principal components that t-SNE begins with, as its author advises
PERPLEXITY = 30.0  # neighbours that count for a picture, roughly
FEW = 500  # pictures


def embed(features: np.ndarray, seed: int = 0) -> np.ndarray:
    """Lay out features in a plane by t-SNE.

    It keeps neighbours together, and distances between groups mean little. Scikit-learn's
    ``PCA(2)`` is a projection, in which they mean something.

    Parameters
    ----------
    features : ndarray, (n, …)
        Of at least three pictures; each picture's are laid out as one vector.
    seed : int
        From 0; decides what is random in it.

    Returns
    -------
    ndarray, (n, 2)
        As `plots.point_maps` takes it.

    Raises
    ------
    ValueError
        Too few pictures or features, or features that are not finite or the same for all
        pictures.

    References
    ----------
    L. van der Maaten and G. Hinton, "Visualizing data using t-SNE", JMLR 9, 2008.
    """
    from sklearn.decomposition import PCA  # here, since they make `import cnnkit` slower
    from sklearn.manifold import TSNE

    checks.whole_number("seed", seed, least=0)
    features = np.asarray(features, "float32")
    if features.ndim < 2 or len(features) < 3:
        raise ValueError(
            f"The features have shape {features.shape}; expected (n, …) with n at least 3."
        )
    checks.finite_features(features)
    rows = features.reshape(len(features), -1)
    if rows.shape[1] < 2 or not np.ptp(rows, axis=0).any():
        raise ValueError(
            f"The features have shape {features.shape} and differ in too little to be laid out; "
            "expected two numbers a picture at least, and not the same for all."
        )
    rows = PCA(min(ENOUGH, *rows.shape), random_state=seed).fit_transform(rows)
    perplexity = min(PERPLEXITY, (len(rows) - 1) / 3)
    how = "exact" if len(rows) <= FEW else "barnes_hut"  # whose threads crawl on a busy machine
    tsne = TSNE(2, perplexity=perplexity, init="pca", method=how, random_state=seed)
    return tsne.fit_transform(rows)
