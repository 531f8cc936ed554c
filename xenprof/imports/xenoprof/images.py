"""ELF images made of symbol tables, so that reports find names where a debug image would be."""

import os
from pathlib import Path

from hypervisor.elf import write_elf
from xenprof.errors import StoreError
from xenprof.imports.xenoprof.symbols import Text
from xenprof.store.samplefile import write_file


class Images:
    """Writes the image of each text once, and links it wherever else it is wanted."""

    def __init__(self) -> None:
        self._written: dict[Text, Path] = {}

    def install(self, text: Text, path: Path, mtime: float) -> None:
        """Put the image of `text` at `path`. Raises: StoreError."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if (first := self._written.get(text)) is not None:
                try:
                    os.link(first, path)
                    return
                except OSError:
                    pass  # a file system without links gets a copy
            image = write_elf(
                text.functions, text_address=text.start, text_size=text.end - text.start
            )
            write_file(path, image)
            os.utime(path, (mtime, mtime))
        except OSError as error:
            raise StoreError(str(path), f"{path}: {os.strerror(error.errno or 0)}") from error
        self._written.setdefault(text, path)
