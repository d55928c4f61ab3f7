"""Features laid out in a plane, so that one sees which images a network finds alike."""

import numpy as np


def embed(features: np.ndarray, seed: int = 0) -> np.ndarray:
    """Lay out features in a plane, (n, 2), by t-SNE after 50 principal components.

    It keeps neighbours together, and distances between groups mean little. Scikit-learn's
    ``PCA(2)`` is a projection, in which they mean something.

    Parameters
    ----------
    features : ndarray, (n, …)
        Of at least three images; each image's are laid out as one vector.
    seed : int

    References
    ----------
    L. van der Maaten and G. Hinton, "Visualizing data using t-SNE", JMLR 9, 2008.
    """
    from sklearn import decomposition, manifold  # here, since they take a second

    rows = np.asarray(features, "float32").reshape(len(features), -1)
    pca = decomposition.PCA(min(50, *rows.shape), random_state=seed)
    perplexity = min(30.0, (len(rows) - 1) / 3)  # neighbours that count for an image, roughly
    method = "exact" if len(rows) <= 500 else "barnes_hut"  # whose threads crawl on a busy machine
    options = {"perplexity": perplexity, "init": "pca", "method": method, "random_state": seed}
    return manifold.TSNE(2, **options).fit_transform(pca.fit_transform(rows))
