"""A fitted method's whole way from a recording to the codes of its patches, as one ONNX model."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx

from histvq.errors import ConfigError, did_you_mean
from histvq.onnx_model.centring import centred
from histvq.onnx_model.network import answered, encoded, patches_of
from histvq.onnx_model.nodes import Nodes
from histvq.patchwise import PatchwiseEstimator


def model_of(
    method: PatchwiseEstimator, *, roots: Sequence[str], metadata: Mapping[str, Any]
) -> onnx.ModelProto:
    """The model, checked.

    Args:
        method: A fitted one.
        roots: Each person's root joint, where the method centres.
        metadata: To be kept with it, as JSON.

    Raises:
        ConfigError: If the roots are not what the method needs.
    """
    layout, nodes = method.layout_, Nodes()
    joints, channels = layout["joint_names"], layout["channel_names"]
    persons = np.unique(layout["joint_persons"] or [0] * len(joints), return_inverse=True)[1]
    places = root_of_each(joints, persons, roots, centred=method.centred_)
    skeleton = "skeleton"
    if places:
        space = [name in ("x", "y", "z") for name in channels]
        skeleton = centred(nodes, skeleton, persons=persons, roots=places, space=space)
    skeleton = nodes("Sub", skeleton, method.scale_.offset)
    skeleton = nodes("Div", skeleton, method.scale_.factor)
    values, real = patches_of(nodes, skeleton, patch_frames=method.patch_frames_)
    latents = encoded(nodes, values, real, method.network_.encoder, n_layers=method.config.n_layers)
    levels = answered(nodes, latents, real, method.network_)
    types = {**dict.fromkeys(levels, "int64"), "confidence": "float32"}
    return nodes.model(
        inputs={"skeleton": ("float32", ("frame", len(joints), len(channels)))},
        outputs={name: (dtype, ("patch",)) for name, dtype in types.items()},
        metadata={"histvq": json.dumps(metadata, ensure_ascii=False)},
    )


def root_of_each(
    joints: Sequence[str], persons: np.ndarray, roots: Sequence[str], *, centred: bool
) -> list[int]:
    """Place of each person's root joint, in the order of the persons; none where nothing is centred.

    Raises:
        ConfigError: If a joint is unknown, or there is not one a person.
    """
    if not centred:
        if roots:
            raise ConfigError("the model does not centre on a root; leave --root out")
        return []
    for name in roots:
        if name not in joints:
            raise ConfigError(f"--root {name}: no joint is called so{did_you_mean(name, joints)}")
    places = [joints.index(name) for name in roots]
    places.sort(key=lambda place: persons[place])
    if [persons[place] for place in places] != list(range(persons.max() + 1)):
        raise ConfigError(
            "the model takes positions relative to the root joint, and does not say which joint that is: "
            f"name it with --root{', one a person' if persons.max() else ''}; joints are "
            f"{', '.join(joints)}"
        )
    return places
