"""What is fed with changed files: every reader, and good files of its kind to begin from, made by code and small."""

import io
import json
import pickle
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import numpy as np

import compress
from compress import METHODS, InputError
from compress.errors import reading
from compress.sources import packed
from tests.cases import CASES

Files = dict[str, bytes]  # good files, by what each is called as a file
ROWS, COLUMNS = 7, 4
WORDS = ["the", "of", "and", "ä", "b", "c d", "e"]
VALUES = np.random.default_rng(0).standard_normal((ROWS, COLUMNS)).astype(np.float32)


@dataclass(frozen=True)
class Target:
    """files: good ones. use: what is done with one, given its path. refused: what that may raise. guarded: the same in a process
    that is ended where it takes too much, as the app reads files."""

    files: Callable[[Path], Files]
    use: Callable[[Path], Any]
    refused: tuple[type[Exception], ...] = (InputError,)
    guarded: Callable[[Path], Any] | None = None


def matrix_of(path: Path) -> None:
    """A matrix and what else its source offers, each looked at to its last number."""
    try:
        names = [info.name for info in compress.tensors(path)]
    except InputError:
        names = []
    for tensor in dict.fromkeys([None, *names[1:3]]):
        try:
            matrix = compress.load_matrix(path, tensor=tensor)
        except InputError as error:
            told(error, path)
        else:
            assert np.isfinite(matrix.values).all()
            assert not matrix.has_tokens or len(matrix.tokens) == len(matrix.values)


def guarded_matrix(path: Path) -> None:
    compress.load_matrix(path, guarded=True)


def told(error: Exception, path: Path) -> None:
    """That an error is a sentence for a person, who is not to see where the file lies here."""
    text = str(error).strip()
    assert text and "\n" not in text and len(text) < 1500, f"no sentence: {text[:300]!r}"
    assert path.is_dir() or str(path.parent) not in text, f"a folder of ours: {text[:300]!r}"


def written(writers: dict[str, Callable[[Path], Any]]) -> Callable[[Path], Files]:
    """Files as functions write them, by their names."""

    def made(folder: Path) -> Files:
        for name, write in writers.items():
            write(folder / name)
        return {name: (folder / name).read_bytes() for name in writers}

    return made


def of_table(**names: str) -> Callable[[Path], Files]:
    """The files that the tests of damaged ones begin from, those of some functions there."""
    from tests.sources import test_source_damaged as damaged

    return written({name: partial(given, getattr(damaged, function)) for function, name in names.items()})


def given(write: Callable[[Path, np.ndarray], Any], path: Path) -> None:
    write(path, VALUES)


def npy_files(folder: Path) -> Files:
    arrays = {"a.npy": VALUES, "b.npy": np.asfortranarray(VALUES.astype(np.float16)), "c.npy": np.arange(28).reshape(7, 4)}
    return written({name: partial(np.save, arr=array) for name, array in arrays.items()})(folder)


def npz_files(folder: Path) -> Files:
    held = {"embedding": VALUES, "words": np.array(WORDS), "b": VALUES[0]}
    codes = {"table.weight": np.arange(28, dtype=np.int8).reshape(7, 4), "table.scale": np.float32(0.5)}
    return of_table(npz="a.npz", npz_compressed="b.npz")(folder) | written(
        {"c.npz": lambda path: np.savez(path, **held), "d.npz": lambda path: np.savez_compressed(path, **codes)}
    )(folder)


def safetensors_files(folder: Path) -> Files:
    import torch
    from safetensors.torch import save_file

    table = torch.from_numpy(VALUES.copy())
    eight = {"e.weight": (10 * table).to(torch.int8), "e.weight_scale": torch.ones(7, 1), "lm_head.weight": table.bfloat16()}
    return of_table(safetensors="a.safetensors")(folder) | written(
        {
            "b.safetensors": lambda path: save_file({"wte.weight": table.half(), "h.weight": torch.ones(9, 4)}, path),
            "c.safetensors": lambda path: save_file(eight, path),
            "d.safetensors": lambda path: save_file({"wte.weight": table, "mapping": torch.arange(9) % 7}, path),
        }
    )(folder)


