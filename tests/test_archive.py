"""The file: what is written comes back, what is not ours or was changed is refused in a sentence."""

import json
import stat
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save, save_file

import compress
from compress import SVD, Dimensions, EmbeddingMatrix, InputError, Int4, ProjectiveClustering, Trimmed, files
from compress import OptimizedProductQuantization as OPQ
from compress import ResidualQuantization as RQ
from compress.export.decoders import decoder_of
from compress.form import file as form_file

METHODS = [
    ProjectiveClustering(k=3, j=2, affine=True, restarts=1),
    ProjectiveClustering(k=3, j=3, restarts=1, factor_bits=4),
    SVD(j=3, factor_bits=8),
    Int4(),
]


@pytest.fixture(params=METHODS, ids=str)
def saved(request, small, tmp_path):
    """A file, its header entry without the checksum, as older files have it, and its arrays."""
    path = tmp_path / "x.safetensors"
    result = request.param.fit(small)
    result.save(path)
    with safe_open(path, framework="numpy") as file:
        header = json.loads(file.metadata()["flatland"])
    del header["checksum"]
    return path, header, dict(result.arrays)


def write(path, header, arrays):
    save_file(arrays, path, {"flatland": header if isinstance(header, str) else json.dumps(header)})


def refusal(path):
    """What is said when the file is loaded: one sentence that names it, and what to do."""
    with pytest.raises(InputError, match=path.name) as caught:
        compress.load(path)
    said = str(caught.value)
    assert "\n" not in said and said.endswith(".")
    return said


def test_the_header_names_version_method_settings_shape_and_digest(small, saved):
    _, header, _ = saved
    method = compress.METHODS[header["method"]](**header["settings"])
    assert method in METHODS
    assert header == {
        "version": 1,
        "method": method.name,
        "settings": method.settings,
        "shape": [40, 7],
        "digest": small.digest,
    }


def test_a_file_of_tiny_entries_has_a_version_that_older_programs_refuse(small, tmp_path):
    path = tmp_path / "x.safetensors"
    result = SVD(j=3).fit(EmbeddingMatrix(small.values * np.float32(1e-20)))
    result.save(path)
    with safe_open(path, framework="numpy") as file:
        header = json.loads(file.metadata()["flatland"])
    assert (header["version"], header["exponent"]) == (2, result.exponent)
    del header["checksum"]
    for damage in ({"exponent": 1e3}, {"exponent": 151}, {"exponent": None}):
        write(path, header | damage, result.arrays)
        assert "damaged" in refusal(path)


def test_the_file_is_as_readable_as_any_other(saved):
    path, _, _ = saved
    plain = path.with_name("plain")
    plain.touch()
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


def test_written_back_unchanged_it_is_read(saved):
    path, header, arrays = saved
    expected = compress.load(path).reconstruct()
    write(path, header, arrays)
    assert np.array_equal(compress.load(path).reconstruct(), expected)


@pytest.mark.parametrize(
    ("method", "shape"),
    [
        (OPQ(parts=1, code_bits=5, steps=1), [40, 7]),
        (RQ(parts=1, code_bits=5, steps=1), [40, 7]),
        (Dimensions(kept=4), [39, 8]),
        (Trimmed(rows=30, of="int8"), [40, 7]),
    ],
    ids=lambda each: each.name if isinstance(each, compress.Method) else None,
)
def test_a_row_or_a_column_more_that_the_arrays_do_not_tell_is_told_by_the_checksum(small, tmp_path, method, shape):
    path, result = tmp_path / "x.safetensors", method.fit(EmbeddingMatrix(small.values[:39]))
    write(path, result.said | {"shape": shape}, result.arrays)
    assert list(compress.load(path).shape) == shape, "a file without a checksum"
    write(path, result.header | {"shape": shape}, result.arrays)
    assert refusal(path) == "The header of x.safetensors is damaged; write the file again."
    with pytest.raises(ValueError, match=r"x\.safetensors is damaged \(its header was changed\)"):
        decoder_of(method.name).load(path)


def test_another_version_is_refused(saved):
    path, header, arrays = saved
    write(path, {**header, "version": 3}, arrays)
    assert refusal(path) == "x.safetensors has format version 3, this program reads versions 1 and 2; update it."


def test_an_unknown_method_is_refused(saved):
    path, header, arrays = saved
    write(path, {**header, "method": "magic"}, arrays)
    assert refusal(path) == "x.safetensors was made by the method 'magic', which this version lacks; update it."


