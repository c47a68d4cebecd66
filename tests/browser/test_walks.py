"""Five people's walks through the app: what they open, fit and export decodes in a bare Python, and every figure that they were
shown on the way is what numpy finds."""

import csv
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from playwright.sync_api import expect
from safetensors.numpy import load_file

from compress import METHODS
from compress.export import NAMES
from compress.lesson import flats as lesson
from compress.models.open import quiet
from compress.sources import planted

ROOT = Path(__file__).parents[2]
DIGITS = 0.0052  # of itself, what three significant digits may be off
HEADER = 4096  # bytes
RUN = """
import contextlib, importlib.util, json, os, sys
import numpy as np, torch
assert importlib.util.find_spec("compress") is None
sys.path.insert(0, "")
for line in sys.stdin:
    folder, blocks, wanted = json.loads(line)
    os.chdir(folder)
    sys.modules.pop("load", None)
    found = {}
    with torch.no_grad(), contextlib.redirect_stdout(sys.stderr):
        for block in blocks:
            exec(block, found)
        np.save("given.npy", eval(wanted, found).numpy())
    print("done", flush=True)
"""


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """`bare(folder, wanted, blocks=1)` runs the first blocks of an exported folder's card as they are printed, beside them, and
    gives what an expression is then: all in one Python that this project is out of reach of."""
    errors = tmp_path_factory.mktemp("bare") / "errors.txt"
    with errors.open("w") as out:
        environment = {"PYTHONPATH": str(ROOT), "PATH": "", "OMP_NUM_THREADS": "1"}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": out, "text": True}
        python = subprocess.Popen([sys.executable, "-I", "-c", RUN], env=environment, **pipes)

    def ask(folder, wanted, blocks=1):
        card = [block.split("```")[0] for block in (folder / "README.md").read_text().split("```python\n")[1:]]
        print(json.dumps([str(folder), card[:blocks], wanted]), file=python.stdin, flush=True)
        assert python.stdout.readline() == "done\n", errors.read_text()
        return np.load(folder / "given.npy")

    yield ask
    python.stdin.close()
    python.wait()
    python.stdout.close()


@pytest.fixture
def taken(downloaded, bare, tmp_path):
    """`taken(page)` downloads what Export offers: the file, the folder, and what this decodes to."""

    def take(page):
        file, archive = downloaded(page, "Download"), downloaded(page, "Folder (.zip)")
        folder = tmp_path / archive.stem
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(tmp_path)
        assert sorted(each.name for each in folder.iterdir()) == sorted(NAMES)
        assert stored(file) == stored(folder / "embedding.safetensors")
        n = int(re.search(r"table of ([\d,]+) rows", (folder / "README.md").read_text())[1].replace(",", ""))
        return file, folder, bare(folder, f"layer(torch.arange({n}))")

    return take


def stored(path):
    """Bytes of the arrays that a safetensors file holds."""
    content = path.read_bytes()
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:end])
    header.pop("__metadata__", None)
    n_bytes = sum(last - first for first, last in (each["data_offsets"] for each in header.values()))
    assert n_bytes == len(content) - end and end <= HEADER
    return n_bytes


def number(text):
    """The number that a card's text begins with, bytes and not KB."""
    amount, unit = re.search(r"(\d[\d,]*(?:\.\d+)?(?:e-?\d+)?)\s*(KB|MB|)", text).groups()
    return float(amount.replace(",", "")) * {"": 1, "KB": 1e3, "MB": 1e6}[unit]


def lost(values, decoded, weights=1.0):
    """Σwᵢ‖aᵢ − bᵢ‖² / Σwᵢ‖aᵢ‖²."""
    apart, values = values.astype(float) - decoded, values.astype(float)
    return (weights * (apart**2).sum(1)).sum() / (weights * (values**2).sum(1)).sum()


def entropy_rank(sizes):
    """exp of the entropy of the shares."""
    shares = sizes / sizes.sum()
    return np.exp(-(shares * np.log(shares)).sum())


