"""Pure changes of a recording: each returns a new one and notes what it did."""

from histvq.transforms.joints import (
    complete_joints,
    mirror,
    rename_joints,
    select_joints,
    split_people,
    with_skeleton,
)
from histvq.transforms.space import (
    blocks_centred_on_root,
    centre_on,
    centre_on_root,
    face_heading,
    relative_features,
    root_centring,
    scale_to_body,
    to_unit,
    unit_variance,
)
from histvq.transforms.time import (
    fill_gaps,
    frames_before_resampling,
    labels_after_resampling,
    labels_at,
    low_pass,
    resample,
    stride,
)

__all__ = [
    "blocks_centred_on_root",
    "centre_on",
    "centre_on_root",
    "complete_joints",
    "face_heading",
    "fill_gaps",
    "frames_before_resampling",
    "labels_after_resampling",
    "labels_at",
    "low_pass",
    "mirror",
    "relative_features",
    "rename_joints",
    "resample",
    "root_centring",
    "scale_to_body",
    "select_joints",
    "split_people",
    "stride",
    "to_unit",
    "unit_variance",
    "with_skeleton",
]