@pytest.mark.parametrize(
    "change",
    [
        {"version": None},
        {"method": ["svd"]},
        {"settings": {"depth": 3}},
        {"settings": None},
        {"settings": {"j": "3"}},
        {"shape": [40]},
        {"shape": [40, 7, 1]},
        {"shape": [40, 7.0]},
        {"shape": [0, 7]},
        {"shape": [-40, -7]},
        {"shape": "40 × 7"},
        {"shape": [True, True]},
        {"shape": [41, 7]},
        {"shape": [40, 9]},
        {"shape": [10**30, 7]},
    ],
    ids=str,
)
def test_a_changed_header_is_refused(saved, change):
    path, header, arrays = saved
    if header["settings"] == {} and change == {"settings": {"j": "3"}}:
        change = {"settings": {"bits": 4}}
    write(path, {**header, **change}, arrays)
    assert "again" in refusal(path) or "update" in refusal(path)


@pytest.mark.parametrize("entry", ["", "{", "[]", "7", "null", "{}", '{"version": 1}', "[" * 100_000], ids=repr)
def test_a_header_that_is_none_is_refused(saved, entry):
    path, _, arrays = saved
    write(path, entry, arrays)
    assert refusal(path) == "The header of x.safetensors is damaged; write the file again."


@pytest.mark.parametrize("setting", ["j", "k", "factor_bits", "affine"])
def test_settings_of_another_fit_are_refused(saved, setting):
    path, header, arrays = saved
    if setting not in header["settings"]:
        header["settings"][setting] = 1
    else:
        header["settings"][setting] = {"j": 1, "k": 5, "factor_bits": 32, "affine": not header["settings"].get("affine")}[setting]
    write(path, header, arrays)
    refusal(path)


def changed_arrays(arrays):
    """Every way of putting something else in the place of an array."""
    for name, array in arrays.items():
        yield f"no {name}", {key: value for key, value in arrays.items() if key != name}
        yield f"{name} renamed", {("other" if key == name else key): value for key, value in arrays.items()}
        yield f"{name} one short", {**arrays, name: np.ascontiguousarray(array[:-1])}
        yield f"{name} in another shape", {**arrays, name: array.reshape(1, *array.shape)}
        yield f"{name} flat", {**arrays, name: array.reshape(-1, 1)}
        for kind in ("u1", "i1", "i2", "u2", "f2", "f4", "i4", "f8"):
            if np.dtype(kind) != array.dtype and np.dtype(kind).itemsize == array.itemsize:
                yield f"{name} as {kind}", {**arrays, name: array.view(kind)}
            elif np.dtype(kind) != array.dtype:
                yield f"{name} cast to {kind}", {**arrays, name: array.astype(kind)}
        if array.dtype.kind == "f":
            for entry in (np.nan, np.inf):
                broken = array.copy()
                broken.flat[-1] = entry
                yield f"{name} with {entry}", {**arrays, name: broken}
    yield "one array more", {**arrays, "more": np.zeros(1, np.float32)}
    yield "no array", {}


def test_changed_arrays_are_refused(saved):
    path, header, arrays = saved
    for change, other in changed_arrays(arrays):
        write(path, header, other)
        said = refusal(path)
        assert said.startswith("x.safetensors does not hold what its header says (array '"), change


@pytest.mark.parametrize("kind", ["BF16", "F8_E4M3", "F8_E5M2"])
def test_a_dtype_that_numpy_lacks_is_refused(tmp_path, kind):
    path, entry = tmp_path / "x.safetensors", {"version": 1, "method": "int4", "settings": {}, "shape": [2, 2], "digest": ""}
    size = 2 if kind == "BF16" else 1
    codes = {"dtype": kind, "shape": [1], "data_offsets": [0, size]}
    text = json.dumps({"__metadata__": {"flatland": json.dumps(entry)}, "codes": codes}).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(size))
    refusal(path)


@pytest.mark.parametrize(("k", "label"), [(3, 3), (5, 7), (6, 6)])
def test_a_label_of_no_subspace_is_refused(small, tmp_path, k, label):
    path = tmp_path / "x.safetensors"
    result = ProjectiveClustering(k=k, j=2, restarts=1).fit(small)
    result.save(path)
    numbers = result.method.labels(result.arrays, np.arange(40))
    numbers[17] = label
    labels = compress.coding.packing.pack_stream(numbers, compress.coding.packing.width(k))
    with safe_open(path, framework="numpy") as file:
        header = file.metadata()["flatland"]
    write(path, header, {**result.arrays, "labels": labels})
    assert f"a label is beyond the {k} subspaces" in refusal(path)


