"""Before and after: the same bench in this tree and in an earlier commit, in turns.

Run: python -m bench.compare_commits COMMIT ROUNDS MODULE [ARGUMENTS…], for example
     python -m bench.compare_commits eba035d 3 bench --only generation

Both trees use this environment's packages; the toolkit itself comes from the measured tree.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

_HERE = Path(__file__).resolve().parent.parent


def main() -> None:
    if len(sys.argv) < 4:
        raise SystemExit(__doc__)
    commit, rounds, *command = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="win-event-compare-") as folder:
        earlier = Path(folder) / "tree"
        _git("worktree", "add", "--quiet", "--detach", str(earlier), commit)
        try:
            for number in range(int(rounds)):
                for name, tree in ((commit, earlier), ("this tree", _HERE)):
                    print(f"--- round {number + 1}: {name}", flush=True)
                    _run(tree, command)
        finally:
            _git("worktree", "remove", "--force", str(earlier))


def _git(*words: str) -> None:
    subprocess.run(["git", "-C", str(_HERE), *words], check=True)


def _run(tree: Path, command: list[str]) -> None:
    environment = os.environ | {"PYTHONPATH": f"{tree}:{tree / 'tests'}"}
    subprocess.run([sys.executable, "-m", *command], cwd=tree, env=environment, check=True)


if __name__ == "__main__":
    main()
