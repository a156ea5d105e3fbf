"""A method of one's own, as a user would write it."""

from histvq.methods.window_kmeans import WindowKMeans


class Own(WindowKMeans):
    """Window k-means under another name."""

    method_name = "oracles.own_method:Own"
