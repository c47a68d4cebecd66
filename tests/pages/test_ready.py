"""What a new server does before anybody comes."""

import sys
from threading import Event

import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.testclient import TestClient

from pages.parts import ready
from pages.parts.matrix import open_matrix
from pages.parts.subspaces import found
from pages.parts.tradeoffs import points
from pages.parts.work import ahead, jobs
from pages.parts.work.queue import QUEUE


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
    monkeypatch.setattr(found, "grouping", None)
    assert not open_page("tradeoffs").exception and not open_page("subspaces").exception


def test_what_a_new_server_makes_ahead_is_what_its_first_visitor_wants(open_page, monkeypatch):
    monkeypatch.setattr(ahead, "ON", True)
    monkeypatch.setattr(jobs, "chosen", lambda: ("demo", None))  # toy stands in for it
    monkeypatch.setattr(ready, "open_demo", lambda: open_matrix("toy", None))
    ready.open_subspaces()
    (work,) = QUEUE.jobs
    assert work.ahead and work.running
    page = open_page("subspaces")
    (server, visitor) = QUEUE.sessions
    assert not page.exception and [each.arguments for each in server.wishes.values()] == [
        each.arguments for each in list(visitor.wishes.values())[:2]
    ]


@pytest.mark.parametrize("ahead", [True, False])
def test_a_server_gets_ready_by_itself_unless_nothing_is_to_be_done_ahead(monkeypatch, ahead):
    begun = Event()
    monkeypatch.setattr(ready, "ON", ahead)
    monkeypatch.setattr(ready, "get_ready", begun.set)
    with TestClient(Starlette(lifespan=ready.ready)):
        assert begun.wait(10 if ahead else 0.1) == ahead