def quantized_files(folder: Path) -> Files:
    """Folders of models whose tables are packed in every way that is read, each as one archive."""
    from tests.sources.quantized import test_source_quantized as schemes

    made = {
        "mlx": schemes.mlx(4),
        "gptq": schemes.gptq(),
        "awq": schemes.awq(),
        "compressed": schemes.compressed_tensors(zeros=True),
        "bits": schemes.bitsandbytes(nested=True),
        "floats": schemes.mlx_floats(),
    }
    return {f"{name}.zip": bundled(schemes.folder(folder / name, each[0], each[1])) for name, each in made.items()}


def bundled(folder: Path) -> bytes:
    """The files of a folder as one archive, so that one of them is changed at a time."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder).as_posix())
    return held.getvalue()


def members_of(path: Path) -> Files:
    """What an archive of `bundled` holds; nothing where it is broken, which is no reader's matter."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    except Exception:  # whatever class zipfile fails with
        return {}


def folder_of_model(path: Path) -> None:
    """The folder that an archive of `bundled` holds; members that would lie elsewhere are left out."""
    with tempfile.TemporaryDirectory(dir=path.parent) as held:
        for name, content in members_of(path).items():
            if len(name) < 200 and name == name.strip("/.") and "\0" not in name and ".." not in name:
                Path(held, name).parent.mkdir(parents=True, exist_ok=True)
                Path(held, name).write_bytes(content)
        matrix_of(Path(held))


def folder_files(folder: Path) -> Files:
    import torch
    from safetensors.torch import save_file

    plain, split, words = folder / "plain", folder / "split", folder / "words"
    for each in (plain, split, words):
        each.mkdir()
    table, other = torch.from_numpy(VALUES.copy()), torch.ones(9, 4)
    save_file({"embeddings.word_embeddings.weight": table, "encoder.weight": other}, plain / "model.safetensors")
    (plain / "config.json").write_text(json.dumps({"model_type": "bert", "vocab_size": ROWS, "hidden_size": 4, "pad_token_id": 0}))
    vocabulary = {"model": {"type": "WordPiece", "vocab": {word: row for row, word in enumerate(WORDS[:5])}}}
    vocabulary["added_tokens"] = [{"id": 5, "content": "[X]"}, {"id": 6, "content": "[Y]"}]
    (plain / "tokenizer.json").write_text(json.dumps(vocabulary))
    for number, (name, tensor) in enumerate({"wte.weight": table, "lm_head.weight": other}.items(), 1):
        save_file({name: tensor}, split / f"model-0000{number}-of-00002.safetensors")
    files = {"wte.weight": "model-00001-of-00002.safetensors", "lm_head.weight": "model-00002-of-00002.safetensors"}
    (split / "model.safetensors.index.json").write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": files}))
    (split / "vocab.json").write_text(json.dumps({word: row for row, word in enumerate(WORDS)}))
    (split / "added_tokens.json").write_text(json.dumps({"[Z]": 6}))
    (split / "tokenizer_config.json").write_text(json.dumps({"added_tokens_decoder": {"5": {"content": "[Q]"}}}))
    np.save(words / "vectors.npy", VALUES)
    (words / "vocab.txt").write_text("\n".join(WORDS))
    (words / "metadata.tsv").write_text("\n".join(WORDS))
    return {f"{each.name}.zip": bundled(each) for each in (plain, split, words)}


def torch_files(folder: Path) -> Files:
    import torch

    table = torch.from_numpy(VALUES.copy())
    state = {"embed.weight": table, "lm_head.weight": torch.ones(9, 4).half(), "step": 3}
    nested = {"state_dict": {"wte.weight": table[:, :2]}, "optimizer": [table[:2]], "epoch": 2}
    older = {"_use_new_zipfile_serialization": False}
    return written(
        {
            "a.pt": lambda path: torch.save(state, path),
            "b.pt": lambda path: torch.save(nested, path),
            "c.pth": lambda path: torch.save(table.expand(3, 7, 4)[0], path),
            "d.pt": lambda path: torch.save(state, path, **older),
            "e.pt": lambda path: torch.save(nested, path, **older),
        }
    )(folder)


