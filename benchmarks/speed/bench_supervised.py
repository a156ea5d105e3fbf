"""One training step of MS-GCN against one of MS-TCN, on 8,000 frames of six sensors with six channels.

    pytest benchmarks/speed/bench_supervised.py -o python_files='bench_*.py' \
        -o python_functions='bench_*' --benchmark-columns=median,rounds --benchmark-group-by=param:size

The bracketed ratios of each size are what to read; frames a second are 8,000 over the median.
"""

import pytest
import torch

from histvq.nn.frame_loss import label_loss, smoothing_loss
from histvq.nn.graph import adjacency
from histvq.nn.multistage import MultiStageGCN, MultiStageTCN

N_FRAMES, N_JOINTS, N_CHANNELS, N_CLASSES = 8_000, 6, 6, 10
SIZES = {
    "fast": {"n_maps": 32, "n_layers": 9},
    "published": {"n_maps": 64, "n_layers": 10},
}
GRAPH = adjacency([(0, 1), (1, 2), (3, 4), (4, 5), (2, 5)], n_joints=N_JOINTS, centres=[2])


def network(kind, size):
    sizes = {"n_channels": N_CHANNELS, "n_classes": N_CLASSES, "n_stages": 4, **SIZES[size]}
    if kind == "ms-gcn":
        return MultiStageGCN(adjacency=GRAPH, **sizes).train()
    return MultiStageTCN(n_joints=N_JOINTS, dropout=0.5, input_norm=True, **sizes).train()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", ["ms-tcn", "ms-gcn"])
def bench_training_step(benchmark, kind, size):
    torch.set_num_threads(1)
    made = network(kind, size)
    skeleton = torch.randn(N_JOINTS, N_FRAMES, N_CHANNELS)
    real = torch.ones(N_JOINTS, N_FRAMES, dtype=torch.bool)
    targets = torch.arange(N_FRAMES, dtype=torch.int32) // 200 % N_CLASSES

    def step():
        logits = made(skeleton, real)
        (label_loss(logits, targets) + 0.15 * smoothing_loss(logits, real[0])).backward()

    benchmark.pedantic(step, rounds=5, warmup_rounds=1)
