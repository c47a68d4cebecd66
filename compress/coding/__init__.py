"""Numbers to bits, and back: packed words, rounded factors, classes of rows, trellis codes."""
