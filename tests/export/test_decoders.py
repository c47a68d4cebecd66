"""The files that decode without this project: they give what it gives, in torch and in ONNX."""

import ast
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from cases import CASES
from onnx.helper import tensor_dtype_to_np_dtype

from compress import METHODS, SVD, Dimensions, EmbeddingMatrix, Int4, LightToken, LpLowRank, ProjectiveClustering, Trellis, Trimmed
from compress import OptimizedProductQuantization as OPQ
from compress import ProductQuantization as PQ
from compress import ResidualQuantization as RQ
from compress.export.decoders import FILES, decoder_of, source_of
from compress.export.onnx_file import NotExported
from compress.export.onnx_layer import differs, onnx_of
from compress.methods import BlockFormats, Groups, Int8

pytestmark = pytest.mark.usefixtures("operators_read_once")
MANY = ProjectiveClustering(k=70, j=2, restarts=1, steps=1)
SETTINGS = [*(each for cases in CASES.values() for each in cases), MANY]
IN_ONNX = [
    SVD(j=3, factor_bits=4),
    LpLowRank(j=2, steps=1),
    ProjectiveClustering(k=4, j=3, affine=True, restarts=2, factor_bits=8),
    MANY,
    LightToken(bits=13, rank=2, passes=2),
    Trellis(rate=4.0, states=256),
    PQ(parts=11, code_bits=3, steps=2),
    OPQ(parts=2, code_bits=5, dims=6, steps=2),
    RQ(parts=5, code_bits=3, steps=1),
    Int8(),
    Int4(),
    Dimensions(kept=7, factor_bits=4),
    Trimmed(rows=90, of="rq(parts=5, code_bits=3, steps=1)"),
    Groups(bits=3, zero="hqq"),
    BlockFormats(format="NF4_nested"),
]
TABLES = {"layer.row_hashes", "layer.basis_hashes", "layer.level_table"}  # of the trellis, the same for every file
ALONE = """
import importlib.util, sys
from pathlib import Path
import numpy, torch
assert importlib.util.find_spec("compress") is None
found = {}
for line in Path("files").read_text().splitlines():
    code, file = line.split()
    spec = importlib.util.spec_from_file_location("load", code)
    load = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(load)
    layer = load.load(file)
    found[Path(file).stem] = layer(torch.arange(layer.num_embeddings)).numpy()
numpy.savez("found.npz", **found)
"""


@pytest.fixture(scope="module")
def matrix(flats):
    return flats[0]


@pytest.fixture(scope="module")
def results(matrix):
    """The fit of every setting, made once."""
    made = {}
    return lambda method: made[method] if method in made else made.setdefault(method, method.fit(matrix))


@pytest.fixture(scope="module")
def alone(results, tmp_path_factory):
    """What the files decode to in a process that cannot import this project, by their setting."""
    folder = tmp_path_factory.mktemp("alone")
    for number, method in enumerate(SETTINGS):
        results(method).save(folder / f"{number}.safetensors")
    for method in SETTINGS:
        (folder / f"{method.name}.py").write_text(source_of(method.name), encoding="utf-8")
    files = (f"{method.name}.py {number}.safetensors" for number, method in enumerate(SETTINGS))
    (folder / "files").write_text("\n".join(files))
    subprocess.run([sys.executable, "-I", "-c", ALONE], cwd=folder, check=True)
    with np.load(folder / "found.npz") as found:
        return {method: found[str(number)] for number, method in enumerate(SETTINGS)}


@pytest.fixture
def layer_of(results, tmp_path):
    def load(method):
        results(method).save(tmp_path / "embedding.safetensors")
        return decoder_of(method.name).load(tmp_path / "embedding.safetensors")

    return load


def test_there_is_a_decoder_for_every_method_which_names_those_that_it_reads():
    assert set(FILES) == set(METHODS) == {method.name for method in IN_ONNX}
    for name, file in FILES.items():
        assert tuple(each for each, other in FILES.items() if other == file) == decoder_of(name).METHODS


@pytest.mark.parametrize("method", SETTINGS, ids=str)
def test_the_file_alone_decodes_to_what_the_library_does(alone, results, method):
    np.testing.assert_allclose(alone[method], results(method).reconstruct(), rtol=0, atol=1e-6)


