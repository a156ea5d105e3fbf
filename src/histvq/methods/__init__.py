"""Unsupervised methods, one file each behind the Segmenter protocol."""

METHODS = {
    "histvq": "histvq.methods.histvq:HiSTVQ",
    "smq": "histvq.methods.smq:SMQ",
}
