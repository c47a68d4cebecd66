"""A SQLite file of finished work, which a kill cannot damage and two processes can write to."""

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

REFUSED = {  # by SQLite's codes, what the system says of a file
    sqlite3.SQLITE_FULL: errno.ENOSPC,
    sqlite3.SQLITE_READONLY: errno.EROFS,
    sqlite3.SQLITE_CANTOPEN: errno.EACCES,
    sqlite3.SQLITE_IOERR: errno.EIO,
}


class Store:
    """One table in a SQLite file, made where it is not there; a damaged file is put aside, and a new one begun."""

    table: str  # as CREATE TABLE takes it: its name and its columns

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self.prepare()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):  # locked or not writable: the file itself may be whole
                raise
            self.path.rename(self.path.with_suffix(".damaged"))
            self.prepare()

    def prepare(self) -> None:
        """Makes the table where there is none yet."""
        with self.open() as file:
            file.execute(f"CREATE TABLE IF NOT EXISTS {self.table}")

    @contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        """The file, which waits for another process that writes to it; what is written is kept at the end. Raises OSError where it
        cannot be read or written."""
        try:
            with closing(sqlite3.connect(self.path, timeout=30)) as file, file:
                yield file
        except sqlite3.OperationalError as error:
            number = REFUSED.get(error.sqlite_errorcode & 0xFF)
            if number is None:
                raise
            raise OSError(number, os.strerror(number), str(self.path)) from error
