import threading

import pytest
import torch

from histvq.nn.threads import one_thread_each, side_by_side

CPU = torch.device("cpu")


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield 3
    torch.set_num_threads(before)


def test_results_come_in_order_and_from_several_threads(threads):
    together = threading.Barrier(threads, timeout=30)  # passes only if all are there at once

    def task(number):
        together.wait()
        return number, threading.get_ident(), torch.get_num_threads()

    found = list(side_by_side(task, range(6), device=CPU))
    assert [number for number, *_ in found] == list(range(6))
    assert len({thread for _, thread, _ in found}) == threads
    assert {alone for *_, alone in found} == {1}
    assert torch.get_num_threads() == threads


def test_an_error_comes_out_and_the_number_of_threads_stays(threads):
    def task(number):
        raise ValueError(f"item {number}")

    with pytest.raises(ValueError, match="item 0"):
        list(side_by_side(task, range(4), device=CPU))
    assert torch.get_num_threads() == threads


def test_a_single_item_is_worked_on_here(threads):
    here = threading.get_ident()
    assert list(side_by_side(lambda _: threading.get_ident(), [0], device=CPU)) == [here]
    assert list(side_by_side(lambda _: 1, [], device=CPU)) == []


def test_items_are_taken_as_they_are_needed(threads):
    taken = []

    def items():
        for number in range(1000):
            taken.append(number)
            yield number

    found = side_by_side(lambda number: number, items(), device=CPU)
    assert next(found) == 0
    assert len(taken) < 50
    found.close()
    assert torch.get_num_threads() == threads


def test_within_one_thread_each_the_others_are_left_to_pieces(threads):
    with one_thread_each(), one_thread_each():
        assert torch.get_num_threads() == 1
        together = threading.Barrier(threads, timeout=30)
        found = list(side_by_side(lambda _: together.wait(), range(threads), device=CPU))
        assert sorted(found) == list(range(threads))
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == threads
