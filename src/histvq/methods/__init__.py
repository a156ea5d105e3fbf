"""Unsupervised methods, one file each behind the Segmenter protocol."""

METHODS = {
    "histvq": "histvq.methods.histvq:HiSTVQ",
    "smq": "histvq.methods.smq:SMQ",
    "hvq": "histvq.methods.hvq:HVQ",
    "asot": "histvq.methods.asot:ASOT",
    "tot": "histvq.methods.tot:TOT",
    "cte": "histvq.methods.cte:CTE",
    "window-kmeans": "histvq.methods.window_kmeans:WindowKMeans",
}
