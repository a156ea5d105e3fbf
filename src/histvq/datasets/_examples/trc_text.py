"""Positions as the text of a TRC file.

Source: "Marker (.trc) Files" of OpenSim's user guide.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd


def trc_text(markers: np.ndarray, names: Sequence[str], *, fps: float, name: str) -> str:
    """The text; where a marker was not seen its cells are empty.

    Args:
        markers: (frame, marker, 3) in mm.
        names: Of the markers.
        fps: Frames a second.
        name: Of the file, which it says of itself.
    """
    n = len(markers)
    keys = "DataRate CameraRate NumFrames NumMarkers Units OrigDataRate OrigDataStartFrame OrigNumFrames"
    values = [f"{fps:.2f}", f"{fps:.2f}", n, len(names), "mm", f"{fps:.2f}", 1, n]
    axes = [f"{axis}{number}" for number in range(1, len(names) + 1) for axis in "XYZ"]
    head = [
        ["PathFileType", "4", "(X/Y/Z)", name],
        keys.split(),
        map(str, values),
        ["Frame#", "Time", *(cell for marker in names for cell in (marker, "", ""))],
        ["", "", *axes],
        [],
    ]
    table = pd.DataFrame(markers.reshape(n, -1))
    table.insert(0, "time", [f"{frame / fps:.5f}" for frame in range(n)])
    table.insert(0, "frame", range(1, n + 1))
    rows = table.to_csv(
        sep="\t", header=False, index=False, float_format="%.3f", lineterminator="\n"
    )
    return "".join("\t".join(line) + "\n" for line in head) + rows
