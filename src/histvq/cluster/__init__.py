"""Many independent pieces of work on a Dask cluster: connect, share what all need, work through.

    with connected("local", n_workers=2) as cluster:
        cluster.share("model", model)
        for piece, answer in work_through(cluster, answered, pieces, n_tasks=len(pieces)):
            ...

and on the workers `shared("model")`. Knows nothing of recordings, models or files.
"""

from histvq.cluster.connecting import Cluster, connected
from histvq.cluster.sharing import shared
from histvq.cluster.trying import Failed, wanted
from histvq.cluster.working import work_through

__all__ = ["Cluster", "Failed", "connected", "shared", "wanted", "work_through"]