def pickle_files(folder: Path) -> Files:
    by_word = dict(zip(WORDS, VALUES, strict=True))
    held = {"a": VALUES, "b": (WORDS, VALUES), "c": {"words": WORDS, "emb": VALUES}, "d": by_word}
    return {f"{name}{protocol}.pkl": pickle.dumps(each, protocol) for name, each in held.items() for protocol in (2, 4, 5)}


def gguf_files(folder: Path) -> Files:
    import gguf

    from tests.sources.checkpoints import test_source_gguf as ggufs

    Kind = gguf.GGMLQuantizationType
    table = np.random.default_rng(1).standard_normal((4, 64)).astype(np.float32)
    whole = {"token_embd.weight": table[:, :32], "blk.0.ffn_up.weight": np.ones((3, 32), np.float32)}
    kinds = {
        "b.gguf": {"token_embd.weight": (gguf.quantize(table, Kind.Q8_0), Kind.Q8_0)},
        "c.gguf": {"token_embd.weight": (gguf.quantize(table, Kind.Q4_0), Kind.Q4_0), "output.weight": table},
    }
    return of_table(gguf="d.gguf")(folder) | written(
        {name: partial(ggufs.written, tensors=each, tokens=WORDS[:4]) for name, each in ({"a.gguf": whole} | kinds).items()}
    )(folder)


def parquet_files(folder: Path) -> Files:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    frame = pd.DataFrame(VALUES, columns=list("abcd")).assign(word=WORDS)
    lists = pa.table({"word": pa.array(WORDS).dictionary_encode(), "v": pa.array(list(VALUES), pa.list_(pa.float32(), 4))})
    return of_table(parquet="a.parquet", lists_in_parquet="b.parquet")(folder) | written(
        {
            "c.parquet": lambda path: frame.astype({"a": "float16", "b": "int32"}).to_parquet(path, compression="gzip"),
            "d.parquet": lambda path: pq.write_table(lists, path, row_group_size=3, data_page_version="2.0"),
            "e.parquet": lambda path: pq.write_table(lists, path, use_dictionary=False, compression="none", write_statistics=False),
        }
    )(folder)


def json_files(folder: Path) -> Files:
    rows = [{"word": word, "v": row} for word, row in zip(WORDS, VALUES.tolist(), strict=True)]
    flat = [
        {"word": word, "a": row[0], "b": row[1], "n": at} for at, (word, row) in enumerate(zip(WORDS, VALUES.tolist(), strict=True))
    ]
    held = {"b.json": rows, "c.json": dict(zip(WORDS, VALUES.tolist(), strict=True)), "d.json": VALUES.tolist(), "e.json": flat}
    held["f.json"] = {"vectors": VALUES.tolist(), "words": WORDS}
    return of_table(json_lines="a.jsonl")(folder) | {name: json.dumps(each).encode() for name, each in held.items()}


def csv_files(folder: Path) -> Files:
    tabs = "\n".join("\t".join([word, *map(str, row)]) for word, row in zip(WORDS, VALUES.tolist(), strict=True))
    german = "\n".join(
        ";".join([word, *(str(each).replace(".", ",") for each in row)]) for word, row in zip(WORDS, VALUES.tolist(), strict=True)
    )
    quoted = "\n".join(f'"{word}",{row[0]},{row[1]},"a, ""b"""' for word, row in zip(WORDS, VALUES.tolist(), strict=True))
    texts = {"c.tsv": tabs, "d.csv": f"word;a;b;c;d\n{german}", "e.csv": f"word,a,b,note\n{quoted}"}
    return of_table(csv="a.csv", lists_in_csv="b.csv")(folder) | {name: text.encode() for name, text in texts.items()}


def fasttext_files(folder: Path) -> Files:
    from tests.sources.checkpoints.test_source_fasttext import model, small_model

    plain = {"a.bin": model()[0], "b.bin": model(labels=["__label__a", "__label__b"], loss_model=3, bucket=0)[0]}
    return plain | {"c.ftz": small_model(apart=True, output_too=True, dim=3)[0], "d.ftz": small_model(dim=3)[0]}


