import inspect

import pytest
from pydantic import BaseModel, Field, PositiveInt
from sklearn.base import clone

from histvq.errors import ConfigError, NotFittedError
from histvq.segmenter import Estimator


class Config(BaseModel, frozen=True, extra="forbid"):
    n_actions: PositiveInt
    decay: float = Field(0.5, ge=0, lt=1)
    layers: list[int] = Field(default_factory=lambda: [1, 2])


class PlainConfig(BaseModel, frozen=True, extra="forbid"):
    n_actions: PositiveInt
    decay: float = 0.5


class Plain(Estimator):
    Config = PlainConfig


class Toy(Estimator):
    Config = Config


def test_the_constructor_stores_what_it_is_given():
    toy = Toy(n_actions=3)
    assert toy.get_params() == {"n_actions": 3, "decay": 0.5, "layers": [1, 2]}
    assert toy.decay == 0.5
    assert toy.config == Config(n_actions=3)
    assert list(inspect.signature(Toy).parameters) == ["n_actions", "decay", "layers"]


def test_scikit_learn_can_clone_it():
    toy = Toy(n_actions=3, decay=0.25)
    copy = clone(toy)
    assert copy is not toy
    assert copy.get_params() == toy.get_params()


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({}, "n_actions is required"),
        ({"n_actions": 0}, "n_actions=0: input should be greater than 0"),
        ({"n_actions": 3, "decay": 1.0}, "decay=1.0: input should be less than 1"),
        ({"n_actions": 3, "deacy": 0.5}, "no parameter 'deacy'; did you mean 'decay'"),
    ],
)
def test_bad_parameters_are_told_at_once(params, words):
    with pytest.raises(ConfigError, match=f"Toy: .*{words}"):
        Toy(**params)


def test_all_faults_are_told_together():
    with pytest.raises(ConfigError, match=r"n_actions=0.*decay=2"):
        Toy(n_actions=0, decay=2)


def test_set_params_changes_all_or_nothing():
    toy = Toy(n_actions=3)
    assert toy.set_params(decay=0.1) is toy
    assert toy.decay == 0.1
    with pytest.raises(ConfigError):
        toy.set_params(n_actions=5, decay=7)
    assert (toy.n_actions, toy.decay) == (3, 0.1)


def test_two_estimators_do_not_share_a_default():
    one, other = Toy(n_actions=1), Toy(n_actions=1)
    one.layers.append(9)
    assert other.layers == [1, 2]


def test_the_name_shows_what_differs_from_the_defaults():
    assert repr(Plain(n_actions=3)) == "Plain(n_actions=3)"
    assert repr(Plain(n_actions=3, decay=0.1)) == "Plain(n_actions=3, decay=0.1)"


def test_what_is_not_fitted_says_what_to_do():
    with pytest.raises(NotFittedError, match=r"Toy is not fitted yet: call fit\(recordings\)"):
        Toy(n_actions=3)._require_fitted("codebook_")
