"""What a new server does before anybody comes."""

import sys
from threading import Event

import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.testclient import TestClient

from compress import ProjectiveClustering
from compress.analysis.scatter import shipped_map
from compress.answers import tables
from pages.parts import ready
from pages.parts.matrix import open_matrix
from pages.parts.subspaces import group_names
from pages.parts.subspaces.known import drafts_of_k, known_groups, start_of
from pages.parts.subspaces.settings import SUBSPACES
from pages.parts.tradeoffs import points


def test_what_pages_show_first_is_known_when_a_visitor_comes(open_page, monkeypatch):
    monkeypatch.setattr(ready, "open_matrix", lambda *_: open_matrix("toy", None))
    monkeypatch.setattr(ready, "REST", 0)
    monkeypatch.setattr(ready, "prepare", lambda: None)
    monkeypatch.setattr(ready, "LATER", ("colorsys",))
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    st.cache_resource.clear()
    ready.get_ready()
    assert "colorsys" in sys.modules
    monkeypatch.setattr(points, "gaussian_bound", None)  # to be asked for it again would fail
    monkeypatch.setattr(points, "svd_point", None)
    assert not open_page("tradeoffs").exception


def test_what_ships_for_subspaces_is_read_when_a_visitor_comes(monkeypatch):
    st.cache_resource.clear()
    tables.shipped.cache_clear()
    ready.open_subspaces()
    monkeypatch.setattr(tables, "shipped_path", None)  # to be asked for it again would fail
    matrix = open_matrix("demo", None)
    now = ProjectiveClustering(k=SUBSPACES.k.usual(matrix.shape), j=SUBSPACES.j.usual(matrix.shape))
    known = known_groups(matrix, now, drafts_of_k(matrix, now))
    assert sorted(known) == [*range(1, 33)] and start_of(matrix, now, known).k == now.k
    ready.open_names()
    monkeypatch.setattr(group_names, "hills", None)  # neither
    groups = group_names.groups_id(matrix, group_names.shown_id("UMAP", True), None)
    assert group_names.of_words(group_names.Spoken(groups, shipped_map(matrix), matrix.tokens))


@pytest.mark.parametrize("ahead", [True, False])
def test_a_server_gets_ready_by_itself_unless_nothing_is_to_be_done_ahead(monkeypatch, ahead):
    begun = Event()
    monkeypatch.setattr(ready, "ON", ahead)
    monkeypatch.setattr(ready, "get_ready", begun.set)
    with TestClient(Starlette(lifespan=ready.ready)):
        assert begun.wait(10 if ahead else 0.1) == ahead
