"""Sums over the rows of a matrix, a block of rows at a time, and eigenvalues of what they give."""
