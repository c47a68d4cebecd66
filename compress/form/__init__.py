"""What is stored of a compressed matrix: its arrays, its file, its layer, and its error figures."""
