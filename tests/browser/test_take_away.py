"""What Export hands over for a tied language model, taken from the page as a person takes it, and run as it is printed."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from playwright.sync_api import expect

import compress
from compress.export import NAMES
from compress.models.open import quiet

ROOT = Path(__file__).parents[2]
RUN = """
import importlib.util, json, sys
from pathlib import Path
sys.path.insert(0, "")
found = {}
for block in json.loads(sys.argv[1]):
    exec(block, found)
print(importlib.util.find_spec("compress") is None, found["model"](torch.arange(40)[None]).logits.tolist(), sep="\\n")
"""


def run(blocks, folder, *options):
    """Whether this project was out of reach, and the logits of the model that the code ends with."""
    command = [sys.executable, *options, "-c", "import torch" + RUN, json.dumps(blocks)]
    done = subprocess.run(command, cwd=folder, env={"PYTHONPATH": str(ROOT), "PATH": ""}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    *_, alone, logits = done.stdout.strip().splitlines()
    return alone == "True", np.array(json.loads(logits))


def downloaded(page, button, folder):
    """The file that one click on a button gives."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name=button).click()
    waiting.value.save_as(folder / waiting.value.suggested_filename)
    return folder / waiting.value.suggested_filename


def size(folder):
    return sum(file.stat().st_size for file in folder.glob("*.safetensors"))


@pytest.fixture
def stories(tmp_path):
    """The folder of a small language model whose output layer is tied to its table."""
    torch.manual_seed(0)
    sizes = {"vocab_size": 600, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1, "num_attention_heads": 4}
    config = transformers.LlamaConfig(**sizes, tie_word_embeddings=True, initializer_range=0.3)
    with quiet():
        transformers.LlamaForCausalLM(config).save_pretrained(tmp_path / "stories")
    return tmp_path / "stories"


def test_what_export_hands_over_works_in_the_whole_model(visit, app, settle, stories, tmp_path):
    page = visit(f"{app}/export?matrix={stories}&j=8")
    file, archive = downloaded(page, "Download", tmp_path), downloaded(page, "Folder (.zip)", tmp_path)
    settle(page)
    expect(page.get_by_text("as a zip.")).to_have_count(1)
    expect(page.get_by_test_id("stCaptionContainer").filter(has_text="LlamaForCausalLM then takes")).to_have_count(1)
    result = compress.load(file)
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(tmp_path)
    folder = tmp_path / archive.stem
    assert sorted(each.name for each in folder.iterdir()) == sorted(NAMES)

    with quiet(), torch.no_grad():
        model = transformers.LlamaForCausalLM.from_pretrained(stories)
        model.get_input_embeddings().weight.copy_(torch.from_numpy(result.reconstruct()))
        expected = model(torch.arange(40)[None]).logits.numpy()
    promise = 4 * 600 * 32 - result.n_bytes
    (folder / "stories").symlink_to(stories)
    card = [block.split("```")[0] for block in (folder / "README.md").read_text().split("```python\n")[1:]]
    printed = next(text for text in page.get_by_test_id("stCode").all_inner_texts() if "swap_embedding" in text)
    for code, there, options in ((card, folder, ["-I"]), ([printed], tmp_path, [])):
        alone, logits = run(code, there, *options)
        assert alone == bool(options)
        np.testing.assert_allclose(logits, expected, rtol=0, atol=1e-5)
        assert abs(size(stories) - size(there / "smaller") - promise) < 4096
