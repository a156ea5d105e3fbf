import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from histvq.errors import ConfigError
from histvq.resuming.telling import done_by_first, shared_out, told_by_all, told_by_first
from oracles.threaded import played


def test_all_hear_all_in_their_order():
    said = played(3, lambda rank, _: told_by_all({"rank": rank, "values": torch.arange(rank)}))
    for heard in said:
        assert [one["rank"] for one in heard] == [0, 1, 2]
        assert [one["values"].tolist() for one in heard] == [[], [0], [0, 1]]


def test_of_the_first_alone_something_is_heard():
    assert played(2, lambda rank, _: told_by_first(("of", rank))) == [("of", 0), ("of", 0)]


def test_the_first_does_it_for_all():
    done = []

    def task(rank):
        done.append(rank)
        return rank + 5

    assert played(3, lambda rank, _: done_by_first(lambda: task(rank))) == [5, 5, 5]
    assert done == [0]


def test_what_the_first_could_not_do_is_an_error_in_all():
    def fail():
        raise ConfigError("no such thing")

    def caught(*_):
        with pytest.raises(ConfigError, match="no such thing") as error:
            done_by_first(fail)
        return type(error.value)

    assert played(2, caught) == [ConfigError, ConfigError]


@given(n=st.integers(1, 4), items=st.lists(st.integers(), max_size=9))
def test_shared_out_it_is_as_if_one_had_done_it(n, items):
    done = []

    def task(item):
        done.append(item)
        return item * 3

    for found in played(n, lambda *_: shared_out(task, items)):
        assert found == [item * 3 for item in items]
    assert sorted(done) == sorted(items)


def test_alone_nothing_is_told():
    thing = object()
    assert told_by_all(thing) == [thing]
    assert told_by_first(thing) is thing
    assert done_by_first(lambda: thing) is thing
    assert shared_out(str, [1, 2]) == ["1", "2"]
