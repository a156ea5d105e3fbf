"""The supervised references of the paper's Table 1: the only models that see annotations.

A new one is one class and one line in this table.
"""

SUPERVISED = {
    "ed-tcn": "histvq.supervised.ed_tcn:EDTCN",
    "ms-gcn": "histvq.supervised.gcn:MSGCN",
    "ms-tcn": "histvq.supervised.tcn:MSTCN",
    "single-stage-tcn": "histvq.supervised.tcn:SingleStageTCN",
    "st-gcn": "histvq.supervised.gcn:STGCN",
}
