from fractions import Fraction

import pytest

from histvq.errors import ConfigError, did_you_mean
from histvq.registry import resolve

TABLE = {"fraction": "fractions:Fraction", "broken": "no_such_module_at_all:thing"}


def test_by_name_and_written_out():
    assert resolve("fraction", TABLE, kind="number") is Fraction
    assert resolve("fractions:Fraction", {}, kind="number") is Fraction


def test_a_near_miss_is_named():
    with pytest.raises(
        ConfigError, match="no number is called 'fractoin'; did you mean 'fraction'"
    ):
        resolve("fractoin", TABLE, kind="number")
    with pytest.raises(ConfigError, match="known are broken, fraction"):
        resolve("zzz", TABLE, kind="number")


@pytest.mark.parametrize("place", ["no_such_module_at_all:thing", "fractions:Fractoin"])
def test_a_written_out_place_that_is_not_there(place):
    with pytest.raises(ConfigError, match=r"cannot be imported: .*package\.module:Name"):
        resolve(place, TABLE, kind="number")


def test_a_fault_of_our_own_table_is_not_blamed_on_the_user():
    with pytest.raises(ModuleNotFoundError):
        resolve("broken", TABLE, kind="number")


def test_did_you_mean():
    assert did_you_mean("fpss", ["fps", "unit"]) == "; did you mean 'fps'?"
    assert did_you_mean("q", ["fps", "unit"]) == "; known are fps, unit"
