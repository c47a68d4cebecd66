"""Which tokens are written in which scripts, as Unicode has them: Latin, Cyrillic, Han, …"""

from collections.abc import Iterable, Sequence

from compress.errors import InputError

EVERYWHERE = ("Common", "Inherited")  # digits, signs, spaces, emoji, marks over letters: of no script of their own
BROKEN = "\N{REPLACEMENT CHARACTER}"  # what a part of a letter's bytes decodes to, itself of no script


def written_in(texts: Iterable[str], scripts: Sequence[str]) -> list[bool]:
    """Whether each text has letters of these scripts alone, beside what is of none; one that ends within a letter's bytes has at
    least one. Raises InputError for what is no script."""
    import regex

    for script in scripts:
        try:
            regex.compile(rf"\p{{Script={script}}}")
        except regex.error:
            raise InputError(f"{script!r} is no script of Unicode; write Latin, Cyrillic, Han or the like.") from None
    named, others = ("".join(rf"\p{{Script={script}}}" for script in each) for each in (scripts, EVERYWHERE))
    own, letter = regex.compile(f"[{named}{others}]*"), regex.compile(f"[{named}]")
    return [own.fullmatch(text) is not None and (BROKEN not in text or letter.search(text) is not None) for text in texts]
