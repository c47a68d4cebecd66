"""PyTorch files."""

import pickle
import zipfile
from argparse import Namespace

import numpy as np
import pytest

from compress import InputError
from compress.sources import load_matrix, tensors

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore:Detected pickle protocol")


@pytest.fixture
def table(values):
    return torch.from_numpy(values.copy())


@pytest.mark.parametrize("extension", ["pt", "pth", "bin", "th", "ckpt"])
@pytest.mark.parametrize("zipped", [True, False])
def test_a_state_dict_gives_its_embedding(tmp_path, table, extension, zipped):
    state = {"lm_head.weight": torch.ones(20, 4), "embed.weight": table, "step": 3, "norm.weight": torch.ones(4)}
    torch.save(state, tmp_path / f"x.{extension}", _use_new_zipfile_serialization=zipped)
    np.testing.assert_array_equal(load_matrix(tmp_path / f"x.{extension}").values, table.numpy())
    assert [info.name for info in tensors(tmp_path / f"x.{extension}")] == ["embed.weight", "lm_head.weight"]


def test_a_bare_tensor_is_a_matrix(tmp_path, table):
    torch.save(table, tmp_path / "x.pt")
    np.testing.assert_array_equal(load_matrix(tmp_path / "x.pt").values, table.numpy())


def test_nested_dicts_give_dotted_names(tmp_path, table):
    torch.save({"epoch": 2, "state_dict": {"wte": {"weight": table}}, "optimizer": [table[:2]]}, tmp_path / "x.pt")
    assert [info.name for info in tensors(tmp_path / "x.pt")] == ["wte.weight", "optimizer.0"]


def test_the_table_of_a_training_checkpoint_is_taken(tmp_path, table):
    lightning = {
        "state_dict": {"model.embed.weight": table, "model.head.weight": 2 * table},
        "callbacks": {"EMA": {"embed.weight": -table}},
    }
    lightning["optimizer_states"] = [{"state": {0: {"exp_avg": torch.ones(90, 4)}}}]
    torch.save(lightning, tmp_path / "a.ckpt")
    fairseq = {
        "decoder.embed_tokens.weight": 2 * table,
        "encoder.embed_tokens.weight": table,
        "encoder.embed_positions.weight": -table,
    }
    torch.save({"args": Namespace(arch="small"), "model": fairseq}, tmp_path / "b.pt")
    tables = {"embedding_bags.t_cat_0.weight": table, "embedding_bags.t_cat_1.weight": table[:3], "mlp.0.weight": torch.ones(60, 4)}
    torch.save(tables, tmp_path / "c.pt")
    for name, other in (("a.ckpt", "head.weight"), ("b.pt", "decoder.embed_tokens.weight"), ("c.pt", "t_cat_1.weight")):
        matrix = load_matrix(tmp_path / name)
        np.testing.assert_array_equal(matrix.values, table.numpy())
        assert other in matrix.notes[0]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16, torch.int64])
def test_other_dtypes_are_converted(tmp_path, table, dtype):
    torch.save({"w": (10 * table).to(dtype).T}, tmp_path / "x.pt")
    np.testing.assert_array_equal(load_matrix(tmp_path / "x.pt").values, (10 * table).to(dtype).T.float().numpy())


def test_parameters_are_tensors(tmp_path, table):
    torch.save(torch.nn.Embedding.from_pretrained(table, freeze=False).state_dict(), tmp_path / "a.pt")
    torch.save({"w": torch.nn.Parameter(table)}, tmp_path / "b.pt")
    for name in ("a.pt", "b.pt"):
        np.testing.assert_array_equal(load_matrix(tmp_path / name).values, table.numpy())


class Trap:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_code_in_a_file_is_refused_and_not_run(tmp_path, table):
    torch.save({"w": table, "x": Trap(tmp_path / "sprung")}, tmp_path / "a.pt")
    (tmp_path / "b.pt").write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    (tmp_path / "c.npy").write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    torch.save(torch.nn.Linear(3, 2), tmp_path / "d.pt")
    for name in ("a.pt", "b.pt", "c.npy", "d.pt"):
        with pytest.raises(InputError, match=r"not a PyTorch file of plain tensors|is a pickle"):
            load_matrix(tmp_path / name)
    assert not (tmp_path / "sprung").exists()


def test_no_matrix_in_a_file_is_told(tmp_path):
    torch.save({"a": torch.ones(3), "b": torch.ones(2, 2, 2), "c": torch.ones(2, 2) > 0}, tmp_path / "x.pt")
    with pytest.raises(InputError, match=r"has no 2-D tensor of numbers \(it holds a \(3,\), b \(2, 2, 2\)\)"):
        load_matrix(tmp_path / "x.pt")


@pytest.mark.parametrize("kind", ["complex64", "sparse_coo"])
def test_a_table_of_numbers_that_are_not_read_is_named_and_nothing_else_is_taken(tmp_path, kind, table):
    made = {
        "complex64": lambda: torch.complex(table, table),
        "sparse_coo": table.to_sparse,
    }
    torch.save({"embed.weight": made[kind](), "fc.weight": torch.ones(90, 3)}, tmp_path / "x.pt")
    with pytest.raises(InputError, match=f"'embed.weight', is stored as {kind}, which is not read"):
        load_matrix(tmp_path / "x.pt")


def test_a_small_file_of_a_huge_view_is_refused(tmp_path):
    torch.save({"w": torch.ones(1, 1).expand(100_000, 1000)}, tmp_path / "x.pt")
    with pytest.raises(InputError, match=r"^x\.pt has 4 bytes and unpacks to 400 MB"):
        load_matrix(tmp_path / "x.pt")


def test_a_packed_archive_is_refused(tmp_path, table):
    torch.save({"w": table}, tmp_path / "x.pt")
    with (
        zipfile.ZipFile(tmp_path / "x.pt") as held,
        zipfile.ZipFile(tmp_path / "y.pt", "w", zipfile.ZIP_DEFLATED) as out,
    ):
        for member in held.namelist():
            out.writestr(member, held.read(member))
    with pytest.raises(InputError, match="not a PyTorch file of plain tensors"):
        load_matrix(tmp_path / "y.pt")


def test_a_dict_that_holds_itself_ends(tmp_path, table):
    state = {"w": table}
    state["self"] = state
    torch.save(state, tmp_path / "x.pt")
    assert tensors(tmp_path / "x.pt")[0].shape == (7, 4)
