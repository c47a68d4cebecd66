"""What every scene has around its picture: which scene, which step, which seed, noise, and the way into presenter mode."""

from time import monotonic

import streamlit as st

from pages.parts.lesson.state import MOST_SEED, PLAYING, SCENES, Lesson, current, move

NAMES = ("Flats", "Outlier", "Rank", "Bits", "Token")
DUE = "lesson_due"
PACE = 0.9  # seconds from one step to the next


def scene_picker(lesson: Lesson) -> None:
    st.session_state["lesson_at_scene"] = lesson.scene
    st.segmented_control(
        "Scene",
        range(1, SCENES + 1),
        format_func=lambda scene: f"{scene} {NAMES[scene - 1]}",
        required=True,
        key="lesson_at_scene",
        on_change=picked,
        label_visibility="collapsed",
    )


def picked() -> None:
    stop()
    move(scene=st.session_state["lesson_at_scene"] or current().scene)


def step_buttons(lesson: Lesson, last: int | None) -> None:
    """Previous, Next, Play and Reset, where the scene has steps up to `last`."""
    if last is None:
        return
    playing = bool(st.session_state.get(PLAYING)) and lesson.step < last
    at_end = lesson.step >= last
    st.button(
        "Previous", key="lesson_previous", icon=":material/skip_previous:", disabled=not lesson.step, on_click=go, args=(-1, last)
    )
    st.button("Next", key="lesson_next", icon=":material/skip_next:", disabled=at_end, type="primary", on_click=go, args=(1, last))
    words, icon = ("Pause", ":material/pause:") if playing else ("Play", ":material/play_arrow:")
    st.button(words, key="lesson_play", icon=icon, on_click=stop if playing else play, args=() if playing else (at_end,))
    st.button("Reset", key="lesson_reset", icon=":material/replay:", disabled=not lesson.step, on_click=reset)
    st.markdown(f"Step {lesson.step} of {last}", width="content")
    if playing:
        st.session_state[DUE] = monotonic() + PACE
        clock(last)


def go(way: int, last: int) -> None:
    """A step forward or back; what plays stops."""
    stop()
    move(step=min(max(current().step + way, 0), last))


def play(again: bool) -> None:
    """Steps on its own from here, or from the start where the end was reached."""
    st.session_state[PLAYING] = True
    if again:
        move(step=0)


def stop() -> None:
    st.session_state[PLAYING] = False


def reset() -> None:
    stop()
    move(step=0)


@st.fragment(run_every=PACE / 3)
def clock(last: int) -> None:
    """Takes the next step when it is due."""
    if st.session_state.get(PLAYING) and monotonic() >= st.session_state[DUE]:
        move(step=min(current().step + 1, last))
        st.rerun()


def seed_control(lesson: Lesson, chooses: str | None) -> None:
    """chooses: what another seed changes in the scene; None where nothing, and then there is no control."""
    if chooses is None:
        return
    st.session_state["lesson_at_seed"] = lesson.seed
    st.number_input(
        f"Seed: {chooses}",
        0,
        MOST_SEED,
        key="lesson_at_seed",
        on_change=reseeded,
        width=200 if lesson.presenter else 160,
    )


def reseeded() -> None:
    stop()
    move(seed=int(st.session_state["lesson_at_seed"] or 0), step=0)


def noise_toggle(lesson: Lesson) -> None:
    st.session_state["lesson_at_noise"] = lesson.noise
    st.toggle(
        "Noise?",
        key="lesson_at_noise",
        on_change=lambda: move(noise=bool(st.session_state["lesson_at_noise"])),
        help="The same steps on random data of the same shape: what structure is not.",
    )


def presenter_button(lesson: Lesson) -> None:
    words, icon = ("Leave", ":material/close_fullscreen:") if lesson.presenter else ("Present", ":material/slideshow:")
    st.button(
        words,
        key="lesson_present",
        icon=icon,
        on_click=move,
        kwargs={"presenter": not lesson.presenter},
        help="Large type, no sidebar; ← and → step, 1 to 5 choose a scene.",
    )
