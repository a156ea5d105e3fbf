"""Tensor maths: networks, codebooks and losses, knowing nothing of files, labels or methods."""
