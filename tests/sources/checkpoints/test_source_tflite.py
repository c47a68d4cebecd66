"""TFLite: the table that the graph looks ids up in, its scales, and models that say what they do not hold."""

import struct

import flatbuffers
import numpy as np
import pytest
import tflite

from compress import InputError
from compress.sources import load_matrix, tensors

KINDS = {"float32": tflite.TensorType.FLOAT32, "int8": tflite.TensorType.INT8}


def vector(b, items, start, prepend):
    start(b, len(items))
    for item in reversed(items):
        prepend(item)
    return b.EndVector()


def model(constants, looked_up, scale=None):
    """A model with constants by name, the one at looked_up the table of a GATHER; scale: of its first constant, a number a row."""
    b = flatbuffers.Builder(1024)
    tensors, buffers = [], []
    tflite.BufferStart(b)
    buffers.append(tflite.BufferEnd(b))
    for at, (name, values) in enumerate(constants.items()):
        data = b.CreateNumpyVector(values.reshape(-1).view(np.uint8))
        tflite.BufferStart(b)
        tflite.BufferAddData(b, data)
        buffers.append(tflite.BufferEnd(b))
        shape, text, quantization = b.CreateNumpyVector(np.array(values.shape, np.int32)), b.CreateString(name), None
        if scale is not None and at == 0:
            numbers, zeros = b.CreateNumpyVector(scale), b.CreateNumpyVector(np.full(len(scale), 2, np.int64))
            tflite.QuantizationParametersStart(b)
            tflite.QuantizationParametersAddScale(b, numbers)
            tflite.QuantizationParametersAddZeroPoint(b, zeros)
            quantization = tflite.QuantizationParametersEnd(b)
        tflite.TensorStart(b)
        tflite.TensorAddShape(b, shape)
        tflite.TensorAddType(b, KINDS[values.dtype.name])
        tflite.TensorAddBuffer(b, at + 1)
        tflite.TensorAddName(b, text)
        if quantization is not None:
            tflite.TensorAddQuantization(b, quantization)
        tensors.append(tflite.TensorEnd(b))
    inputs = b.CreateNumpyVector(np.array([looked_up, 0], np.int32))
    tflite.OperatorStart(b)
    tflite.OperatorAddInputs(b, inputs)
    operators = [tflite.OperatorEnd(b)]
    tflite.OperatorCodeStart(b)
    tflite.OperatorCodeAddDeprecatedBuiltinCode(b, tflite.BuiltinOperator.GATHER)
    codes = [tflite.OperatorCodeEnd(b)]
    held = vector(b, tensors, tflite.SubGraphStartTensorsVector, b.PrependUOffsetTRelative)
    held_operators = vector(b, operators, tflite.SubGraphStartOperatorsVector, b.PrependUOffsetTRelative)
    tflite.SubGraphStart(b)
    tflite.SubGraphAddTensors(b, held)
    tflite.SubGraphAddOperators(b, held_operators)
    graphs = vector(b, [tflite.SubGraphEnd(b)], tflite.ModelStartSubgraphsVector, b.PrependUOffsetTRelative)
    held_codes = vector(b, codes, tflite.ModelStartOperatorCodesVector, b.PrependUOffsetTRelative)
    held_buffers = vector(b, buffers, tflite.ModelStartBuffersVector, b.PrependUOffsetTRelative)
    tflite.ModelStart(b)
    tflite.ModelAddOperatorCodes(b, held_codes)
    tflite.ModelAddSubgraphs(b, graphs)
    tflite.ModelAddBuffers(b, held_buffers)
    b.Finish(tflite.ModelEnd(b), file_identifier=b"TFL3")
    return bytes(b.Output())


@pytest.fixture
def path(tmp_path):
    return tmp_path / "text.tflite"


def test_the_table_is_the_one_that_ids_are_looked_up_in(path, values):
    path.write_bytes(model({"embedding/dense": np.ones((9, 4), np.float32), "arith.constant3": values}, looked_up=1))
    np.testing.assert_array_equal(load_matrix(path).values, values)
    assert [info.name for info in tensors(path)] == ["arith.constant3", "embedding/dense"]


@pytest.mark.parametrize("scale", [[0.5], [0.5, 1, 2, 4, 8, 16, 32]])
def test_a_quantized_table_is_decoded_and_said_to_be(path, scale):
    codes = np.arange(-14, 14, dtype=np.int8).reshape(7, 4)
    path.write_bytes(model({"table": codes}, 0, np.array(scale, np.float32)))
    matrix = load_matrix(path)
    np.testing.assert_array_equal(matrix.values, (codes.astype(np.float32) - 2) * np.float32(scale)[:, None])
    assert "int8" in matrix.notes[0]


def test_scales_that_do_not_fit_are_refused(path):
    path.write_bytes(model({"table": np.ones((7, 4), np.int8)}, 0, np.ones(3, np.float32)))
    with pytest.raises(InputError, match=r"scales of table in text\.tflite do not fit"):
        load_matrix(path)


def test_a_model_that_says_what_it_does_not_hold_is_refused(path, values):
    whole = model({"table": values}, 0)
    shape = whole.index(struct.pack("<2i", 7, 4))
    length = whole.index(struct.pack("<I", values.nbytes) + values[0, :1].tobytes())
    for at, number in ((shape, 1 << 30), (shape, -7), (length, (1 << 31) - 1), (0, 1 << 31)):
        path.write_bytes(whole[:at] + struct.pack("<i" if number < 0 else "<I", number) + whole[at + 4 :])
        with pytest.raises(InputError, match=r"text\.tflite"):
            load_matrix(path)
    for share in (0.3, 0.6, 0.9):
        path.write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(InputError, match=r"^text\.tflite is a damaged TFLite model"):
            load_matrix(path)
