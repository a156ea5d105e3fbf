"""What benchmarks/speed counts and reckons; its times are nobody's business here."""

import re
import sys

import numpy as np
import pytest
import torch
from torch.profiler import ProfilerActivity, profile, record_function
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.speed.__main__ import main
from benchmarks.speed.compare import batch_that_fits, padding
from benchmarks.speed.cost import encoder_flop_per_frame, training_flop_per_frame
from benchmarks.speed.growth import exponent
from benchmarks.speed.measure import MeasurementError, in_process
from benchmarks.speed.plain import PlainHiSTVQ, Sizes, pad
from benchmarks.speed.profiling import SCOPES, recorded, shares_of
from benchmarks.speed.shapes import SHAPES, made_up_lengths, write
from benchmarks.speed.table import page
from benchmarks.speed.worker import Marks, answer
from histvq.segmenter import Progress

SIZES = Sizes(n_joints=3, n_channels=6, patch_frames=10, n_maps=24, n_layers=2, n_latent=8)


@pytest.fixture(autouse=True)
def _alone(one_thread):
    pass


def test_operations_a_frame_are_those_pytorch_counts():
    plain = PlainHiSTVQ(SIZES)
    batch = pad([torch.randn(40, 3, 6)], SIZES.patch_frames)
    with FlopCounterMode(display=False) as counter:
        plain.losses(*batch, torch.Generator())["total"].backward()
    counts = counter.get_flop_counts()["Global"]
    counted = sum(n for operator, n in counts.items() if "convolution" in str(operator))
    assert training_flop_per_frame(SIZES) * 40 == counted
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        plain.encode(*batch[:2])
    assert encoder_flop_per_frame(SIZES) * 40 == counter.get_total_flops()


def test_a_frame_of_hugadb_costs_the_paper_s_network_so_much():  # by hand, 3 x 2 x 6 x 796,160
    sizes = Sizes(n_joints=6, n_channels=6, patch_frames=60)
    assert training_flop_per_frame(sizes) == pytest.approx(28_661_760, rel=1e-3)


def test_padding_by_hand():
    skeletons = [torch.ones(5, 1, 2), torch.ones(2, 1, 2)]
    skeletons[0][3, 0, 1] = torch.nan
    batch, real, times = pad(skeletons, patch_frames=2)
    assert real[:, :, 0].int().tolist() == [[1, 1, 1, 0, 1, 0], [1, 1, 0, 0, 0, 0]]
    assert (batch == real[..., None]).all()
    torch.testing.assert_close(times[0], torch.tensor([1, 3, 4.5]) / 5)
    assert times[1, 0] == 0.5
    assert padding([5, 2, 9], [0, 1]) == pytest.approx(0.3)


def test_cost_that_grows_with_the_cube_has_exponent_three():
    assert exponent((1, 4, 16), [7.0 * n**3 for n in (1, 4, 16)]) == pytest.approx(3)


def test_a_batch_is_halved_until_the_plain_version_fits():
    gigabyte = 2**30
    sizes = Sizes(n_joints=25, n_channels=3, patch_frames=30)
    # 32 sequences of 1,800 frames: 50 x 4 x 128 x 32 x 25 x 1,800 bytes are 37 GB.
    assert batch_that_fits(32, sizes, 1_800, memory=100 * gigabyte) == 32
    assert batch_that_fits(32, sizes, 1_800, memory=24 * gigabyte) == 8
    assert batch_that_fits(32, sizes, 1_800, memory=1) == 1


def test_made_up_lengths_are_spread_like_the_real_ones():
    lengths = made_up_lengths(SHAPES["hugadb"], 4_000, np.random.default_rng(0), scale=1.0)
    # 364 real recordings of 1,137,986 frames, 333 to 12,472.
    assert np.mean(lengths) == pytest.approx(1_137_986 / 364, rel=0.05)
    assert min(lengths) >= 333
    assert max(lengths) <= 12_472


def test_only_batches_are_timed_not_the_answers_between_epochs():
    marks = Marks()
    marks.marks = [(3.0, False), (4.0, True), (4.5, False), (6.0, True), (6.25, False), (9, True)]
    assert marks.batches() == [0.5, 0.25]
    assert marks.last_epoch() == 3.0
    marks(Progress(0, 1, 1, 1, {}, epoch_over=True))
    assert marks.marks[-1][1]


