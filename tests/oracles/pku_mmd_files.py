"""PKU-MMD in miniature, in the folders of its release.

Where joint j of a person is in frame t is made by `position_at` with plain arithmetic; readers are held
against it.
"""

import numpy as np

LABELS = "Label_PKUMMD_v2"
SKELETONS = "Skeleton_v2"
SPLIT = "Training videos:\n{train}, \nValidation videos:\n{test}\n"


def position_at(frame, joint, person=0):
    return [joint / 8 - 1 + person, frame / 64 + joint / 16, 2.5 + person + frame / 32]


def line(frame, *, absent=(1,)):
    """One frame; whoever is absent is all zeros."""
    numbers = [
        0 if person in absent else value
        for person in (0, 1)
        for joint in range(25)
        for value in position_at(frame, joint, person)
    ]
    return " ".join(map(str, numbers))


def text(n_frames, **who):
    return "\n".join(line(frame, **who) for frame in range(n_frames)) + "\n"


def person(n_frames, number=0):
    return np.array([[position_at(t, j, number) for j in range(25)] for t in range(n_frames)])


def put(root, name="A01N05-L", *, n_frames=40, labels="1,2,10,2\n33,12,20,1\n", **who):
    """A recording and its labels (none where None); the path of the recording."""
    for folder in (SKELETONS, LABELS):
        (root / folder).mkdir(exist_ok=True, parents=True)
    path = root / SKELETONS / f"{name}.txt"
    path.write_text(text(n_frames, **who))
    if labels is not None:
        (root / LABELS / f"{name}.txt").write_text(labels)
    return path
