"""An ONNX graph written node by node."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

# Reductions take their axes as an input from 18 on; onnxruntime reads it since 1.14.
OPSET = 18
IR_VERSION = 8

TYPES = {
    "float32": TensorProto.FLOAT,
    "float64": TensorProto.DOUBLE,
    "int64": TensorProto.INT64,
    "bool": TensorProto.BOOL,
}
Value = str | np.ndarray | np.generic


class Nodes:
    """A graph while it is being written: each call adds a node and names what comes out of it."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def __call__(self, operator: str, *inputs: Value, name: str = "", **attributes: Any) -> str:
        """Add a node with one output.

        Args:
            operator: As the ONNX standard calls it.
            *inputs: Names of values, or arrays to be written into the file.
            name: What the output is called; the operator and a number otherwise.
            **attributes: Of the operator.

        Returns:
            The name of the output.
        """
        names = [self._name(value) for value in inputs]
        output = name or f"{operator}_{len(self._nodes)}"
        # onnxruntime 1.20 names nodes of its own after ours, and takes no two of one name.
        self._nodes.append(helper.make_node(operator, names, [output], name=output, **attributes))
        return output

    def cast(self, value: Value, dtype: str) -> str:
        """The value as `float32`, `float64`, `int64` or `bool`."""
        return self("Cast", value, to=TYPES[dtype])

    def model(
        self,
        *,
        inputs: Mapping[str, tuple[str, Sequence[int | str]]],
        outputs: Mapping[str, tuple[str, Sequence[int | str]]],
        metadata: Mapping[str, str],
    ) -> onnx.ModelProto:
        """The finished graph, checked.

        Args:
            inputs: Name -> type and axes; an axis of any length has a name instead of a number.
            outputs: Likewise.
            metadata: Text to be kept with the model.
        """
        graph = helper.make_graph(
            self._nodes, "histvq", _infos(inputs), _infos(outputs), self._constants
        )
        model = helper.make_model(
            graph,
            producer_name="histvq",
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
        )
        helper.set_model_props(model, dict(metadata))
        onnx.checker.check_model(model, full_check=True)
        return model

    def _name(self, value: Value) -> str:
        if isinstance(value, str):
            return value
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.array(value, order="C"), name))
        return name


def integers(*numbers: int) -> np.ndarray:
    """Axes, sizes and places as ONNX takes them."""
    return np.array(numbers, np.int64)


def _infos(
    values: Mapping[str, tuple[str, Sequence[int | str]]],
) -> list[onnx.ValueInfoProto]:
    return [
        helper.make_tensor_value_info(name, TYPES[dtype], list(axes))
        for name, (dtype, axes) in values.items()
    ]