def test_a_file_cut_short_anywhere_is_refused(saved):
    path, _, _ = saved
    whole = path.read_bytes()
    for length in {0, 1, 7, 8, 9, 100, len(whole) // 2, len(whole) - 1}:
        path.write_bytes(whole[:length])
        refusal(path)


def test_bytes_flipped_in_the_header_never_give_another_error_than_ours(saved):
    path, _, _ = saved
    whole, rng = path.read_bytes(), np.random.default_rng(0)
    length = int.from_bytes(whole[:8], "little")
    refused = 0
    for _ in range(300):
        broken = bytearray(whole)
        broken[rng.integers(8 + length)] = rng.integers(256)
        path.write_bytes(broken)
        try:
            compress.load(path).rows([0, 39])
        except InputError:
            refused += 1
    assert refused > 100


def test_what_is_not_ours_is_refused(tmp_path):
    path = tmp_path / "x.safetensors"
    save_file({"embedding": np.ones((3, 2), np.float32)}, path)
    assert refusal(path) == "x.safetensors holds no compressed matrix; open it as a matrix instead."
    path.write_text("row 1.0 2.0\n")
    assert "cannot be read as a compressed matrix" in refusal(path)
    path.write_bytes(b"\x80\x04\x95" + bytes(60))  # how a pickle starts
    assert "cannot be read as a compressed matrix" in refusal(path)


def test_a_file_that_is_not_there_or_is_a_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"^There is no file .*none\.safetensors\.$"):
        compress.load(tmp_path / "none.safetensors")
    with pytest.raises(InputError, match="cannot be read"):
        compress.load(tmp_path)


def test_another_ending_is_refused(small, tmp_path):
    with pytest.raises(ValueError, match=r"^the file's name must end in \.safetensors, got 'x\.bin'$"):
        Int4().fit(small).save(tmp_path / "x.bin")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_named(small, tmp_path):
    with pytest.raises(FileNotFoundError, match="none"):
        Int4().fit(small).save(tmp_path / "none" / "x.safetensors")


@pytest.mark.parametrize("fault", [KeyboardInterrupt("stop"), OSError("stop")], ids=repr)
def test_an_interrupted_save_leaves_the_old_file_and_nothing_else(small, tmp_path, monkeypatch, fault):
    path = tmp_path / "x.safetensors"
    SVD(j=2).fit(small).save(path)
    before = path.read_bytes()

    def fail(*_):
        assert len(list(tmp_path.iterdir())) == 2  # the old file, and the new one beside it
        raise fault

    monkeypatch.setattr(files.os, "replace", fail)
    with pytest.raises(type(fault), match="stop"):
        SVD(j=3).fit(small).save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_save_takes_the_place_of_an_older_one(small, tmp_path):
    path = tmp_path / "x.safetensors"
    for j in (2, 3):
        SVD(j=j).fit(small).save(str(path))
        assert compress.load(str(path)).method == SVD(j=j)
    assert list(tmp_path.iterdir()) == [path]


def test_no_pickle_is_read_or_written():
    package = Path(compress.__file__).parent
    for source in (
        package / "archive.py",
        package / "form" / "file.py",
        package / "coding" / "layout.py",
        *sorted((package / "methods").glob("*.py")),
    ):
        assert "import pickle" not in source.read_text() and "allow_pickle=True" not in source.read_text()


def test_a_compressed_file_is_not_taken_for_a_matrix(saved):
    with pytest.raises(InputError, match="is a compressed table, not a matrix; decode it first"):
        compress.load_matrix(saved[0])


def test_the_largest_number_of_settings_still_fits_the_allowance(tmp_path):
    matrix = EmbeddingMatrix(np.eye(3, 2))
    result = ProjectiveClustering(k=3, j=2, affine=True, restarts=1, seed=2**32 - 1, factor_bits=4).fit(matrix)
    assert result.save(tmp_path / "x.safetensors") <= result.n_bytes + 4096


def test_a_file_is_written_as_safetensors_own_library_writes_it(tmp_path):
    kinds = ("u1", "i1", "f2", "f4", "i4", "u2", "i2", "f8", "i8", "u4", "u8", "?")
    arrays = {f"of {kind} é": np.arange(6).reshape(2, 3).astype(kind) for kind in kinds} | {"none": np.empty((0, 4), np.float16)}
    header = {"method": 'an "é"', "shape": [2, 3]}
    size = form_file.write(tmp_path / "x.safetensors", arrays, header)
    known = save(arrays, metadata={form_file.ENTRY: json.dumps(header, separators=(",", ":"))})
    assert (tmp_path / "x.safetensors").read_bytes() == known and size == len(known)
