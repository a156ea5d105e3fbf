"""Unsupervised methods, one file each behind the Segmenter protocol."""

METHODS = {
    "histvq": "histvq.methods.histvq:HiSTVQ",
    "asot": "histvq.methods.asot:ASOT",
    "cte": "histvq.methods.cte:CTE",
    "tot": "histvq.methods.tot:TOT",
    "hvq": "histvq.methods.hvq:HVQ",
    "window-kmeans": "histvq.methods.window_kmeans:WindowKMeans",
    "smq": "histvq.methods.smq:SMQ",
}
