"""Files of tensors: what a model was saved as."""
