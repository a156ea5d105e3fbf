import pytest

from histvq import cluster as clusters
from histvq.cli.clusters import cluster_of, cluster_or_none
from histvq.errors import ConfigError


def test_options_are_read_as_others_but_times_stay_as_typed(monkeypatch):
    monkeypatch.setattr(clusters, "connected", lambda where, **given: (where, given))
    typed = ["cores=8", "memory=16GB", "walltime=02:00:00", "nanny=false", "queue=a:b"]
    where, given = cluster_of("slurm", 3, typed)
    assert where == "slurm"
    assert given["n_workers"] == 3
    assert given["options"] == {
        "cores": 8, "memory": "16GB", "walltime": "02:00:00", "nanny": False, "queue": "a:b",
    }  # fmt: skip
    assert cluster_of("local", 0, None)[1]["n_workers"] is None


def test_options_of_no_cluster():
    with pytest.raises(ConfigError, match="add --cluster slurm"):
        cluster_or_none(None, 2, ["cores=8"])
    with cluster_or_none(None, 2, None) as found:
        assert found is None
    with pytest.raises(ConfigError, match="write it as --cluster-option name=value"):
        cluster_of("slurm", 1, ["cores"])
