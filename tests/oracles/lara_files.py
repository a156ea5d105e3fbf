"""LARa recordings in miniature, written as the two versions were published.

The six numbers of joint j in frame t are made by `numbers_at` with plain arithmetic; readers are
held against it. A person walks along y, upright; the pelvis, joint 21, is where the legs begin.
"""

import numpy as np

CLASSES = (
    "Standing", "Walking", "Cart", "Handling(upwards)", "Handling(centred)", "Handling(downwards)",
    "Synchronization", "None",
)  # fmt: skip
ATTRIBUTES = tuple(f"attribute {n}" for n in range(19))
HEADS, TOES = (0, 1), (8, 18)


def numbers_at(frame, joint):
    height = 1800 if joint in HEADS else 25 if joint in TOES else 900 + joint
    return [
        frame / 4 + joint, -joint, 10 * joint - 90, 500 + 16 * joint, 100 + frame / 2, height
    ]  # fmt: skip


def row(frame, *, lead=None):
    numbers = [value for joint in range(22) for value in numbers_at(frame, joint)]
    return ",".join(map(str, [*([frame, 0] if lead is None else lead), *numbers]))


def skeleton(n_frames):
    return np.array([[numbers_at(t, j) for j in range(22)] for t in range(n_frames)])


HEADER_1 = ",".join(["sample", "label", *(f"joint{j} {c}" for j in range(22) for c in "abcdef")])
HEADER_3 = "\n".join(
    [
        "Segments",
        "200",
        ",," + ",".join(f"S07:joint{j},,,,," for j in range(22)),
        "Frame,Sub Frame," + ",".join(["RX,RY,RZ,TX,TY,TZ"] * 22),
        ",," + ",".join(["deg,deg,deg,mm,mm,mm"] * 22),
    ]
)


def text_3(n_frames):
    return "\n".join([HEADER_3, *(row(t) for t in range(n_frames))]) + "\n"


def text_1(n_frames):
    return "\n".join([HEADER_1, *(row(t, lead=[t, 1]) for t in range(n_frames))]) + "\n"


def labels_3(classes, names=CLASSES):
    """One-hot columns, then the attributes; a class of None marks no column."""
    head = ",".join([*names, *ATTRIBUTES])
    rows = [",".join([*("1" if c == k else "0" for k in range(8)), *"0" * 19]) for c in classes]
    return "\n".join([head, *rows]) + "\n"


def labels_1(classes):
    return (
        "\n".join(["Class," + ",".join(ATTRIBUTES), *(f"{c}" + ",1" * 19 for c in classes)]) + "\n"
    )


def put(folder, name="L01_S07_R03", *, classes=(0,) * 40, labels=True):
    """Recording and labels of version 3, as many frames as classes; the path of the recording."""
    folder.mkdir(exist_ok=True, parents=True)
    (folder / f"{name}.csv").write_text(text_3(len(classes)))
    if labels:
        (folder / f"{name}_labels.csv").write_text(labels_3(classes))
    return folder / f"{name}.csv"
