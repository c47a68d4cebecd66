"""ONNX: the table that ids are looked up in, its scales, its numbers beside the file; models that say what they do not hold."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from compress import InputError
from compress.sources import load_matrix, tensors


def save(path, initializers, nodes):
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("ids", TensorProto.INT64, [None])], [], initializers)
    onnx.save(helper.make_model(graph), path)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "my model.onnx"


def test_the_table_is_the_one_that_ids_are_looked_up_in(path, values):
    head = numpy_helper.from_array(np.ones((9, 4), np.float32), "vocab_embedding")
    table = numpy_helper.from_array(values.astype(np.float16), "onnx::12")
    save(
        path, [head, table], [helper.make_node("Cast", ["onnx::12"], ["t"], to=1), helper.make_node("Gather", ["t", "ids"], ["y"])]
    )
    np.testing.assert_array_equal(load_matrix(path).values, values.astype(np.float16))
    assert [info.name for info in tensors(path)] == ["onnx::12", "vocab_embedding"]


@pytest.mark.parametrize("first", ["Gather", "DequantizeLinear"])
def test_a_quantized_table_is_decoded_and_said_to_be(path, first):
    codes = np.arange(28, dtype=np.uint8).reshape(7, 4)
    parts = {"q": codes, "s": np.float32(0.5), "z": np.uint8(3)}
    initializers = [numpy_helper.from_array(np.array(part), name) for name, part in parts.items()]
    after = {
        "Gather": [("Gather", ["q", "ids"], ["t"]), ("DequantizeLinear", ["t", "s", "z"], ["y"])],
        "DequantizeLinear": [("DequantizeLinear", ["q", "s", "z"], ["t"]), ("Gather", ["t", "ids"], ["y"])],
    }
    save(path, initializers, [helper.make_node(*node) for node in after[first]])
    matrix = load_matrix(path)
    np.testing.assert_array_equal(matrix.values, (codes.astype(np.float32) - 3) / 2)
    assert "uint8" in matrix.notes[0]


def outside(values, **told):
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=values.shape, data_location=TensorProto.EXTERNAL)
    for key, value in told.items():
        tensor.external_data.add(key=key, value=str(value))
    return tensor


def test_numbers_beside_the_model_are_mapped(path, values):
    (path.parent / "w.data").write_bytes(bytes(16) + values.tobytes())
    save(path, [outside(values, location="w.data", offset=16, length=values.nbytes)], [])
    np.testing.assert_array_equal(load_matrix(path).values, values)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"location": "/etc/passwd"}, "outside its own folder"),
        ({"location": "../w.data"}, "outside its own folder"),
        ({"location": "absent"}, "keeps w in absent, which does not lie beside it"),
        ({"location": "w.data", "offset": 4}, "w.data does not hold them"),
        ({"location": "w.data", "offset": "-4"}, "w.data does not hold them"),
        ({"location": "w.data", "length": 1}, "w.data does not hold them"),
    ],
)
def test_numbers_that_are_not_there_are_refused(path, values, told, words):
    (path.parent / "w.data").write_bytes(values.tobytes())
    save(path, [outside(values, **told)], [])
    with pytest.raises(InputError, match=words):
        load_matrix(path)


@pytest.mark.parametrize("dims", [(1 << 40, 4), (-7, -4), (8, 4)])
def test_a_shape_that_the_file_does_not_hold_is_refused(path, values, dims):
    tensor = numpy_helper.from_array(values, "w")
    tensor.dims[:] = dims
    save(path, [tensor], [])
    with pytest.raises(InputError, match=r"my model\.onnx"):
        load_matrix(path)


def test_a_truncated_model_is_refused_and_packed_numbers_are_named(path, values):
    save(
        path,
        [helper.make_tensor("w", TensorProto.INT4, (4, 4), list(range(8)) * 2)],
        [helper.make_node("Gather", ["w", "ids"], ["y"])],
    )
    with pytest.raises(InputError, match="stored as int4, which is not read"):
        load_matrix(path)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(InputError, match=r"^my model\.onnx is a damaged ONNX model"):
        load_matrix(path)
