"""What brings a model with a compressed table back: measuring, healing, fine-tuning, comparing."""
