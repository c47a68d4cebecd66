"""Whatever is done to a good file, what comes out is a matrix or a InputError."""

import warnings

import numpy as np
import pytest

from compress import EmbeddingMatrix, InputError
from compress.sources import load_matrix, save_matrix, tensors
from compress.sources.kinds import EXTENSIONS

WORDS = ["the", "of", "and", "ä", "b", "c d", "e"]


def npy(path, values):
    np.save(path, values)


def npz(path, values):
    np.savez(path, a=values, b=values[0])


def npz_compressed(path, values):
    np.savez_compressed(path, a=values)


def safetensors(path, values):
    save_matrix(EmbeddingMatrix(values, WORDS), path)


def pt(path, values):
    torch = pytest.importorskip("torch")
    torch.save({"w": torch.from_numpy(values)}, path)


def legacy_pt(path, values):
    torch = pytest.importorskip("torch")
    torch.save({"w": torch.from_numpy(values)}, path, _use_new_zipfile_serialization=False)


def word2vec_text(path, values):
    rows = [" ".join([word, *map(str, row.tolist())]) for word, row in zip(WORDS, values, strict=True)]
    path.write_text("\n".join(["7 4", *rows]))


def glove(path, values):
    rows = [" ".join([word, *map(str, row.tolist())]) for word, row in zip(WORDS, values, strict=True)]
    path.write_text("\n".join(rows))


def word2vec_binary(path, values):
    rows = [f"{word} ".encode() + row.tobytes() for word, row in zip(range(7), values, strict=True)]
    path.write_bytes(b"7 4\n" + b"".join(rows))


def csv(path, values):
    rows = [",".join([word, *map(str, row.tolist())]) for word, row in zip(WORDS, values, strict=True)]
    path.write_text("\n".join(["word,a,b,c,d", *rows]))


def parquet(path, values):
    pd = pytest.importorskip("pandas")
    pd.DataFrame(values, columns=list("abcd")).assign(word=WORDS).to_parquet(path)


def gguf(path, values):
    package = pytest.importorskip("gguf")
    writer = package.GGUFWriter(path, "llama")
    writer.add_token_list(WORDS)
    writer.add_tensor("token_embd.weight", values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def json_lines(path, values):
    path.write_text("\n".join(f'{{"word": "{word}", "v": {row.tolist()}}}' for word, row in zip(WORDS, values, strict=True)))


def lists_in_csv(path, values):
    path.write_text("\n".join(["word,v", *(f'{word},"{row.tolist()}"' for word, row in zip(WORDS, values, strict=True))]))


def lists_in_parquet(path, values):
    pd = pytest.importorskip("pandas")
    pd.DataFrame({"word": WORDS, "v": list(values)}).to_parquet(path)


FILES = {
    "a.npy": npy,
    "a.npz": npz,
    "b.npz": npz_compressed,
    "a.safetensors": safetensors,
    "a.pt": pt,
    "b.pt": legacy_pt,
    "a.txt": word2vec_text,
    "b.txt": glove,
    "a.bin": word2vec_binary,
    "a.csv": csv,
    "b.csv": lists_in_csv,
    "a.parquet": parquet,
    "b.parquet": lists_in_parquet,
    "a.jsonl": json_lines,
    "a.gguf": gguf,
}


@pytest.fixture(params=FILES)
def good(request, tmp_path, values):
    path = tmp_path / request.param
    FILES[request.param](path, values)
    assert load_matrix(path).shape == (7, 4)
    return path


def test_the_bytes_tell_what_a_file_without_an_ending_is(good):
    for name in ("table", "table.dat"):
        assert load_matrix(good.rename(good.with_name(name))).shape == (7, 4)
        (good.with_name(name)).rename(good)


def survives(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch remarks on odd pickles
        for use in (load_matrix, tensors):
            try:
                use(path)
            except InputError as error:
                assert str(error).strip(), path
                assert "\n" not in str(error).strip()
                assert str(path.parent) not in str(error), "a folder of ours"


def test_a_truncated_file_gives_a_matrix_or_a_plain_sentence(good):
    data = good.read_bytes()
    for share in np.linspace(0, 1, 25, endpoint=False):
        good.write_bytes(data[: int(share * len(data))])
        survives(good)
    for cut in (1, 2, 3, 5, 8):
        good.write_bytes(data[:-cut])
        survives(good)


def test_a_file_that_is_no_file_is_refused_by_its_own_name(tmp_path):
    for number, suffix in enumerate(EXTENSIONS):
        path = tmp_path / f"0f{number}" / f"my table{suffix}"
        path.parent.mkdir()
        for content in (b"", b"\x00\xff" * 40):
            path.write_bytes(content)
            for use in (load_matrix, tensors):
                with pytest.raises(InputError, match=rf"my table\{suffix}") as refused:
                    use(path)
                assert str(tmp_path) not in str(refused.value)


def test_flipped_bytes_give_a_matrix_or_a_plain_sentence(good):
    data = good.read_bytes()
    rng = np.random.default_rng(5)
    edges = [*range(min(24, len(data))), *range(len(data) - 24, len(data))]
    for at in [*edges, *rng.integers(0, len(data), 60).tolist()]:
        changed = bytearray(data)
        changed[at] ^= int(rng.integers(1, 256))
        good.write_bytes(changed)
        survives(good)


def test_foreign_content_under_any_extension_gives_a_plain_sentence(tmp_path, values):
    samples = {}
    for name, write in FILES.items():
        write(tmp_path / name, values)
        samples[name] = (tmp_path / name).read_bytes()
    for extension in ("npy", "npz", "safetensors", "pt", "txt", "bin", "csv", "parquet"):
        for data in samples.values():
            path = tmp_path / f"mislabelled.{extension}"
            path.write_bytes(data)
            survives(path)
