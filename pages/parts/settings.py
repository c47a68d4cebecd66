"""What a screen can be set to, in one record that its controls, the link, Export and clicked points all read.

What only says how work is to be run, such as the sizes of a sweep or the text of a healing, is in no record and in no link: it
stays with the panel that runs the work.
"""

from typing import ClassVar

import streamlit as st

from compress import EmbeddingMatrix, Method
from pages.parts.controls import Setting, Shape
from pages.parts.frame import PAGE


class Screen:
    """The settings of a screen, as attributes, in the order of the link. A screen of a method says which one they make, and how to
    set them to one."""

    title: ClassVar[str]
    page: ClassVar[str]  # its file

    @property
    def named(self) -> dict[str, Setting]:
        """By the names of the attributes."""
        return {name: each for name, each in vars(type(self)).items() if isinstance(each, Setting)}

    @property
    def settings(self) -> list[Setting]:
        return [*self.named.values()]

    @property
    def keys(self) -> list[str]:
        """Its names in a link."""
        return [setting.key for setting in self.settings]

    def held(self, matrix: EmbeddingMatrix) -> Method | None:
        """The method that session and address say now, within what the matrix allows; None for a screen without one."""

    def values(self, method: Method) -> dict[str, object] | None:
        """What the widgets hold for a method, by their keys; None where they cannot show it."""

    def set(self, method: Method) -> bool:
        """Sets the screen to a method, or says that it cannot show it."""
        values = self.values(method)
        st.session_state.update(values or {})
        return values is not None

    def spelled(self, **values) -> dict[str, object] | None:
        """Values of settings, by the names of the attributes, as their widgets hold them; None where one of them cannot."""
        told = {getattr(self, name): value for name, value in values.items()}
        if not all(setting.takes(value) for setting, value in told.items()):
            return None
        return {setting.key: setting.spelled(value) for setting, value in told.items()}

    def texts(self) -> dict[str, list[str]]:
        """What a link says of this screen: every setting that is known, those at their defaults too."""
        here = st.session_state.get(PAGE) == self.title
        return {setting.key: texts for setting in self.settings if (texts := setting.texts(here))}

    def unusual(self, shape: Shape) -> dict[str, list[str]]:
        """The same without what is as usual for a matrix of that shape."""
        usual = {setting.key for setting in self.settings if setting.as_usual(shape)}
        return {key: texts for key, texts in self.texts().items() if key not in usual}

    def texts_elsewhere(self, texts: dict[str, list[str]]) -> dict[str, list[str]]:
        """What the address of another screen says, by its names there."""
        return {self.elsewhere(key): said for key, said in texts.items()}

    def elsewhere(self, key: str) -> str:
        """A name of its address as that of another screen has it."""
        return key

    def names(self) -> list[str]:
        """What in the address of this very page is its own."""
        return self.keys

    def all_names(self) -> list[str]:
        """What an address may say of it, on whichever page."""
        return [*self.names(), *map(self.elsewhere, self.keys)]

    def take(self, texts: dict[str, list[str]]) -> None:
        """Holds what a link says of this screen, until it is looked at."""
        for setting in self.settings:
            for key in (self.elsewhere(setting.key), setting.key):
                if key in texts:
                    setting.take(texts[key])

    def by_short_name(self, texts: dict[str, list[str]]) -> list[str]:
        """Holds what was typed by the short name of a setting, `j` for `flat_j`; gives the names that it took."""
        found = {name: each for name, each in self.named.items() if name in texts and each.key not in texts}
        for name, setting in found.items():
            setting.take(texts[name])
        return [*found]