def test_an_operator_counts_for_what_it_was_called_for_backward_too():
    weight = torch.randn(300, 300, requires_grad=True)
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        with record_function("packing"):  # bears the number of the product that follows
            torch.ones(300).double().sum()
        hidden = weight @ weight
        with record_function("losses"):
            loss = hidden.exp().sum()
        loss.backward()
    shares = shares_of(seen.events(), wall=60.0)
    products = {e.name for e in seen.events() if e.name == "aten::mm"}
    exps = [e for e in seen.events() if e.name == "aten::exp"]
    assert products
    assert shares["packing"] < shares["convolutions, products"]
    assert shares["convolutions, products"] > 0
    assert shares["losses"] >= sum(e.self_cpu_time_total for e in exps) / 1e6
    # exp's backward is a multiplication; nothing else here multiplies element by element.
    [backward] = [e for e in seen.events() if e.name == "ExpBackward0"]
    assert "aten::mul" in {child.name for child in backward.cpu_children}
    multiplied = sum(e.self_cpu_time_total for e in seen.events() if e.name == "aten::mul") / 1e6
    assert shares.get("elementwise", 0.0) < shares["losses"] + multiplied
    assert sum(shares.values()) == pytest.approx(60.0)


@pytest.mark.parametrize("function", SCOPES)
def test_what_the_profile_watches_is_there(function):
    with recorded(function, "a scope"):
        pass


def test_the_page_by_hand():
    run = {
        "plain": {"frames": 100, "seconds": [1.0, 3.0, 2.0], "peak": 8e6, "imported": 1e6},
        "ours": {"frames": 100, "seconds": [0.5], "peak": 4e6, "imported": 1e6},
    }
    faster = {**run, "ours": {**run["ours"], "seconds": [0.25], "peak": 5e6}}
    result = {
        "part": "train",
        "shape": "HuGaDB",
        "threads": 2,
        "runs": [run, faster],
        "batch_size": 4,
        "paper_batch_size": 8,
        "padding": 0.43,
        "flop_per_frame": 1e6,
        "limits": {"float32": 1e9, "bfloat16": 4e9},
        "sizes": {"n_joints": 6, "n_channels": 6, "n_maps": 128},
    }
    text = page([result], device="cpu", command="python -m benchmarks.speed")
    assert "### HuGaDB, batch of 4, 2 threads" in text
    assert "The paper's batch of 8 has no room here when padded." in text
    assert "| plain | 50 (50-50) | 1 | 5% | 8 (8-8) |" in text
    assert "| ours | 300 (200-400) | 6.0 (4.0-8.0) | 30% | 4 (4-5) |" in text


def test_a_measurement_tells_its_memory_and_a_failed_one_why(monkeypatch):
    job = {"kind": "limit", "device": "cpu", "precision": "float32", "size": 2_000}
    done = in_process(job, threads=1)
    assert done["flop_per_s"] > 0
    # Three matrices of 16 MB.
    assert done["peak"] - done["imported"] > 40e6
    monkeypatch.setattr(sys, "executable", "false")  # ends at once, and says nothing
    with pytest.raises(MeasurementError, match=r"limit \(1\): killed, out of memory perhaps"):
        in_process(job, threads=1)


def test_every_version_counts_the_same_real_frames(tmp_path):
    lengths = write(SHAPES["hugadb"], tmp_path, hugadb=None, n=5, scale=0.15, seed=0)
    common = {
        "shape": "hugadb",
        "data": str(tmp_path),
        "numbers": [0, 2, 3, 4],
        "batches": 1,
        "device": "cpu",
        "precision": "float32",
        "model": str(tmp_path / "model"),
    }
    answer({**common, "kind": "keep_model"})
    for kind in ("train_ours", "train_plain", "predict_ours", "predict_plain"):
        done = answer({**common, "kind": kind, "half": "both"})
        assert done["frames"] == sum(lengths) - lengths[1]
        assert len(done["seconds"]) == 1


def test_wishes_that_cannot_be_met_are_told(capsys, tmp_path):
    assert main(["--data", str(tmp_path / "none")]) == 2
    assert re.search("--data .*none: no such folder", capsys.readouterr().err)
    with pytest.raises(SystemExit):
        main(["--only", "training"])
    assert "training: not among train, predict, growth, long" in capsys.readouterr().err
