"""The page frame: theme, matrix picker, pins, navigation, and the address, which names all of it; and what serves it."""

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from compress import InputError
from pages.parts.address.address import address
from pages.parts.cached import keep_apart
from pages.parts.columns import columns_picker
from pages.parts.fits import wish_full
from pages.parts.frame import arrive, no_older_kind
from pages.parts.kept import cache_notice
from pages.parts.link import link_popover, open_link, own, standing, unknown_notice
from pages.parts.live_chart.library.library import found_at, route
from pages.parts.login import let_in, who
from pages.parts.made import demo_maker
from pages.parts.matrix import current_matrix, heading, matrix_picker, unopened_notice
from pages.parts.paths import hide_details
from pages.parts.pins import pins, pins_list
from pages.parts.ready import ready
from pages.parts.say import refused
from pages.parts.screens import bounds_notice, keep_within, look
from pages.parts.served.compressed import Compressed
from pages.parts.served.early import Early
from pages.parts.served.heard import hear_first
from pages.parts.served.unplaced import Unplaced
from pages.parts.visitors import note_visitor
from pages.parts.weights import weights_picker
from pages.parts.work.ahead import take_up, whole_run, work_toggle

ICON = str(Path(__file__).parent / "docs" / "icon.png")
OF_THEIR_OWN = ("Filters", "Lesson")  # pages that look at something else than the matrix


def frame() -> None:
    hide_details()
    let_in()
    pages = [
        st.Page("pages/spectrum.py", title="Spectrum", icon=":material/show_chart:", default=True),
        st.Page("pages/subspaces.py", title="Subspaces", icon=":material/scatter_plot:"),
        st.Page("pages/robustness.py", title="Robustness", icon=":material/shield:"),
        st.Page("pages/hash_codes.py", title="Hash codes", icon=":material/tag:"),
        st.Page("pages/tradeoffs.py", title="Trade-offs", icon=":material/balance:"),
        st.Page("pages/model_quality.py", title="Model quality", icon=":material/fact_check:"),
        st.Page("pages/filters.py", title="Filters", icon=":material/filter_alt:"),
        st.Page("pages/lesson.py", title="Lesson", icon=":material/school:"),
        st.Page("pages/export.py", title="Export", icon=":material/download:"),
    ]
    page = st.navigation(pages)
    note_visitor()
    arrive(page.title)
    open_link()
    title = [page.title, "Flatland"]
    with st.sidebar:
        if page.title not in OF_THEIR_OWN:
            matrix_picker()
            demo_maker()
            columns_picker(current_matrix())
            weights_picker()
            matrix = current_matrix()  # with the weights that were just picked
            keep_within(matrix.shape)
            look(matrix)
            title.insert(0, matrix.name)
        else:
            keep_apart(False)
        pins_list()
        link_popover()
        work_toggle()
        who()
        foot = st.container()
    st.set_page_config(page_title=" · ".join(title), page_icon=ICON, layout="wide")
    cache_notice()
    unopened_notice()
    unknown_notice()
    bounds_notice()
    if page.title not in OF_THEIR_OWN:
        heading(matrix)
    try:
        with whole_run():
            page.run()
            if page.title not in OF_THEIR_OWN:
                wish_full(matrix, pins())
        take_up()
    except InputError as error:  # as of a file that changed while the page read it; the next run opens it as it then is
        refused(error)
    finally:  # also where a page stops early
        with foot:
            address(page.url_path, [each.url_path for each in pages], own(), standing())


if __name__ == "__main__":  # as each session runs this file
    frame()
else:  # as the server opens it, by `streamlit run app.py`
    no_older_kind()
    hear_first()
    base = st.get_option("server.baseUrlPath")
    served = [Middleware(Compressed), Middleware(Early, script=found_at(base), unless=("/export",))]
    served.append(Middleware(Unplaced, script=Path(__file__).resolve()))
    server = st.App(__file__, lifespan=ready, routes=[route(base)], middleware=served)
