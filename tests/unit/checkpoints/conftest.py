import pytest
import torch


@pytest.fixture
def saved(tmp_path):
    """Writes weights as their authors' code did, and says where."""

    def save(weights):
        torch.save(weights, tmp_path / "some.model")
        return tmp_path / "some.model"

    return save
