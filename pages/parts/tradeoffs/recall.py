"""Recall as the measure: what is counted of this matrix, the job that counts the rest, and what vector databases keep."""

import streamlit as st

from compress import EmbeddingMatrix, Method, cache
from compress.tuning import counting
from pages.parts.cached import cached
from pages.parts.kept import again, trials, trials_file, written
from pages.parts.work import jobs
from pages.parts.work.watch import watch

ABOUT = (
    "Of 1,000 rows held out (fewer of large matrices), the share of the ten nearest by cosine that is not among the ten nearest "
    "of the decoded rows. Crosses are what vector databases keep; open ones need the original too, to rescore 100 rows. Other "
    "similarities and queries of your own: Search on Model quality."
)


def recall_line(matrix: EmbeddingMatrix) -> None:
    """How far the count is, or the button that counts what is fitted and not counted yet."""
    missing = uncounted(matrix, written())
    with st.container(horizontal=True, vertical_alignment="center", key="recall_status"):
        if jobs.running("recall"):
            watch("recall", "Recall", redraw=True)
            return
        if missing or not peers_of(matrix):
            st.button(
                f"Count recall of {len(missing)} settings",
                key="count_recall",
                icon=":material/play_arrow:",
                on_click=start,
                args=[matrix],
                help="Fits them anew, the quickest first, and keeps it; what a sweep or Advice fits is counted at once.",
            )
        watch("recall", "Recall", key=matrix.key)
    st.caption(ABOUT)


def start(matrix: EmbeddingMatrix) -> None:
    jobs.run("recall", matrix, out=cache.folder("trials"))


@cached(8)
def uncounted(matrix: EmbeddingMatrix, written: int) -> list[Method]:
    """written: when a trial was kept last."""
    return counting.uncounted(matrix, trials())


def peers_of(matrix: EmbeddingMatrix) -> tuple[tuple[str, int, float], ...]:
    """Names, bytes and recall of other programs' codes, where they are counted."""
    return again(lambda: tuple(counting.PeersKept(trials_file()).of(matrix.digest)))
