"""Models on a hub, which here runs on this machine."""

import json
from urllib.parse import urlsplit

import numpy as np
import pytest

from compress import InputError
from compress.sources import TensorInfo, config_folder, load_matrix, tensors
from compress.sources.hub import http_ranges

COMMIT = "0123456789abcdef0123456789abcdef01234567"
EMBEDDING = "embeddings.word_embeddings.weight"
ROWS, DIM = 2000, 64
TENSOR_BYTES = 4 * ROWS * DIM
SLACK = 4096

pytest.importorskip("huggingface_hub")


@pytest.fixture
def table():
    return np.random.default_rng(3).standard_normal((ROWS, DIM)).astype(np.float32)


@pytest.fixture
def model(tmp_path, table, write_safetensors):
    """A model file several times the size of its embedding, which lies in the middle."""
    other = ("F32", (4 * ROWS, DIM), np.ones((4 * ROWS, DIM), "<f4").tobytes())
    held = {"a.weight": other, EMBEDDING: ("F32", (ROWS, DIM), table.tobytes()), "z.weight": other}
    return write_safetensors(tmp_path / "remote.safetensors", held).read_bytes()


TOKENIZER = json.dumps({"model": {"vocab": {f"w{i}": i for i in range(ROWS - 5)}}}).encode()


def put(hub, repo, files, revision="main"):
    """Files of a model, at its revision and at its commit."""
    for name, data in files.items():
        for at in (revision, hub.commit or revision):
            hub.files[f"/{repo}/resolve/{at}/{name}"] = data


@pytest.fixture
def served(hub, model):
    put(hub, "org/name", {"model.safetensors": model, "tokenizer.json": TOKENIZER})
    return hub


def test_the_tensor_and_little_else_is_fetched(served, model, table):
    matrix = load_matrix("hub:org/name")
    np.testing.assert_array_equal(matrix.values, table)
    assert (matrix.tokens[7], matrix.tokens[ROWS - 1]) == ("w7", f"row {ROWS - 1}")
    assert matrix.name == "org/name"
    assert len(model) > 6 * TENSOR_BYTES
    assert served.sent <= TENSOR_BYTES + (64 << 10) + len(TOKENIZER) + SLACK


def test_listing_fetches_only_the_header(served):
    assert tensors("hub:org/name")[0] == TensorInfo(EMBEDDING, (ROWS, DIM), "float32")
    assert served.sent <= (64 << 10) + SLACK


def test_a_second_open_needs_no_network(served, table):
    load_matrix("hub:org/name")
    served.refusals = dict.fromkeys(served.files, (503, ""))
    matrix = load_matrix("hub:org/name")
    np.testing.assert_array_equal(matrix.values, table)
    assert matrix.tokens[7] == "w7"
    assert len(tensors("hub:org/name")) == 3


def test_a_second_open_works_with_the_server_down(served, table, no_hub):
    load_matrix("hub:org/name")
    asked = len(served.requests)
    no_hub()
    np.testing.assert_array_equal(load_matrix("hub:org/name").values, table)
    assert len(served.requests) == asked


def test_a_second_open_fetches_the_header_alone(served):
    load_matrix("hub:org/name")
    served.sent = 0
    load_matrix("hub:org/name")
    assert served.sent <= (64 << 10) + SLACK


def test_a_commit_is_opened_again_without_asking(served, model):
    put(served, "org/name", {"model.safetensors": model, "tokenizer.json": TOKENIZER}, COMMIT)
    load_matrix(f"hub:org/name@{COMMIT}")
    asked = len(served.requests)
    load_matrix(f"hub:org/name@{COMMIT}")
    assert len(served.requests) == asked


def test_a_new_version_is_fetched(served, model, table):
    load_matrix("hub:org/name")
    served.commit = "f" * 40
    put(served, "org/name", {"model.safetensors": model.replace(table.tobytes(), (2 * table).tobytes())})
    np.testing.assert_array_equal(load_matrix("hub:org/name").values, 2 * table)


