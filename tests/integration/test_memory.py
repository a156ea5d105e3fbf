"""Of a long recording in a mapped file only what is said of it grows with its length."""

import tracemalloc

import numpy as np
import pytest

from histvq import HiSTVQ, Recording
from histvq.report import write_report

FPS, N_JOINTS = 60.0, 20


def mapped(folder, n_frames):
    path = folder / f"{n_frames}.npy"
    array = np.lib.format.open_memmap(
        path, mode="w+", dtype=np.float32, shape=(n_frames, N_JOINTS, 3)
    )
    random = np.random.default_rng(0)
    for start in range(0, n_frames, 600):  # ten seconds of each movement
        part = array[start : start + 600]
        part[:] = random.normal(scale=random.choice([1, 5, 20]), size=part.shape)
    array.flush()
    motion = np.load(path, mmap_mode="r")
    joints = {"joint_names": tuple(f"j{k}" for k in range(N_JOINTS)), "parents": (-1, *[0] * 19)}
    return Recording(id="long", skeleton=motion, fps=FPS, **joints)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    motion = mapped(tmp_path_factory.mktemp("motion"), 3000)
    return HiSTVQ(
        n_actions=3, n_maps=4, n_latent=4, n_layers=1, epochs=1, min_steps=1, random_state=0
    ).fit([motion])


def test_ten_times_the_length_takes_little_more_memory(fitted, tmp_path):
    def answer(n_frames):
        recording = mapped(tmp_path, n_frames)
        answers = fitted.predict([recording])
        write_report(tmp_path / "report", answers, recordings=[recording], budget_mb=1)

    def peak(n_frames):
        tracemalloc.start()
        answer(n_frames)
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    answer(600)  # what is loaded but once is not counted
    bytes_a_frame = (peak(70_000) - peak(7_000)) / 63_000
    # Labels, confidences and window statistics; a copy of the motion alone would be 240.
    assert bytes_a_frame < 150
