"""Clusters that are not there, and what is said of those that are."""

import gc
import socket
import sys

import pytest
from distributed import Client

from histvq.cluster import connected, connecting
from histvq.errors import ConfigError, FileFormatError


@pytest.fixture
def nobody():
    """An address at which nobody listens."""
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{place.getsockname()[1]}"


def fails(where, *, match, error=ConfigError, **options):
    with pytest.raises(error, match=match), connected(where, **options):
        pass


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(connecting, "CONNECT_S", 0.5)


def test_an_address_where_nobody_is(nobody, impatient):
    fails(nobody, match=f"--cluster {nobody}: no scheduler answers there")


def test_no_client_is_left_that_could_not_connect(nobody, impatient):
    """Dask's own clean-up of one, should it come while another begins, waits for ever."""
    with pytest.raises(ConfigError) as held, connected(nobody):
        pass
    left = [one for one in gc.get_objects() if type(one) is Client and one.status != "closed"]
    assert not left
    assert held.value.__cause__ is None


@pytest.mark.parametrize("where", ["slum", "tcp://", "http://nowhere.invalid:1", "tcp://x:y"])
def test_what_is_no_address(where, impatient):
    fails(where, match="no scheduler answers there .* Other clusters are local, slurm, pbs")


def test_scheduler_files(tmp_path, nobody, impatient):
    place = tmp_path / "scheduler.json"
    fails(str(place), match="no such file; start a scheduler with `dask scheduler --scheduler-file")
    place.write_text("[]")
    fails(str(place), match="not the file of a Dask scheduler, it has no address")
    place.write_text("{")
    fails(str(place), match="no JSON", error=FileFormatError)
    place.write_text(f'{{"address": "{nobody}"}}')
    fails(str(place), match="no scheduler answers there")


def test_a_cluster_that_runs_takes_no_workers_or_options(nobody):
    for given in ({"n_workers": 2}, {"options": {"cores": 2}}):
        fails(
            nobody, match="has the workers it has: leave out --jobs and --cluster-option", **given
        )


def test_an_option_that_local_does_not_have():
    fails("local", match="unexpected keyword argument 'cores'", options={"cores": 2})


def test_without_dask_the_line_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    fails("local", match=r'clusters need dask: pip install "histvq\[cluster\]"')