def test_a_server_that_names_no_commit_is_told_by_its_etag(hub, model, table):
    hub.commit = None
    put(hub, "org/name", {"model.safetensors": model})
    np.testing.assert_array_equal(load_matrix("hub:org/name").values, table)
    hub.sent = 0
    load_matrix("hub:org/name")
    assert hub.sent <= (64 << 10) + SLACK


def test_a_revision_is_asked_for(hub, model, table):
    put(hub, "org/name", {"model.safetensors": model}, "v1.0%2Fbeta")
    np.testing.assert_array_equal(load_matrix("hub:org/name@v1.0/beta").values, table)


def test_a_name_without_an_organisation_is_served(hub, model, table):
    put(hub, "gpt2", {"model.safetensors": model})
    np.testing.assert_array_equal(load_matrix("hub:gpt2").values, table)


@pytest.fixture
def elsewhere(hub, other_hub, model):
    """The endpoint redirects the weights to another port, as hubs do to their stores."""
    for revision in ("main", COMMIT):
        path = f"/org/name/resolve/{revision}/model.safetensors"
        hub.redirects[path] = f"{other_hub.url}/store/weights?signature=1"
    other_hub.files["/store/weights"] = model
    other_hub.commit = None
    return other_hub


def test_the_token_goes_to_the_endpoint_and_nowhere_else(hub, elsewhere, table):
    np.testing.assert_array_equal(load_matrix("hub:org/name").values, table)
    assert {authorization for _, authorization in hub.requests} == {"Bearer secret-token"}
    assert elsewhere.requests
    assert {authorization for _, authorization in elsewhere.requests} == {None}


def test_another_name_of_the_same_host_gets_no_token(hub, elsewhere, monkeypatch):
    port = urlsplit(elsewhere.url).port
    for path in hub.redirects:
        hub.redirects[path] = f"http://localhost:{port}/store/weights"
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    load_matrix("hub:org/name")
    assert {authorization for _, authorization in elsewhere.requests} == {None}


def test_no_token_is_sent_where_there_is_none(served, monkeypatch, tmp_path):
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("huggingface_hub.get_token", lambda: None)
    load_matrix("hub:org/name")
    assert {authorization for _, authorization in served.requests} == {None}


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x"])
def test_a_redirect_off_the_web_is_refused(hub, target):
    hub.redirects["/org/name/resolve/main/model.safetensors"] = target
    with pytest.raises(InputError, match="unsafe address"):
        load_matrix("hub:org/name")


def test_https_is_not_left_for_http():
    assert http_ranges.checked_hop("https://a.test/x", "/y") == "https://a.test/y"
    with pytest.raises(InputError, match="unsafe address"):
        http_ranges.checked_hop("https://a.test/x", "http://a.test/x")


def test_a_circle_of_redirects_ends(hub):
    path = "/org/name/resolve/main/model.safetensors"
    hub.redirects[path] = path
    with pytest.raises(InputError, match="redirects in a circle"):
        load_matrix("hub:org/name")


def sharded(hub, tmp_path, write_safetensors, table):
    part = write_safetensors(tmp_path / "p", {"h.weight": ("F32", (9, 4), bytes(144))}).read_bytes()
    held = write_safetensors(tmp_path / "q", {EMBEDDING: ("F32", (ROWS, DIM), table.tobytes())}).read_bytes()
    names = {EMBEDDING: "b.safetensors", "h.weight": "a.safetensors"}
    index = json.dumps({"weight_map": names}).encode()
    put(hub, "org/big", {"model.safetensors.index.json": index, "a.safetensors": part, "b.safetensors": held})


def test_a_sharded_model_is_read_from_the_one_shard(hub, tmp_path, write_safetensors, table):
    sharded(hub, tmp_path, write_safetensors, table)
    np.testing.assert_array_equal(load_matrix("hub:org/big").values, table)
    assert not any("a.safetensors" in path for path in hub.paths)
    assert [info.name for info in tensors("hub:org/big")] == [EMBEDDING, "h.weight"]


