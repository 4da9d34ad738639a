"""The questions: the files in queries/, and files that the user names."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from analytics.question import Question, QuestionError


def shipped() -> dict[str, Question]:
    folder = resources.files("analytics").joinpath("queries")
    files = sorted(
        (file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name
    )
    return {
        file.name.removesuffix(".sql"): Question(
            file.name.removesuffix(".sql"), file.read_text(encoding="utf-8")
        )
        for file in files
    }


def find(names: str) -> tuple[Question, ...]:
    """The questions with these names.

    `names`: built-in questions or paths of .sql files, separated by commas. Raises QuestionError.
    """
    known = shipped()
    asked = [name.strip() for name in names.split(",") if name.strip()]
    found = [known[name] if name in known else _file(name, known) for name in asked]
    if not found:
        raise QuestionError(f"no question; there are: {', '.join(known)}")
    doubles = sorted({q.name for q in found if sum(other.name == q.name for other in found) > 1})
    if doubles:
        raise QuestionError(f"{doubles[0]} is given twice")
    return tuple(found)


def _file(name: str, known: dict[str, Question]) -> Question:
    if not name.endswith(".sql"):
        raise QuestionError(
            f"no question {name!r}; there are: {', '.join(known)}, or give a .sql file of your own"
        )
    path = Path(name)
    try:
        question = Question(path.stem, path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise QuestionError(f"{name}: {getattr(error, 'strerror', None) or error}") from None
    if not question.writes:
        raise QuestionError(f"{name}: no statement begins with INSERT INTO, so it would write no answer")
    return question
