"""Tables of answers: what a page shows for every value of a setting, computed before a person asks for it."""
