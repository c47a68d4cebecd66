"""Models this small gain nothing from a second thread."""

import pytest


@pytest.fixture(autouse=True)
def small_products(one_thread):
    """See `small_models.one_thread`."""
