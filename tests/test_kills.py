"""Killed at every step of what it writes, a command leaves what was there before or what it was to write, and can be asked again."""


from small_models import VOCABULARY, tokenizer_with  # noqa: F401