@pytest.mark.parametrize("method", IN_ONNX, ids=str)
def test_onnx_gives_what_torch_gives_from_the_stored_arrays(results, layer_of, method):
    layer = layer_of(method)
    content = onnx_of(layer)
    assert differs(content, layer) <= 1e-5
    session = onnxruntime.InferenceSession(content)
    (given,), (got,) = session.get_inputs(), session.get_outputs()
    assert (given.name, given.type, got.name, got.type) == ("ids", "tensor(int64)", "vectors", "tensor(float)")
    for ids in ([], [239], [5, 5, 0]):
        (found,) = session.run(None, {"ids": np.array(ids, np.int64)})
        np.testing.assert_allclose(found, results(method).rows(np.array(ids, np.int64)), rtol=0, atol=1e-5)
    large = [each for each in onnx.load_from_string(content).graph.initializer if np.prod(each.dims) > 1024]
    held = {(np.prod(each.dims), tensor_dtype_to_np_dtype(each.data_type)) for each in large if each.name not in TABLES}
    assert held <= {(array.size, array.dtype) for array in results(method).arrays.values()}
    assert b"standalone" not in content and b".py" not in content


@pytest.mark.parametrize("method", [SVD(j=3), Trellis(rate=0.8, states=256)], ids=str)
def test_the_layer_goes_through_torch_export_for_ids_of_any_shape(layer_of, method):
    layer, ids = layer_of(method), torch.randint(0, 240, (2, 5))
    sides = ({0: torch.export.Dim("batch"), 1: torch.export.Dim("length")},)
    exported = torch.export.export(layer, (ids,), dynamic_shapes=sides).module()
    for each in (ids, torch.cat([ids, ids])):
        torch.testing.assert_close(exported(each), layer(each))


def test_an_onnx_file_that_gives_other_vectors_is_not_kept(layer_of):
    one, other = layer_of(SVD(j=3)), layer_of(Int8())
    with pytest.raises(NotExported, match=r"entries that are 0\.\d+ of the largest away from those of torch"):
        differs(onnx_of(one), other)


def test_arrays_that_are_too_large_for_onnx_are_said_to_be(layer_of, monkeypatch):
    monkeypatch.setattr("compress.export.onnx_layer.MOST_BYTES", 1000)
    with pytest.raises(NotExported, match="the stored arrays take 3,120 bytes, one ONNX file has room for 1,000"):
        onnx_of(layer_of(Int8()))


@pytest.mark.parametrize("method", [cases[0] for cases in CASES.values()], ids=str)
def test_the_layer_takes_ids_as_an_embedding_does(results, layer_of, method):
    layer, whole = layer_of(method), results(method).reconstruct()
    assert (layer.num_embeddings, layer.embedding_dim) == (240, 11)
    for ids in (torch.tensor(3), torch.tensor([[1, 2], [3, 239]], dtype=torch.int32), torch.zeros(2, 0, dtype=torch.int64)):
        vectors = layer(ids)
        assert vectors.shape == (*ids.shape, 11) and vectors.dtype == torch.float32
        np.testing.assert_allclose(vectors.numpy(), whole[ids.numpy()], rtol=0, atol=1e-6)
    for row in (-1, 240):
        with pytest.raises(IndexError, match="ids must be between 0 and 239"):
            layer(torch.tensor([0, row]))
    assert sum(part.numel() * part.element_size() for part in layer.state_dict().values()) == results(method).n_bytes


@pytest.mark.parametrize("method", [Int4(), Trellis(rate=4.0, states=256)], ids=str)
def test_the_layer_takes_the_place_of_a_models_embedding(results, layer_of, method):
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=240, hidden_size=11, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8, attn_implementation="eager"
    )
    layer, loader = layer_of(method), decoder_of(method.name)
    model = BertModel(config).eval()
    ids = torch.tensor([[3, 200, 7]])
    with torch.no_grad():
        model.embeddings.word_embeddings.weight.copy_(torch.from_numpy(results(method).reconstruct()))
        expected = model(ids).last_hidden_state
        loader.put_into(model, layer)
        torch.testing.assert_close(model(ids).last_hidden_state, expected, rtol=0, atol=1e-5)
    half = loader.put_into(BertModel(config).bfloat16().eval(), layer)
    assert half(ids).last_hidden_state.dtype == torch.bfloat16
    with pytest.raises(ValueError, match=r"the model's table is \(30, 11\), the layer \(240, 11\)"):
        loader.put_into(BertModel(BertConfig(**{**config.to_dict(), "vocab_size": 30})), layer)
    with pytest.raises(ValueError, match=r"of plain numbers: it was compressed or quantized before"):
        loader.put_into(half, layer)
    other = BertModel(config)
    other.embeddings.word_embeddings.max_norm = 1.0
    with pytest.raises(ValueError, match=r"a Embedding of the model does more with the table than load\.py knows"):
        loader.put_into(other, layer)


