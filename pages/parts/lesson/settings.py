"""What the lesson can be set to: where it stands, and what each scene asks for."""

import streamlit as st

from compress.lesson.bits import BITS
from compress.lesson.flats import MOST_J, MOST_K
from compress.lesson.outlier import FARTHEST
from pages.parts.controls import Choice, Real, Switch, Whole, Words
from pages.parts.lesson.state import BOUNDS, HELD, LINKED, TITLE, before, lesson_of, linked
from pages.parts.settings import Screen

PLACED, LEARNT = "Placed by you", "Learnt"


class LessonScreen(Screen):
    title, page = TITLE, "pages/lesson.py"

    flats_k = Whole("lesson_flats_k", 1, MOST_K, 3)
    flats_j = Whole("lesson_flats_j", 1, MOST_J, 2)
    distance = Real("lesson_outlier_distance", 0.0, FARTHEST, 10.0, 1)
    p = Real("lesson_outlier_p", 1.0, 2.0, 1.0, 2)
    guess = Real("lesson_guess", 0.0, 1.0, 0.5, 3)
    told = Switch("lesson_told")
    lines = Choice("lesson_lines", (PLACED, LEARNT), PLACED)
    angle1 = Whole("lesson_angle1", 0, 179, 10)  # degrees, a poor choice of lines: the next is the student's
    angle2 = Whole("lesson_angle2", 0, 179, 40)
    angle3 = Whole("lesson_angle3", 0, 179, 70)
    word = Words("lesson_word")

    @property
    def angles(self) -> list[Whole]:
        """Of the lines of a stage, one each."""
        return [self.angle1, self.angle2, self.angle3][:BITS]

    @property
    def keys(self):
        return [*super().keys, *(LINKED + name for name in BOUNDS)]

    def names(self):
        """In its own address it has short names for where it stands, of which Subspaces has one too."""
        return [*self.keys, *(before() + name for name in BOUNDS)]

    def texts(self):
        return super().texts() | self.place(whole=True)

    def place(self, whole: bool) -> dict[str, list[str]]:
        """Where it stands, in its own address by the names that this has."""
        return {key: [text] for key, text in linked(whole).items()}

    def unusual(self, shape):
        placed = linked()
        return {key: texts for key, texts in super().unusual(shape).items() if key not in placed} | self.place(whole=False)

    def take(self, texts):
        super().take(texts)
        named = {name: texts[LINKED + name][-1] for name in BOUNDS if LINKED + name in texts}
        if named:
            st.session_state.setdefault(HELD, lesson_of(named))


LESSON = LessonScreen()
