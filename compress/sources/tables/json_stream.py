"""JSON read value by value, so that only some of a file is in memory at a time."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from compress.errors import InputError

CHUNK = 1 << 20  # letters
BLANK = " \t\r\n"


class Stream:
    """What stands in a file of JSON, from its beginning on. Raises InputError where it is none."""

    def __init__(self, file: IO[str], name: str):
        self.file, self.name = file, name
        self.text, self.at = "", 0
        self.decode = json.JSONDecoder().raw_decode

    def more(self) -> bool:
        """Reads on; False at the end."""
        part = self.file.read(max(CHUNK, len(self.text) - self.at))
        if part:
            self.text, self.at = self.text[self.at :] + part, 0
        return bool(part)

    def peek(self) -> str:
        """The next letter that is no blank, "" at the end."""
        while True:
            while self.at < len(self.text):
                if self.text[self.at] not in BLANK:
                    return self.text[self.at]
                self.at += 1
            if not self.more():
                return ""

    def take(self, letters: str) -> str:
        """Goes past the next letter, which must be one of these."""
        found = self.peek()
        if not found or found not in letters:
            raise self.damaged()
        self.at += 1
        return found

    def value(self) -> Any:
        """The next value as Python's own."""
        self.peek()
        while True:
            try:
                found, end = self.decode(self.text, self.at)
            except (ValueError, RecursionError) as error:
                if isinstance(error, RecursionError) or not self.more():
                    raise self.damaged() from error
                continue
            if len(self.text) - end < 3 and type(found) in (int, float) and self.more():  # it may go on, after "." or "e-"
                continue
            self.at = end
            return found

    def items(self) -> Iterator[None]:
        """Stands before each value of an array in turn, which must be read before the next."""
        return self.each("[", "]")

    def pairs(self) -> Iterator[str]:
        """The keys of an object; each value must be read before the next."""
        for _ in self.each("{", "}"):
            key = self.value()
            if not isinstance(key, str):
                raise self.damaged()
            self.take(":")
            yield key

    def each(self, begin: str, end: str) -> Iterator[None]:
        """Stands before each entry between two brackets in turn."""
        self.take(begin)
        if self.peek() == end:
            self.at += 1
            return
        while True:
            yield
            if self.take(f",{end}") == end:
                return

    def damaged(self) -> InputError:
        """What is said of a file that is no JSON."""
        return InputError(f"{self.name} is not valid JSON, so it is damaged or cut short; fetch the file again.")


def opened(path: Path) -> IO[str]:
    """The file as letters; bytes that are no UTF-8 are replaced."""
    return open(path, encoding="utf-8-sig", errors="replace", newline="")
