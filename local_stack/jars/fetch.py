"""`python -m local_stack.jars.fetch SECTION FOLDER`: the verified jars of jars.lock, for image builds."""

from __future__ import annotations

import sys
from pathlib import Path

from local_stack.jars.jars import fetch

if __name__ == "__main__":
    section, folder = sys.argv[1:]
    for path in fetch(section, Path(folder), lambda done, total: None):
        sys.stdout.write(f"{path}\n")
