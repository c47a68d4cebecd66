"""The layer in graphs of torch: exported, in ONNX, compiled whole."""

import numpy as np
import pytest
import torch

from compress import METHODS, EmbeddingMatrix
from compress.export.onnx_file import quiet

N, D = 40, 12
pytestmark = pytest.mark.usefixtures("operators_read_once")
FITTED = {
    "svd": {"j": 4},
    "projective": {"k": 3, "j": 3, "affine": True, "factor_bits": 8, "restarts": 1},
    "light_token": {"rank": 2, "bits": 12},
    "trellis": {"rate": 3.0, "states": 256},
    "pq": {"parts": 4, "code_bits": 3},
    "int4": {},
    "dimensions": {"kept": 5},
}
IDS = torch.randint(0, N, (2, 5), generator=torch.Generator().manual_seed(0))


class Network(torch.nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, ids):
        return self.layer(ids).mean(1)


def layer_of(method):
    values = np.random.default_rng(2).standard_normal((N, D)).astype(np.float32)
    return METHODS[method](**FITTED[method]).fit(EmbeddingMatrix(values)).to_layer()


@pytest.mark.parametrize("method", FITTED)
def test_a_layer_is_exported_for_ids_of_any_shape(method):
    network = Network(layer_of(method)).eval()
    sides = ({0: torch.export.Dim("batch"), 1: torch.export.Dim("length")},)
    exported = torch.export.export(network, (IDS,), dynamic_shapes=sides).module()
    for ids in (IDS, torch.cat([IDS, IDS])):
        torch.testing.assert_close(exported(ids), network(ids))


@pytest.mark.filterwarnings("ignore:Dynamo detected")
@pytest.mark.parametrize(("method", "trained"), [("trellis", False), ("trellis", True), ("light_token", False)])
def test_a_layer_is_compiled_in_one_graph(method, trained):
    layer = layer_of(method)
    network = Network(layer.trainable() if trained else layer)
    torch.testing.assert_close(torch.compile(network, fullgraph=True, backend="eager")(IDS), network(IDS))
    torch._dynamo.reset()


@pytest.mark.parametrize("method", ["light_token", "int4"])
def test_a_network_with_a_layer_is_written_as_onnx(method, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    network = Network(layer_of(method)).eval()
    with quiet():
        torch.onnx.export(network, (IDS,), str(tmp_path / "x.onnx"), dynamo=True, verbose=False)
    (found,) = onnxruntime.InferenceSession(tmp_path / "x.onnx").run(None, {"ids": IDS.numpy()})
    torch.testing.assert_close(torch.from_numpy(found), network(IDS), rtol=1e-5, atol=1e-5)


def test_a_graph_decodes_by_the_arrays_that_were_loaded():
    layer, other = layer_of("dimensions"), layer_of("dimensions")
    for name in ("mask", "coefficients"):
        getattr(layer, name).copy_(getattr(layer, name).flip(0))
    other.load_state_dict(layer.state_dict())
    exported = torch.export.export(Network(other.double()), (IDS,)).module()
    torch.testing.assert_close(exported(IDS), Network(layer)(IDS).double())


def test_an_id_that_is_not_there_is_refused_where_no_graph_is_traced():
    for wrong in (-1, N):
        with pytest.raises(IndexError, match=f"between 0 and {N - 1}, got {wrong}"):
            layer_of("svd")(torch.tensor([[0, wrong]]))
