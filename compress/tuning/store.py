"""A SQLite file of finished work, which a kill cannot damage and two processes can write to."""

import sqlite3
from contextlib import closing
from pathlib import Path


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
        with closing(self.open()) as file, file:
            file.execute(f"CREATE TABLE IF NOT EXISTS {self.table}")

    def open(self) -> sqlite3.Connection:
        """The file, which waits for another process that writes to it."""
        return sqlite3.connect(self.path, timeout=30)
