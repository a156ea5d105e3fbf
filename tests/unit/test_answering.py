import numpy as np
import pytest
from torch import nn

from histvq.answering import Kept, share_changed
from histvq.chunks import PatchCodes


def answers(*codes):
    array = np.array(codes, np.int32)
    return [PatchCodes(array, array, np.zeros(len(codes), np.float32))]


def test_share_changed_by_hand():
    assert share_changed([], answers(0, 1, 2, 2)) == 1.0
    assert share_changed(answers(0, 1, 2, 2), answers(0, 1, 0, 2)) == 0.25


@pytest.mark.parametrize(("steadiest", "epoch"), [(False, 5), (True, 3)])
def test_one_action_for_everything_is_steady_but_not_kept(steadiest, epoch):
    kept = Kept(steadiest=steadiest)
    network = nn.Linear(1, 1)
    for codes in ((0, 1, 2, 2), (0, 2, 1, 1), (0, 2, 1, 2), (0, 0, 0, 0), (0, 0, 0, 0)):
        kept.offer(answers(*codes), network)
    assert kept.epoch == epoch  # epoch 2 changed three of four, epoch 3 one; 4 and 5 use one action


def test_the_state_kept_does_not_move_on_with_the_network():
    kept = Kept(steadiest=False)
    network = nn.Linear(1, 1)
    kept.offer(answers(0), network)
    before = float(network.weight.detach())
    network.weight.data += 1
    assert float(kept.state["weight"]) == before
