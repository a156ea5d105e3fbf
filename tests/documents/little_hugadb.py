"""A folder that looks like HuGaDB's: a few short files of people who do some of its actions."""

from pathlib import Path

import numpy as np

from histvq.io.hugadb import ACTIVITIES, COLUMNS, N_SENSOR

HEAD = "#Activity\tvarious \n#ActivityID\t1 \n#Date 01-01-01-01\n" + "\t".join(COLUMNS) + "\n"
SHAKING = {"walking": 2500, "sitting": 60, "running": 6000, "standing": 90}  # counts


def put(folder: Path, *, n_people: int = 5, seconds: float = 16.0, fps: int = 60) -> None:
    """One recording of each person, its actions in an order of their own."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    frames = round(seconds * fps)
    posture = {name: rng.normal(0, 6000, N_SENSOR) for name in SHAKING}
    for person in range(1, n_people + 1):
        order = rng.permutation(list(SHAKING))
        names = order[np.arange(frames) * len(order) // frames]
        swing = np.sin(np.arange(frames)[:, None] / fps * 2 * np.pi + rng.uniform(0, 6, N_SENSOR))
        size = np.array([SHAKING[name] for name in names])[:, None]
        counts = np.array([posture[name] for name in names]) + size * swing
        counts = np.rint(counts + rng.normal(0, 40, counts.shape)).astype(int)
        rows = [
            "\t".join([*map(str, row), "5", "5", str(ACTIVITIES.index(name) + 1)]) + "\n"
            for row, name in zip(counts, names, strict=True)
        ]
        (folder / f"HuGaDB_v1_various_{person:02}_00.txt").write_text(HEAD + "".join(rows))