def hdf5_files(folder: Path) -> Files:
    import h5py

    def keras(path: Path) -> None:
        with h5py.File(path, "w") as file:
            file["layers/embedding/vars/0"] = VALUES
            file["layers/dense/vars/0"] = np.ones((9, 2), np.float32)

    def packed_words(path: Path) -> None:
        with h5py.File(path, "w", libver="latest") as file:
            file.create_dataset("mat/vectors", data=VALUES.astype(np.float16), chunks=(2, 4), compression="gzip", shuffle=True)
            file["mat/words"] = WORDS

    def quantized(path: Path) -> None:
        with h5py.File(path, "w") as file:
            file["layers/embedding/vars/0"] = np.arange(28, dtype=np.int8).reshape(7, 4)
            file["layers/embedding/vars/1"] = np.ones(7)

    return written({"a.h5": keras, "b.h5": packed_words, "c.h5": quantized})(folder)


def keras_files(folder: Path) -> Files:
    made = {}
    for name, content in hdf5_files(folder).items():
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w") as archive:
            archive.writestr("config.json", "{}")
            archive.writestr("model.weights.h5", content)
        made[name.replace(".h5", ".keras")] = held.getvalue()
    return made


def onnx_files(folder: Path) -> Files:
    from onnx import helper, numpy_helper

    from tests.sources.checkpoints.test_source_onnx import outside, save

    table = numpy_helper.from_array(VALUES, "table")
    gather = helper.make_node("Gather", ["table", "ids"], ["y"])
    codes = {"q": np.arange(28, dtype=np.uint8).reshape(7, 4), "s": np.float32(0.5), "z": np.uint8(3)}
    parts = [numpy_helper.from_array(np.array(part), name) for name, part in codes.items()]
    decoded = [helper.make_node("Gather", ["q", "ids"], ["t"]), helper.make_node("DequantizeLinear", ["t", "s", "z"], ["y"])]
    plain = numpy_helper.from_array(VALUES, "w")
    plain.ClearField("raw_data")
    plain.float_data.extend(VALUES.ravel().tolist())
    return written(
        {
            "a.onnx": partial(save, initializers=[table], nodes=[gather]),
            "b.onnx": partial(save, initializers=parts, nodes=decoded),
            "c.onnx": partial(save, initializers=[plain], nodes=[]),
            "d.onnx": partial(save, initializers=[outside(VALUES, location="d.onnx", offset=0, length=112)], nodes=[]),
        }
    )(folder)


def tflite_files(folder: Path) -> Files:
    from tests.sources.checkpoints.test_source_tflite import model

    codes = np.arange(-14, 14, dtype=np.int8).reshape(7, 4)
    return {
        "a.tflite": model({"dense": np.ones((9, 4), np.float32), "table": VALUES}, 1),
        "b.tflite": model({"table": codes}, 0, np.array([0.5], np.float32)),
        "c.tflite": model({"table": codes}, 0, np.ones(7, np.float32)),
    }


def packed_files(folder: Path) -> Files:
    import bz2
    import gzip
    import lzma

    import zstandard

    inside = of_table(glove="a.txt", npy="a.npy")(folder)
    ways = {"gz": gzip.compress, "xz": lzma.compress, "bz2": bz2.compress, "zst": zstandard.ZstdCompressor().compress}
    made = {f"{name}.{ending}": pack(content) for name, content in inside.items() for ending, pack in ways.items()}
    for name, content in inside.items():
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, content)
        made[f"{name}.zip"] = held.getvalue()
    return made


def packed_matrix(path: Path) -> None:
    packed.kept.cache_clear()
    matrix_of(path)


def forms_of(method: str) -> Callable[[Path], Files]:
    """The files that a method's fits are saved to, one an example of its settings, fitted once for both who read them."""

    @cache
    def made() -> Files:
        from compress.sources import planted

        values, _ = planted(n_rows=240, k=3, j=2, dim=11, noise=0.05, outliers=0.0, seed=1)
        matrix, files = compress.EmbeddingMatrix(values), {}
        with tempfile.TemporaryDirectory() as folder:
            for at, setting in enumerate(CASES[method][:6]):
                path = Path(folder, f"{at}.safetensors")
                setting.fit(matrix).save(path)
                files[path.name] = path.read_bytes()
        return files

    return lambda folder: dict(made())