@pytest.mark.parametrize("method", [cases[0] for cases in CASES.values()], ids=str)
def test_another_dtype_is_that_of_the_vectors_and_of_nothing_stored(layer_of, method):
    layer = layer_of(method)
    ids = torch.arange(240)
    whole, kept = layer(ids), {name: part.dtype for name, part in layer.state_dict().items()}
    half = layer.half()(ids)
    assert half.dtype == torch.float16 and torch.equal(half, whole.half())
    assert {name: part.dtype for name, part in layer.state_dict().items()} == kept
    assert torch.equal(layer.float()(ids), whole)


@pytest.mark.parametrize("name", {file: name for name, file in FILES.items()}.values())
def test_a_file_reads_what_it_is_for_and_nothing_else(results, tmp_path, name):
    other = Int8() if FILES[name] != "rounded" else SVD(j=3)
    results(other).save(tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match=r"other\.safetensors is not a file that this load\.py can read; it reads "):
        decoder_of(name).load(tmp_path / "other.safetensors")


def test_a_table_that_is_not_compressed_is_refused(tmp_path):
    from safetensors.numpy import save_file

    save_file({"x": np.ones((3, 3), np.float32)}, tmp_path / "x.safetensors")
    with pytest.raises(ValueError, match=r"x\.safetensors is not a file that this load\.py can read"):
        decoder_of("int8").load(tmp_path / "x.safetensors")


def test_numbers_that_a_trellis_keeps_one_by_one_are_decoded_alone_and_in_onnx(tmp_path):
    values = np.random.default_rng(0).standard_normal((700, 11)).astype(np.float32)
    values[[3, 4, 650], [2, 7, 7]] += 80
    result = Trellis(rate=4.0, states=256).fit(EmbeddingMatrix(values))
    assert len(result.arrays["escape_gaps"]) > 3  # two stand between the rows, which are more than 255 apart
    result.save(tmp_path / "x.safetensors")
    layer = decoder_of("trellis").load(tmp_path / "x.safetensors")
    np.testing.assert_allclose(layer(torch.arange(700)).numpy(), result.reconstruct(), rtol=0, atol=1e-4)
    assert differs(onnx_of(layer), layer) <= 1e-5


@pytest.mark.parametrize("name", FILES)
def test_load_py_imports_nothing_of_the_project_and_each_thing_once(name):
    text = source_of(name)
    nodes = list(ast.walk(ast.parse(text)))
    names = [each.name for node in nodes if isinstance(node, ast.Import) for each in node.names]
    names += [node.module for node in nodes if isinstance(node, ast.ImportFrom)]
    known = {"collections.abc", "copy", "json", "math", "pathlib", "typing", "zlib", "torch", "safetensors", "transformers"}
    assert set(names) <= known and len(names) == len(set(names))
    body = ast.parse(text).body
    assert "transformers" not in [name for node in body if isinstance(node, ast.Import) for name in [node.names[0].name]]
    defined = [node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    defined += [
        each.id for node in body if isinstance(node, ast.Assign) for each in ast.walk(node.targets[0]) if isinstance(each, ast.Name)
    ]
    assert len(defined) == len(set(defined)) and {"decode", "prepare", "put_into", "load", "open_model"} <= set(defined)


@pytest.mark.parametrize("shape", [(2, 1), (3, 9), (5, 1)], ids=str)
def test_the_smallest_tables_are_decoded_alone(tmp_path, shape):
    small = EmbeddingMatrix(np.random.default_rng(0).standard_normal(shape).astype(np.float32))
    few = (
        SVD(j=1, factor_bits=4),
        LightToken(bits=1),
        Trellis(rate=400.0),
        PQ(parts=1, code_bits=1),
        Int4(),
        Dimensions(kept=1),
        Trimmed(rows=2, of="dimensions", at=1),
    )
    for method in few:
        result = method.fit(small)
        result.save(tmp_path / "x.safetensors")
        layer = decoder_of(method.name).load(tmp_path / "x.safetensors")
        np.testing.assert_allclose(layer(torch.arange(shape[0])).numpy(), result.reconstruct(), rtol=0, atol=1e-6)