def test_a_sharded_model_is_opened_again_with_the_server_down(hub, tmp_path, write_safetensors, table, no_hub):
    sharded(hub, tmp_path, write_safetensors, table)
    load_matrix("hub:org/big")
    no_hub()
    np.testing.assert_array_equal(load_matrix("hub:org/big").values, table)


def test_a_tensor_that_is_asked_for_is_fetched(served):
    assert load_matrix("hub:org/name", tensor="z.weight").shape == (4 * ROWS, DIM)
    with pytest.raises(InputError, match="no 2-D tensor named 'absent'"):
        load_matrix("hub:org/name", tensor="absent")


def test_a_long_header_is_fetched_whole(hub, tmp_path, write_safetensors, table):
    names = {f"layer.{i}.bias.of.some.length": ("F32", (1,), bytes(4)) for i in range(2000)}
    path = write_safetensors(tmp_path / "x", names | {EMBEDDING: ("F32", (ROWS, DIM), table.tobytes())})
    put(hub, "org/name", {"model.safetensors": path.read_bytes()})
    np.testing.assert_array_equal(load_matrix("hub:org/name").values, table)


def test_bfloat16_is_widened(hub, tmp_path, write_safetensors, table):
    upper = (table.view("<u4") >> 16).astype("<u2")
    path = write_safetensors(tmp_path / "x", {EMBEDDING: ("BF16", table.shape, upper.tobytes())})
    put(hub, "org/name", {"model.safetensors": path.read_bytes()})
    np.testing.assert_allclose(load_matrix("hub:org/name").values, table, rtol=1e-2)


def test_vocab_txt_names_rows_where_there_is_no_tokenizer_json(hub, model):
    put(hub, "org/name", {"model.safetensors": model, "vocab.txt": b"".join(b"w%d\n" % i for i in range(ROWS - 3))})
    put(hub, "org/name", {"added_tokens.json": json.dumps({"<new>": ROWS - 2}).encode(), "config.json": b"{}"})
    assert load_matrix("hub:org/name").tokens[-4:] == (f"w{ROWS - 4}", f"row {ROWS - 3}", "<new>", f"row {ROWS - 1}")


def test_a_model_without_a_tokenizer_is_not_asked_twice(hub, model):
    put(hub, "org/name", {"model.safetensors": model})
    assert not load_matrix("hub:org/name").has_tokens
    hub.requests.clear()
    load_matrix("hub:org/name")
    assert len(hub.requests) == 1


def test_the_config_is_fetched_when_it_is_asked_for_and_kept(served, no_hub):
    assert config_folder("hub:org/name") is None
    load_matrix("hub:org/name")
    assert config_folder("hub:org/name") is None
    put(served, "org/name", {"config.json": b"{}"})
    assert (config_folder("hub:org/name") / "config.json").read_bytes() == b"{}"
    no_hub()
    assert (config_folder("hub:org/name") / "config.json").is_file()


def test_weights_under_another_name_are_found_in_the_list(hub, model, table):
    put(hub, "org/name", {"0_StaticEmbedding/model.safetensors": model})
    listing = {"siblings": [{"rfilename": "README.md"}, {"rfilename": "0_StaticEmbedding/model.safetensors"}]}
    hub.files["/api/models/org/name/revision/main"] = json.dumps(listing).encode()
    np.testing.assert_array_equal(load_matrix("hub:org/name").values, table)


def test_a_connection_that_breaks_is_taken_up_where_it_broke(served, table):
    served.break_after = [64 << 10] * 3
    np.testing.assert_array_equal(load_matrix("hub:org/name").values, table)
    assert served.sent <= TENSOR_BYTES + (64 << 10) + len(TOKENIZER) + SLACK


def test_a_connection_that_keeps_breaking_is_told(served, tmp_path):
    served.break_after = [65536, 1000, 0, 0, 0]
    with pytest.raises(InputError, match=r"connection broke after 66\.5 KB of 512 KB"):
        load_matrix("hub:org/name")
    assert not list((tmp_path / "cache").rglob("*.part"))
    assert load_matrix("hub:org/name").shape == (ROWS, DIM)