def form_of(path: Path) -> None:
    """A form that is read, decoded whole and by rows, and as a layer."""
    result = compress.load(path)
    n, d = result.shape
    assert n * d <= 1 << 24, f"a shape that no file of this size has: {n} × {d}"
    values = result.reconstruct()
    assert values.shape == (n, d) and values.dtype == np.float32 and np.isfinite(values).all(), "what it decodes to"
    np.testing.assert_allclose(result.rows([0, n - 1]), values[[0, n - 1]], rtol=1e-4, atol=1e-5 * np.abs(values).max())
    assert result.n_bytes > 0
    try:
        compress.load_matrix(path)
    except InputError as error:
        told(error, path)


def loaded_alone(method: str, path: Path) -> None:
    """A form that the exported load.py reads and decodes."""
    import torch

    from compress.export.decoders import decoder_of

    layer = decoder_of(method).load(path)
    assert layer.num_embeddings * layer.embedding_dim <= 1 << 24, "a shape that no file of this size has"
    layer(torch.tensor([0, layer.num_embeddings - 1]))


def weights_files(folder: Path) -> Files:
    numbers = "\n".join(map(str, range(1, ROWS + 1)))
    table = "word,count\n" + "\n".join(f"{word},{at}" for at, word in enumerate(WORDS, 1))
    np.save(folder / "w.npy", np.arange(1.0, ROWS + 1))
    return {"a.txt": numbers.encode(), "b.csv": table.encode(), "c.npy": (folder / "w.npy").read_bytes()}


def weights_in(path: Path) -> None:
    from compress.sources.weights import row_weights

    for spec in (f"column:{path}", f"column:{path}:count", f"counts:{path}"):
        try:
            found = row_weights(spec, ROWS, WORDS)
            assert found.shape == (ROWS,) and np.isfinite(found).all() and (found >= 0).all() and found.any()
        except InputError as error:
            told(error, path)


def columns_files(folder: Path) -> Files:
    import pandas as pd

    table = pd.DataFrame({"title": WORDS, "topic": [*"abababb"], "price": VALUES[:, 0]})
    table.assign(when=pd.Timestamp("2024-01-01")).to_parquet(folder / "c.parquet")
    np.save(folder / "e.npy", np.array(WORDS))
    return {
        "a.csv": table.to_csv(index=False).encode(),
        "b.tsv": table.to_csv(index=False, sep="\t").encode(),
        "c.parquet": (folder / "c.parquet").read_bytes(),
        "d.jsonl": table.to_json(orient="records", lines=True).encode(),
        "e.npy": (folder / "e.npy").read_bytes(),
        "f.txt": "\n".join(WORDS).encode(),
    }


def columns_in(path: Path) -> None:
    """The columns of a second file, each read, and seen for what it holds."""
    from compress.sources.beside import with_columns
    from compress.sources.choice.info import Read
    from compress.sources.column_kinds import Categories, typed

    try:
        read = with_columns(Read(VALUES, None), path, None)
        for name in read.columns or ():
            with reading(path):
                found = typed(read.columns[name], name)
            assert len(found.codes if isinstance(found, Categories) else found.values) == ROWS
    except InputError as error:
        told(error, path)


def text_files(folder: Path) -> Files:
    questions = {
        "title": "t",
        "paragraphs": [{"context": "a b c", "qas": [{"question": "b?", "answers": [{"text": "b", "answer_start": 2}]}]}],
    }
    return {
        "a.txt": b"The cat sat.\nOn the mat.\n",
        "b.json": json.dumps(["The cat sat.", "On the mat."]).encode(),
        "c.json": json.dumps([[1, 2, 3], [4, 5]]).encode(),
        "d.csv": b'text,label\ngood film,1\nbad film,0\n"a ""b""",1\n',
        "e.tsv": b"text1\ttext2\tscore\na\tb\t1.5\nc\td\t2\n",
        "f.json": json.dumps({"data": [questions]}).encode(),
    }


