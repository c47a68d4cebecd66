"""What Export, and Model quality with it, can be set to: which of the settings of other screens it takes."""

from pages.parts.controls import Words
from pages.parts.settings import Screen


class Export(Screen):
    title, page = "Export", "pages/export.py"

    setting = Words("export")


EXPORT = Export()