def test_a_server_that_knows_no_ranges_is_refused_where_the_file_is_large(served, monkeypatch):
    served.ranges = False
    monkeypatch.setattr(http_ranges, "WHOLE_LIMIT", 100_000)
    with pytest.raises(InputError, match="does not send parts of files"):
        load_matrix("hub:org/name")


def test_a_server_that_knows_no_ranges_serves_small_files(served, table):
    served.ranges = False
    np.testing.assert_array_equal(load_matrix("hub:org/name").values, table)


def test_an_unknown_model_is_told(hub):
    hub.refusals["/org/none/resolve/main/model.safetensors"] = (404, "RepoNotFound")
    hub.refusals["/org/hidden/resolve/main/model.safetensors"] = (401, "RepoNotFound")
    for name in ("org/none", "org/hidden", "org/unlisted"):
        with pytest.raises(InputError, match=f"no model {name}, or it is private; check the name, or set HF_TOKEN"):
            load_matrix(f"hub:{name}")


def test_an_unknown_revision_is_told(hub):
    hub.refusals["/org/name/resolve/v9/model.safetensors"] = (404, "RevisionNotFound")
    with pytest.raises(InputError, match="has no revision 'v9'"):
        load_matrix("hub:org/name@v9")


@pytest.mark.parametrize("status", [401, 403])
def test_a_gated_model_is_told(hub, status):
    hub.refusals["/org/name/resolve/main/model.safetensors"] = (status, "GatedRepo")
    with pytest.raises(InputError, match="is gated or private"):
        load_matrix("hub:org/name")


def test_a_model_without_safetensors_is_told(hub):
    hub.files["/api/models/org/name/revision/main"] = b'{"siblings": [{"rfilename": "pytorch_model.bin"}]}'
    with pytest.raises(InputError, match="has no safetensors file; download the model"):
        load_matrix("hub:org/name")


def test_no_network_and_no_cache_is_told(no_hub):
    no_hub()
    with pytest.raises(InputError, match=r"not in the cache and cannot be fetched: .* cannot be reached"):
        load_matrix("hub:org/name")


def test_a_server_in_trouble_is_told(hub):
    hub.refusals["/org/name/resolve/main/model.safetensors"] = (503, "")
    with pytest.raises(InputError, match="answers 503; try again later"):
        load_matrix("hub:org/name")


@pytest.mark.parametrize("endpoint", ["not an address", "http://127.0.0.1:99999", "http://[::1"])
def test_a_bad_endpoint_is_told(hub, monkeypatch, endpoint):
    monkeypatch.setenv("HF_ENDPOINT", endpoint)
    with pytest.raises(InputError, match="cannot be reached"):
        load_matrix("hub:org/name")


@pytest.mark.parametrize("name", ["", "a/b/c", "../x", "org/..", "org/na me", "org/name@", "org/name@../x", "a\n/b"])
def test_what_is_no_models_name_is_refused(name):
    with pytest.raises(InputError, match="is not a model's name"):
        load_matrix(f"hub:{name}")


@pytest.mark.parametrize("body", [b"", b"<html>no</html>", b"\xff" * 200, bytes(200)])
def test_a_file_that_is_no_model_is_refused(hub, body):
    put(hub, "org/name", {"model.safetensors": body})
    with pytest.raises(InputError):
        load_matrix("hub:org/name")


def test_a_cache_that_cannot_be_written_names_the_setting(served, tmp_path, monkeypatch):
    (tmp_path / "occupied").write_text("a file")
    monkeypatch.setenv("FLATLAND_CACHE", str(tmp_path / "occupied"))
    with pytest.raises(InputError, match="set FLATLAND_CACHE"):
        load_matrix("hub:org/name")


def test_a_damaged_cache_is_fetched_anew(served, tmp_path, table):
    load_matrix("hub:org/name")
    for path in (tmp_path / "cache").rglob("*.json"):
        path.write_text("{")
    np.testing.assert_array_equal(load_matrix("hub:org/name").values, table)
