"""What Export, and Model quality with it, can be set to: which of the settings of other screens it takes."""

from pages.parts.controls import Choice, Words
from pages.parts.settings import Screen


class Export(Screen):
    title, page = "Export", "pages/export.py"

    setting = Words("export")
    importance = Choice("importance", {"None": "none", "The model’s": "model"}, "none")
    importance_text = Words("importance_by")  # the upload that it is measured by, as an address says it


EXPORT = Export()
