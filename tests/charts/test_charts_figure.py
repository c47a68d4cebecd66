"""What all charts share."""

import subprocess
import sys


def test_a_method_that_was_added_gets_a_colour_of_its_own():
    code = (
        "from compress.methods import METHODS, SVD\n"
        "METHODS |= {'one_more': SVD, 'another': SVD}\n"
        "from compress.charts.figure import METHOD_COLOURS\n"
        "print(METHOD_COLOURS.keys() == METHODS.keys(), len(set(METHOD_COLOURS.values())) == len(METHODS))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["True", "True"]
