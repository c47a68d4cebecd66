"""The cache: what stands in for it, its bound, what killed programs left over, and the command that shows and clears it."""

import json
import os
import time

import pytest

from compress import InputError, cache
from compress.__main__ import main
from compress.files import Temporary, hold, replacing, whole_folder

OLD = time.time() - 2 * 24 * 3600


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("FLATLAND_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(cache, "_stand_ins", {})
    return tmp_path / "cache"


def written(path, size, used):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(size))
    os.utime(path, (used, used))
    return path


def test_a_cache_that_can_be_written_is_in_use(place):
    assert cache.folder("fits") == place / "fits" and cache.lack() is None


def test_a_file_in_its_place_is_told_and_a_folder_in_memory_stands_in(place):
    place.write_text("no folder")
    fits = cache.folder("fits")
    (fits / "a").write_text("kept")
    assert place not in fits.parents and cache.folder("fits") == fits
    assert str(place) in cache.lack() and "cannot be written" in cache.lack() and "set FLATLAND_CACHE" in cache.lack()


def test_a_full_cache_is_told_as_full_and_what_it_holds_is_found_in_what_stands_in(place, monkeypatch):
    written(place / "fits" / "a.safetensors", 100, OLD)
    written(place / "trials" / "trials.sqlite", 100, OLD)
    real = cache.is_full
    monkeypatch.setattr(cache, "is_full", lambda at: place in at.parents or real(at))
    fits = cache.folder("fits")
    assert "is full (No space left on device)" in cache.lack()
    assert (fits / "a.safetensors").read_bytes() == bytes(100)
    assert not (cache.root() / "trials" / "trials.sqlite").is_symlink()
    with replacing(fits / "a.safetensors") as file:
        file.write(b"new")
    assert (fits / "a.safetensors").read_bytes() == b"new" and len((place / "fits" / "a.safetensors").read_bytes()) == 100


@pytest.mark.parametrize("why", ["No space left on device", "Disk quota exceeded", "File too large", "Read-only file system"])
def test_an_error_that_names_the_cache_has_a_folder_stand_in_and_one_that_names_another_place_does_not(place, why):
    assert not cache.refused(f"compress: /data/x.npy: {why}") and cache.lack() is None
    assert not cache.refused(f"compress: {place}/fits/x.safetensors: it is odd") and cache.lack() is None
    assert cache.refused(f"compress: {place}/fits/x.safetensors: {why}") and why in cache.lack()


def test_what_was_used_longest_ago_goes_first_and_nothing_that_is_in_use(place, monkeypatch):
    monkeypatch.setenv("FLATLAND_CACHE_SIZE", "4KB")
    first, second, third, trials = (
        written(place / folder / name, 1000, OLD + at)
        for at, (folder, name) in enumerate([("fits", "a"), ("fits", "b"), ("maps", "c"), ("trials", "trials.sqlite")])
    )
    last = written(place / "fits" / "d", 1000, time.time())
    assert [unit.path for unit in cache.keep_within({str(first)})] == [second]
    cache.use(first)
    monkeypatch.setenv("FLATLAND_CACHE_SIZE", "1KB")
    assert [unit.path for unit in cache.keep_within()] == [third]
    assert first.exists() and last.exists() and trials.exists()


def test_a_model_goes_as_a_whole(place, monkeypatch):
    version = place / "hub" / "org--name" / ("0" * 40)
    written(version / "snapshot.json", 10, OLD)
    written(version / "table.safetensors", 5000, OLD)
    monkeypatch.setenv("FLATLAND_CACHE_SIZE", "5KB")
    assert cache.keep_within({str(version.parent)}) == []
    assert [unit.path for unit in cache.keep_within()] == [version] and not version.exists()


@pytest.mark.parametrize("text", ["much", "0", "-2GB", ""])
def test_a_bound_that_is_no_size_is_refused(place, monkeypatch, text):
    monkeypatch.setenv("FLATLAND_CACHE_SIZE", text)
    with pytest.raises(InputError, match="FLATLAND_CACHE_SIZE must be a size"):
        cache.most()


def test_half_written_files_and_temporary_folders_go_once_old_and_unless_they_are_held(place, tmp_path):
    old = written(place / "fits" / ".a.safetensors.0123abcd.part", 10, OLD)
    young = written(place / "fits" / ".b.safetensors.0123abcd.part", 10, time.time())
    held = written(place / "fits" / ".c.safetensors.0123abcd.part", 10, OLD)
    own = written(place / "fits" / "d.safetensors", 10, OLD)
    left, in_use = tmp_path / "temporary" / "flatland-left", Temporary()
    written(left / "x" / "y", 10, OLD)
    for folder in (left / "x", left, in_use.name):
        os.utime(folder, (OLD, OLD))
    with hold(held):
        cache.tidy()
    assert [path.exists() for path in (old, young, held, own, left)] == [False, True, True, True, False]
    assert os.path.isdir(in_use.name)
    in_use.cleanup()


def test_what_a_killed_export_left_beside_its_target_goes_with_the_next_export_there(tmp_path):
    left = tmp_path / ".model.0123abcd.part"
    written(left / "config.json", 10, OLD)
    os.utime(left, (OLD, OLD))
    young = written(tmp_path / ".y.npy.0123abcd.part", 10, time.time())
    with whole_folder(tmp_path / "other", lambda at: None) as folder:
        (folder / "x").write_text("")
    assert not left.exists() and young.exists()
    os.utime(young, (OLD, OLD))
    with replacing(tmp_path / "z.npy") as file:
        file.write(b"z")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "z.npy"]


def test_the_command_shows_and_clears_the_cache(place, capsys):
    written(place / "fits" / "a", 1500, OLD)
    written(place / "maps" / "b", 500, OLD)
    assert main(["cache", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["folder"] == str(place) and told["bytes"] == 2000 and told["most"] == 2_000_000_000
    assert told["kinds"] == {"fits": {"count": 1, "bytes": 1500}, "maps": {"count": 1, "bytes": 500}}
    assert main(["cache"]) == 0 and "holds 2.00 KB of at most 2.00 GB" in capsys.readouterr().out
    assert main(["cache", "--clear"]) == 0 and "holds 0 bytes" in capsys.readouterr().out
    assert not [path for path in place.rglob("*") if path.is_file()]
