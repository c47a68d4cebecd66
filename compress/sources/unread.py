"""Kinds of files that are known by their bytes or their ending and not read: what each is, and what to do."""

PACKED = "is packed more than once; unpack it and give the file that was in it."
UNREAD = {
    "bzip2": PACKED,
    "archive": "is an archive of files; unpack it and give the one with the matrix.",
    "arrow": "is an Arrow or Feather file; save it as parquet (pyarrow.feather.read_table, pyarrow.parquet.write_table).",
    "checkpoint": "is part of a TensorFlow checkpoint; there, numpy.save(FILE, tensorflow.train.load_variable(CHECKPOINT, NAME)).",
    "coreml": "is a model of Core ML; save its table with numpy.save.",
    "faiss": "is an index of faiss; there, numpy.save(FILE, index.reconstruct_n(0, index.ntotal)).",
    "flax": "is a model of Flax; there, safetensors.flax.save_file, or save_pretrained of transformers in PyTorch.",
    "gzip": PACKED,
    "joblib": "is a file of joblib, which would have to be run to be read; there, numpy.save(FILE, joblib.load(SOURCE)).",
    "lfs": "is a Git LFS pointer, which stands for the file and is not it; run git lfs pull, or download the file itself.",
    "matlab": "is a file of MATLAB; save the matrix as CSV (writematrix), or with numpy.save after scipy.io.loadmat.",
    "page": "is a web page, not the file that it offers; download the file itself.",
    "r": "is a file of R; save the matrix with write.csv.",
    "sqlite": "is a database of SQLite; write its table as CSV.",
    "tensorflow": "is a graph of TensorFlow; save the table with numpy.save.",
    "utf-16": "is text in UTF-16; convert it to UTF-8.",
    "xz": PACKED,
    "zip": PACKED,
    "zstd": PACKED,
}