def svd_errors(values, weights, n_bytes):
    """By brute force the error of SVD by setting: at every precision with every j that so many bytes can hold."""
    (n, d), root = values.shape, np.sqrt(weights)[:, None]
    axes = np.linalg.svd(root * values.astype(float), full_matrices=False)[2]
    found = {}
    for name, bits in (("float32", 32), ("float16", 16), ("int8", 8), ("int4", 4)):
        for j in range(1, d + 1):
            row, basis = (j * bits // 8, j * d * bits // 8) if bits > 8 else ((j * bits + 7) // 8, j * d + 4 * j)
            if n * row + basis <= n_bytes:
                found[f"SVD, j = {j}, {name}"] = lost(values, low_rank(values, root, axes[:j], bits), weights)
    return found


def low_rank(values, root, axes, bits):
    """The rows projected on axes (j, d), as stored; at 8 and 4 bits on the grids that round least, with the basis fitted again."""
    numbers = values @ axes.T
    if bits == 32:
        return numbers @ axes
    if bits == 16:
        return numbers.astype(np.float16).astype(float) @ axes.astype(np.float16)
    most = 2 ** (bits - 1) - 1
    grids = [np.abs(numbers).max(0) * end / most for end in np.linspace(0.3, 1, 15)]
    codes = [np.clip(np.rint(numbers / grid), -most, most) for grid in grids]
    best = np.argmin([((code * grid - numbers) ** 2).sum(0) for code, grid in zip(codes, grids, strict=True)], axis=0)
    codes = np.take_along_axis(np.array(codes), best[None, None], axis=0)[0]
    basis = np.linalg.lstsq(root * codes, root * values, rcond=None)[0]
    scales = np.abs(basis).max(1, keepdims=True) / 127
    return codes @ (np.rint(basis / scales) * scales)


def agree(shown, values, decoded, file, weights=None):
    """The cards of a fit tell what numpy finds of the file, of what it decodes to, and of SVD in as many bytes."""
    n_bytes, by = stored(file), np.ones(len(values)) if weights is None else weights
    found = {"Relative error": lost(values, decoded), "Size": n_bytes, "Ratio": 4 * values.size / n_bytes}
    found |= {} if weights is None else {"Weighted error": lost(values, decoded, weights)}
    for label, figure in found.items():
        assert number(shown[label]) == pytest.approx(figure, rel=DIGITS), label
    svd = min(svd_errors(values, by, n_bytes).values())
    assert number(shown["SVD at the same bytes"]) == pytest.approx(svd, rel=0.01)


def spectrum_agrees(shown, values, j, weights=None):
    """The cards of Spectrum at float16 tell what numpy finds of the rows times √wᵢ."""
    by = np.ones(len(values)) if weights is None else weights
    sigma = np.linalg.svd(np.sqrt(by)[:, None] * values.astype(float), compute_uv=False)
    kept, n_bytes = (sigma[:j] ** 2).sum() / (sigma**2).sum(), 2 * j * sum(values.shape)
    assert number(shown["Kept energy"]) == pytest.approx(100 * kept, abs=0.051)
    found = {"Effective rank": entropy_rank(sigma), "Size": n_bytes, "Ratio": 4 * values.size / n_bytes}
    found["Relative error" if weights is None else "Weighted error"] = 1 - kept
    for label, figure in found.items():
        assert number(shown[label]) == pytest.approx(figure, rel=DIGITS), label
    return sigma


def near_flats(n, d, k=3, j=5, seed=0, noise=0.1):
    return planted(n_rows=n, k=k, j=j, dim=d, noise=noise, outliers=0.0, seed=seed)[0]


def explained(page, label):
    """What the question mark of a card says."""
    return page.locator(".card").filter(has_text=label).locator(".help").get_attribute("aria-label")


def fitted(page, settle):
    """Waits for the full fit to take the preview's place."""
    page.get_by_test_id("stCaptionContainer").filter(has_text=re.compile("Full fit")).wait_for(timeout=60_000)
    settle(page)


def ready(page, settle):
    page.get_by_role("button", name="Folder (.zip)").wait_for(timeout=60_000)
    settle(page)


def test_an_engineer_takes_her_models_table_and_the_model_comes_back_as_small_as_promised(
    visit, app, settle, slide, go, figures, taken, bare, tmp_path, monkeypatch
):
    torch.manual_seed(0)
    sizes = {"vocab_size": 600, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1, "num_attention_heads": 4}
    config = transformers.LlamaConfig(**sizes, tie_word_embeddings=True, initializer_range=0.3)
    stories = tmp_path / "stories"
    with quiet():
        transformers.LlamaForCausalLM(config).save_pretrained(stories)
    values = load_file(stories / "model.safetensors")["model.embed_tokens.weight"]

    page = visit(f"{app}/?matrix={stories}&j=8&k=3&flat_j=6&restarts=2&layout=PCA")
    slide(page, "Dimension j of the subspace", "j=9")
    spectrum_agrees(figures(page), values, 9)
    go(page, "Subspaces")
    fitted(page, settle)
    shown = figures(page)
    go(page, "Export")
    ready(page, settle)
    assert figures(page) == shown  # it opens on what was looked at last
    file, folder, decoded = taken(page)
    agree(shown, values, decoded, file)
    told = page.get_by_test_id("stCaptionContainer").filter(has_text="LlamaForCausalLM then takes").inner_text()
    after, before = (int(each.replace(",", "")) for each in re.findall(r"takes ([\d,]+) bytes instead of ([\d,]+)", told)[0])
    assert before - after == values.nbytes - stored(file)

    with quiet(), torch.no_grad():
        model = transformers.LlamaForCausalLM.from_pretrained(stories)
        model.get_input_embeddings().weight.copy_(torch.from_numpy(decoded))
        expected = model(torch.arange(40)[None]).logits.numpy()
        (folder / "stories").symlink_to(stories)
        apart = bare(folder, "model(torch.arange(40)[None]).logits", blocks=2) - expected
        printed = next(text for text in page.get_by_test_id("stCode").all_inner_texts() if "swap_embedding" in text)
        monkeypatch.chdir(tmp_path)
        exec(printed, found := {})
        beside = found["model"](torch.arange(40)[None]).logits.numpy() - expected
    assert max(np.abs(apart).max(), np.abs(beside).max()) < 1e-5
    for there in (folder, tmp_path):
        saved = [sum(each.stat().st_size for each in of.glob("*.safetensors")) for of in (stories, there / "smaller")]
        assert abs(saved[0] - saved[1] - (before - after)) < HEADER

    go(page, "Model quality")
    own = ("Recall@", "To rescore")
    assert {name: value for name, value in figures(page).items() if not name.startswith(own)}.items() <= shown.items()
    told = page.get_by_test_id("stCaptionContainer").filter(has_text="nearest are kept").inner_text()
    row, kept, count, moved = map(int, re.search(r"row (\d+): (\d+) of its (\d+) nearest are kept, (\d+) of them", told).groups())
    tables = [each / np.linalg.norm(each, axis=1, keepdims=True) for each in (values, decoded)]
    one, other = ([int(each) for each in np.argsort(-table @ table[row]) if each != row][:10] for table in tables)
    assert (count, kept) == (10, len({*one} & {*other}))
    assert moved == sum(each in other and other.index(each) != place for place, each in enumerate(one))
    assert float(told.rsplit(" ", 1)[1].rstrip(".")) == pytest.approx(tables[0][row] @ tables[1][row], abs=6e-4)


def test_a_lecturer_steps_to_the_flats_and_finds_them_again_in_the_toy(visit, app, settle, slide, go, figures, copied, taken):
    page = visit(f"{app}/lesson?matrix=toy&scene=1&seed=0&step=17&k=4&flat_j=3&restarts=2&layout=PCA&robust_j=6")
    page.locator(".st-key-lesson_next button").click()
    page.wait_for_url(re.compile(r"step=18\b"))
    settle(page)
    page.locator(".st-key-lesson_costs .js-plotly-plot .xtick").first.wait_for()
    costs, *_, svd, best = page.evaluate("""() => {
      const traces = document.querySelector('.st-key-lesson_costs .js-plotly-plot')._fullData;
      return traces.map(trace => [...trace.y]);
    }""")
    sigma = np.linalg.svd(lesson.points().values.astype(float), compute_uv=False)
    assert svd[0] == pytest.approx(sigma[2] ** 2 / (sigma**2).sum(), rel=1e-5)
    assert costs == sorted(costs, reverse=True) and best[0] <= costs[-1] < svd[0] / 10

    values, labels = planted()
    go(page, "Subspaces")
    fitted(page, settle)
    shown = figures(page)
    go(page, "Export")
    ready(page, settle)
    file, _, decoded = taken(page)
    agree(shown, values, decoded, file)
    for flat in range(4):
        sigma = np.linalg.svd(decoded[labels == flat].astype(float), compute_uv=False)
        assert (sigma[3:] ** 2).sum() < 1e-3 * (sigma**2).sum()  # all of its rows lie in one subspace of three directions
    assert lost(values[labels >= 0], decoded[labels >= 0]) < 5e-3

    go(page, "Robustness")
    fitted(page, settle)
    shown = figures(page)
    other = visit(copied(page))
    assert figures(other) == shown and other.title() == page.title()
    page.keyboard.press("Escape")
    go(page, "Export")
    ready(page, settle)
    _, _, decoded = taken(page)
    axes = np.linalg.svd(values.astype(float), full_matrices=False)[2][:6]
    for suffix, form in (("", decoded), (", SVD", low_rank(values, np.ones((len(values), 1)), axes, 16))):
        rows = ((values - form) ** 2).sum(1) / (values.astype(float) ** 2).sum(1)
        found = {"ℓ1 error": np.abs(values - form).sum() / np.abs(values).sum(), "Relative error": lost(values, form)}
        for label, figure in (found | {"Median row's error": np.median(rows)}).items():
            assert number(shown[label + suffix]) == pytest.approx(figure, rel=DIGITS), label + suffix


def test_a_student_reads_every_card_of_her_word_vectors_and_a_preview_keeps_its_word(
    visit, app, settle, go, figures, card, taken, tmp_path
):
    values = near_flats(5000, 40, k=12, j=12, noise=0.3)
    words = [f"word{row}" for row in range(len(values))]
    lines = (" ".join([word, *map(repr, row)]) for word, row in zip(words, values.tolist(), strict=True))
    (tmp_path / "vectors.txt").write_text("\n".join(lines) + "\n")
    page = visit(f"{app}/?matrix={tmp_path / 'vectors.txt'}&j=12&hash_bits=112&hash_stages=8&budget_ratio=10")
    sigma = spectrum_agrees(figures(page), values, 12)
    assert number(explained(page, "Effective rank").rsplit(" is ")[-1]) == pytest.approx(entropy_rank(sigma**2), rel=DIGITS)
    assert number(explained(page, "Size")) == 2 * 12 * (5000 + 40)

    go(page, "Hash codes")
    shown = page.locator(".card").filter(has_text="Relative error")
    expect(shown).to_contain_text(re.compile(r"≈ [\d.e-]+\s*± [\d.e-]+"))
    preview, spread = map(number, re.search(r"≈ ([\d.e-]+)\s*± ([\d.e-]+)", shown.inner_text()).groups())
    fitted(page, settle)
    full = number(card(page, "Relative error").inner_text())
    assert abs(preview - full) <= spread + 0.001
    before = figures(page)
    page.locator(".st-key-pin_hash").get_by_role("button", name="Pin", exact=True).click()
    pinned = page.locator(".st-key-pinned_0").get_by_test_id("stMarkdown").inner_text().removeprefix("keep").strip()

    go(page, "Trade-offs")
    beside = page.locator(".st-key-cards").locator(".card").filter(has_text="LightToken").inner_text()
    go(page, "Export")
    ready(page, settle)
    file, _, decoded = taken(page)
    agree(before, values, decoded, file)
    cosines = (values * decoded).sum(1) / np.linalg.norm(values, axis=1) / np.linalg.norm(decoded, axis=1)
    assert number(before["Mean cosine"]) == pytest.approx(cosines.mean(), abs=6e-4)
    assert number(before["Bits a row"]) == pytest.approx(8 * stored(file) / len(values), rel=1e-3)
    svd = min(svd_errors(values, np.ones(len(values)), stored(file)).values())
    assert pinned in beside and before["Relative error"] in beside
    change = float(re.search(r"([+−-][\d.]+)%", beside)[1].replace("−", "-"))
    assert change == pytest.approx(100 * (lost(values, decoded) / svd - 1), abs=1)


def test_an_analyst_uploads_her_rows_and_their_weights_and_a_reload_keeps_both(visit, app, settle, go, figures, taken, tmp_path):
    rng = np.random.default_rng(5)
    values, weights = near_flats(300, 24), rng.pareto(1.5, 300) + 0.1
    names = [f"customer {row}" for row in range(300)]
    with (tmp_path / "customers.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["name", *range(24)], *([name, *row] for name, row in zip(names, values, strict=True))])
    with (tmp_path / "orders.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["name", "orders", "returns"], *zip(names, weights, rng.integers(0, 9, 300), strict=True)])

    page = visit(f"{app}/?matrix=toy&j=6&k=3&flat_j=4&restarts=2&layout=PCA")
    page.get_by_role("combobox", name="Matrix").click()
    page.get_by_role("option", name="Upload a file").click()
    page.locator('input[type="file"]').first.set_input_files(tmp_path / "customers.csv")
    page.get_by_text("customers.csv · 300 × 24").wait_for()
    settle(page)
    page.get_by_role("combobox", name="Row weights").click()
    page.get_by_role("option", name="A column of a file").click()
    settle(page)
    page.locator('.st-key-weights_column_upload input[type="file"]').set_input_files(tmp_path / "orders.csv")
    page.get_by_text("Still in use: uniform weights.").wait_for()
    field = page.get_by_role("textbox", name="Column")
    field.fill("orders")
    field.press("Enter")
    page.get_by_text("300 × 24 · rows weighted").wait_for()
    settle(page)
    weights /= weights.mean()
    spectrum_agrees(figures(page), values, 6, weights)

    go(page, "Subspaces")
    fitted(page, settle)
    go(page, "Export")
    ready(page, settle)
    shown = figures(page)
    page.reload()
    ready(page, settle)
    expect(page.get_by_text("customers.csv · 300 × 24 · rows weighted")).to_have_count(1)
    assert figures(page) == shown
    file, _, decoded = taken(page)
    agree(shown, values, decoded, file, weights)


def test_a_person_who_compares_gets_the_front_the_advice_and_the_same_figures_by_the_command_line(
    visit, app, settle, go, figures, downloaded, taken, tmp_path
):
    values = near_flats(400, 24)
    np.save(tmp_path / "rows.npy", values)
    page = visit(f"{app}/tradeoffs?matrix={tmp_path / 'rows.npy'}&budget_ratio=8")
    page.get_by_role("button", name=re.compile("^Fit k subspaces at ")).click()
    page.get_by_text("Every setting of the sweep is fitted.").wait_for(timeout=90_000)
    settle(page)
    page.get_by_text("All settings as a table").click()
    settle(page)
    rows = list(csv.DictReader(downloaded(page, "Download as CSV").open()))
    points = {each["setting"]: (int(each["n_bytes"]), float(each["error"])) for each in rows}
    known = svd_errors(values, np.ones(400), np.inf)
    assert len(points) == len(rows) and {name for name in known if "float" in name} <= {*points}
    for name in {*points} & {*known}:
        assert points[name][1] == pytest.approx(known[name], rel=0.01, abs=1e-5)
    best = {}
    for n_bytes, error in sorted(points.values()):
        if error < min(best.values(), default=np.inf):
            best[n_bytes] = error
    drawn = page.evaluate("""() => {
      const front = document.querySelector('.st-key-tradeoffs .js-plotly-plot')._fullData.find(trace => trace.name === 'front');
      return [...front.x].map((x, at) => [x, front.y[at]]);
    }""")
    assert dict(sorted(map(tuple, drawn))) == pytest.approx(best)
    shown = figures(page)
    within = {name: error for name, (n_bytes, error) in points.items() if n_bytes <= values.nbytes / 8}
    for method in ("SVD", "k subspaces"):
        name = min((name for name in within if name.startswith(method)), key=within.get)
        assert number(shown[name]) == pytest.approx(within[name], rel=DIGITS)

    page.get_by_test_id("stPopover").filter(has_text="Methods").get_by_role("button").click()
    for method in METHODS.values():
        if not method.combines and method.name not in ("svd", "projective", "lp"):
            page.get_by_test_id("stPopoverBody").get_by_text(method.label, exact=True).click()
    page.keyboard.press("Escape")
    settle(page)
    page.get_by_role("button", name="Advise", exact=True).click()
    page.locator(".st-key-advice_cards").wait_for(timeout=60_000)
    settle(page)
    advised = figures(page)
    page.locator(".st-key-pin_advice").get_by_role("button", name="Pin", exact=True).click()
    pinned = page.locator(".st-key-pinned_0").get_by_test_id("stMarkdown").inner_text().removeprefix("keep").strip()
    go(page, "Export")
    page.get_by_role("combobox", name="Setting").click()
    page.get_by_role("option", name=pinned, exact=True).click()
    ready(page, settle)
    shown = figures(page)
    assert {label: advised[label] for label in ("Relative error", "Size", "Ratio")}.items() <= shown.items()
    file, _, decoded = taken(page)
    agree(shown, values, decoded, file)
    assert stored(file) <= values.nbytes / 25
    command = [sys.executable, "-m", "compress", "evaluate", file, "--source", tmp_path / "rows.npy", "--json"]
    told = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)
    cosines = (values * decoded).sum(1) / np.linalg.norm(values, axis=1) / np.linalg.norm(decoded, axis=1)
    found = {"relative_error": lost(values, decoded), "n_bytes": stored(file), "ratio": values.nbytes / stored(file)}
    assert {name: told[name] for name in found} == pytest.approx(found, rel=1e-5)
    assert told["mean_cosine"] == pytest.approx(cosines.mean(), rel=1e-5)
    assert number(advised["Mean cosine"]) == pytest.approx(cosines.mean(), abs=6e-5)