def texts_in(path: Path) -> None:
    """Texts that heal and judge, labelled examples, and questions."""
    from compress.tasks.squad import questions_of
    from compress.tasks.texts import read_texts
    from compress.tasks.uploads import read_upload

    for read in (read_texts, read_upload, questions_of):
        try:
            read(path)
        except InputError as error:
            assert str(error).strip()


def picture_files(folder: Path) -> Files:
    rng = np.random.default_rng(0)
    np.savez_compressed(folder / "a.npz", x=rng.integers(0, 9, (2, 32, 32, 3)).astype(np.uint8), y=np.array([0, 1]))
    np.savez_compressed(folder / "b.npz", x=np.ones((1, 3, 32, 32), np.float32))
    return {name: (folder / name).read_bytes() for name in ("a.npz", "b.npz")}


def pictures_in(path: Path) -> None:
    from compress.sources.checkpoints.arrays import named_in

    named_in(path, ("x", "y"))


def guarded_pictures(path: Path) -> None:
    from pages.parts.filters.upload import read_pictures

    read_pictures(str(path), (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


def network_in(path: Path) -> None:
    """A network that a person brings to be pruned; the page shows ValueError as it does InputError."""
    import torch

    from compress.pruning import from_state
    from compress.sources.checkpoints.torch_file import state_in

    from_state("ResNet20", {name: torch.from_numpy(np.array(each)) for name, each in state_in(path).items()})


def guarded_network(path: Path) -> None:
    from compress.pruning import from_state
    from pages.parts.filters.upload import state_of

    from_state("ResNet20", state_of(path))


LINKS = (
    {"matrix": ["demo"], "weights": ["order:0.5"], "pins": ['[["svd",{"j":30,"factor_bits":16}],["pq",{"parts":8}]]'], "j": ["7"]},
    {"matrix": ["upload:0123abc/t.npy"], "tensor": ["w"], "left_out": ["a,b"], "names": ["c"], "flat_k": ["3"], "flat_j": ["4"]},
    {"matrix": ["toy"], "weights": ["column:upload:0123abc/t.csv:n"], "robust_p": ["1.25"], "precision": ["int8"], "log": ["true"]},
    {"matrix": ["/tmp/nothing.npy"], "weights": ["counts:/tmp/nothing.txt"], "hash_bits": ["48"], "hash_loss": ["Direction"]},
    {
        "pins": ['[["projective",{"k":5,"j":60,"seed":0}],["trellis",{"rate":1.2}]]'],
        "budget_ratio": ["12"],
        "map_token": ["outlier 5"],
    },
)


def link_files(folder: Path) -> Files:
    return {f"{at}.txt": urlencode(said, doseq=True).encode() for at, said in enumerate(LINKS)}


class Said(dict):
    """What an address says, as Streamlit's `query_params` gives it."""

    def get_all(self, name: str) -> list[str]:
        return super().get(name, [])

    def get(self, name: str, default=None):
        return self.get_all(name)[-1] if self.get_all(name) else default

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name)[-1]


def link_in(path: Path) -> None:
    """What a session makes of an address: on every screen, and what it then writes as an address itself."""
    import streamlit as st

    from pages.parts import link, matrix, pins, screens

    said = parse_qs(path.read_bytes().decode("utf-8", "replace"), keep_blank_values=True)
    standing = st.session_state, st.query_params
    try:
        for title in ("Spectrum", "Subspaces"):
            st.session_state, st.query_params = {"page": title}, Said(said)
            link.open_link()
            for shape in ((30_522, 384), (2, 1)):
                for screen in screens.SCREENS:
                    for setting in screen.settings:
                        value = setting.held(shape)
                        if setting.as_usual(shape):
                            assert value == setting.usual(shape)
                screens.keep_within(shape)
            matrix.chosen(), matrix.chosen_weights(), matrix.asked(), pins.told_apart(pins.pins())
            link.own(), urlencode(link.standing(), doseq=True)
    finally:
        st.session_state, st.query_params = standing


def hub_files(folder: Path) -> Files:
    made = folder_files(folder)
    return {name: made[name] for name in ("plain.zip", "split.zip")}


class Sent:
    """A body, as the client of the hub gives it."""

    def __init__(self, path: str, body: bytes):
        self.url, self.body = type("Url", (), {"path": path})(), body

    def iter_bytes(self):
        yield self.body


def hub_model(path: Path) -> None:
    """A model on the hub whose files are changed, and a new cache."""
    import os

    from compress.sources.hub.http_ranges import Answer, Server
    from tests.sources.conftest import COMMIT

    files = members_of(path)

    @contextmanager
    def get(self, path, start=None, stop=None):
        name = path.rpartition("/")[2]
        body = files.get(name)
        facts = {"x-repo-commit": COMMIT, "etag": '"e"', "content-range": "", "content-length": ""}
        if body is None:
            yield Answer(404, facts | {"x-error-code": "EntryNotFound"}, Sent(path, b""))
        elif start is None:
            yield Answer(200, facts | {"content-length": str(len(body))}, Sent(path, body))
        else:
            part = body[start:stop]
            span = {"content-range": f"bytes {start}-{start + len(part) - 1}/{len(body)}", "content-length": str(len(part))}
            yield Answer(206, facts | span, Sent(path, part))

    before, cache = Server.get, tempfile.mkdtemp(dir=path.parent)
    os.environ["FLATLAND_CACHE"], Server.get = cache, get
    try:
        for use in (compress.load_matrix, compress.tensors, compress.load_matrix):
            try:
                use("hub:some/model")
            except InputError as error:
                assert str(error).strip()
    finally:
        Server.get = before
        shutil.rmtree(cache, ignore_errors=True)


PICTURED = (InputError, ValueError, OSError)  # which the page of filters shows in one sentence
READERS = {
    "npy": Target(npy_files, matrix_of, guarded=guarded_matrix),
    "npz": Target(npz_files, matrix_of, guarded=guarded_matrix),
    "safetensors": Target(safetensors_files, matrix_of, guarded=guarded_matrix),
    "quantized": Target(quantized_files, folder_of_model),
    "gguf": Target(gguf_files, matrix_of, guarded=guarded_matrix),
    "torch": Target(torch_files, matrix_of, guarded=guarded_matrix),
    "pickle": Target(pickle_files, matrix_of, guarded=guarded_matrix),
    "text": Target(
        lambda folder: of_table(word2vec_text="a.txt", glove="b.txt", word2vec_binary="c.bin")(folder),
        matrix_of,
        guarded=guarded_matrix,
    ),
    "csv": Target(csv_files, matrix_of, guarded=guarded_matrix),
    "json": Target(json_files, matrix_of, guarded=guarded_matrix),
    "parquet": Target(parquet_files, matrix_of, guarded=guarded_matrix),
    "fasttext": Target(fasttext_files, matrix_of, guarded=guarded_matrix),
    "hdf5": Target(hdf5_files, matrix_of, guarded=guarded_matrix),
    "keras": Target(keras_files, matrix_of, guarded=guarded_matrix),
    "onnx": Target(onnx_files, matrix_of, guarded=guarded_matrix),
    "tflite": Target(tflite_files, matrix_of, guarded=guarded_matrix),
    "packed": Target(packed_files, packed_matrix, guarded=guarded_matrix),
    "folder": Target(folder_files, folder_of_model),
    "hub": Target(hub_files, hub_model),
    "weights": Target(weights_files, weights_in),
    "columns": Target(columns_files, columns_in),
    "texts": Target(text_files, texts_in),
    "pictures": Target(picture_files, pictures_in, guarded=guarded_pictures),
    "network": Target(torch_files, network_in, PICTURED, guarded_network),
    "link": Target(link_files, link_in, ()),
}
FITTED = {name: forms_of(name) for name in METHODS}
FORMS = {f"load:{name}": Target(FITTED[name], form_of, guarded=partial(compress.load, guarded=True)) for name in METHODS}
ALONE = {
    f"load.py:{name}": Target(FITTED[name], partial(loaded_alone, name), (ValueError, IndexError))
    for name, method in METHODS.items()
    if method.decoder is not None
}
TARGETS = READERS | FORMS | ALONE
