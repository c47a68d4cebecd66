"""One epoch of retraining for the pruned network of the page, on pictures that are neither judged on nor measured on."""

import streamlit as st
from torch import nn

from compress import pruning
from compress.errors import Step
from pages.parts.filters.fits import pruned
from pages.parts.filters.network import Subject
from pages.parts.filters.settings import Pruning
from pages.parts.filters.work import TURNS, Background
from pages.parts.say import refused

POLL = 1.0  # seconds between looks


def retraining(subject: Subject, setting: Pruning) -> None:
    """A button, then how far it is, then what came of it."""
    if subject.labels is None or subject.quick:  # without classes there is nothing to learn; the digits have curves of it
        return
    if subject.learn is None:
        st.caption("Retraining needs more pictures: those that are not judged on and not for sensitivities are learned from.")
        return
    held = st.session_state.setdefault("filters_retrainings", {})
    work = held.get((subject.key, setting))
    if work is None or (not work.running and work.result is None and work.error is None):
        n = len(subject.learn[0])
        if st.button(
            f"Retrain this network for one epoch, on {n:,} other pictures", key="retrain", icon=":material/model_training:"
        ):
            for other in held.values():
                other.stop()
            held.clear()  # one at a time
            smaller = pruned(subject, setting).network
            held[subject.key, setting] = Background(lambda tell: retrained(subject, smaller, setting.seed, tell))
            st.rerun()
        return
    if work.running:
        st.fragment(watched, run_every=POLL)(work)
    elif work.error:
        refused(work.error)
    else:
        before = pruned(subject, setting).loss.accuracy
        st.markdown(f"After one epoch of retraining this network reaches {work.result:.1%}, one shot {before:.1%}.")


def watched(work: Background) -> None:
    if not work.running:
        st.rerun()
    step = work.told[-1] if work.told else Step(0.0, "first step")
    with st.container(horizontal=True, vertical_alignment="center", key="job_retrain"):
        st.progress(step.share, f"Retraining, {step.words} …")
        st.button("Stop", key="stop_retrain", icon=":material/stop:", on_click=work.stop)


def retrained(subject: Subject, network: nn.Module, seed: int, tell) -> float:
    """The accuracy on the judged pictures."""
    with TURNS.together():
        network = pruning.retrained(network, *subject.learn, seed=seed, progress=tell)
        return pruning.accuracy(network, subject.judge, subject.labels)
