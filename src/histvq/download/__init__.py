"""Datasets fetched from where their makers put them, once their terms are agreed to."""

from histvq.download.dataset import Downloaded, Offer, download_dataset, offer
from histvq.download.web import DownloadError

__all__ = ["DownloadError", "Downloaded", "Offer", "download_dataset", "offer"]
