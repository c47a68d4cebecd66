"""Which of the tensors that a source offers is its table, and what its rows are called."""
