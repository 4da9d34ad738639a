"""The four ways to run the pipeline that every fault is tried on, and what each of them promises."""

from __future__ import annotations

from dataclasses import dataclass

# More than the sockets and Kafka's producer hold at the rates used here.
PLAIN_RESUME_BYTES = 128 * 1024 * 1024


@dataclass(frozen=True)
class Mode:
    """Options of the producer, of the job and of the audit; the rest is the promise."""

    name: str
    title: str
    producer: tuple[str, ...] = ()
    job: tuple[str, ...] = ()
    audit: tuple[str, ...] = ()
    lossless: bool = True
    ordered: bool = True
    exactly_once: bool = False

    @property
    def resumes(self) -> bool:
        """Whether the job has its own position in the producer's log."""
        return "socket" not in self.job


MODES = (
    Mode("socket", "socket", job=("--source", "socket"), lossless=False, ordered=False),
    Mode(
        "plain-resume",
        "socket + --plain-resume",
        producer=("--plain-resume", str(PLAIN_RESUME_BYTES)),
        job=("--source", "socket"),
        ordered=False,
    ),
    Mode("auto", "auto"),
    Mode(
        "exactly-once",
        "auto + exactly-once",
        job=("--delivery-guarantee", "exactly-once"),
        audit=("--read-committed", "--exactly-once"),
        exactly_once=True,
    ),
)


def modes_named(names: str) -> tuple[Mode, ...]:
    """`a,b` in the order of MODES; an empty text is all of them. Raises ValueError for an unknown name."""
    wanted = {word.strip() for word in names.split(",") if word.strip()}
    if unknown := wanted - {mode.name for mode in MODES}:
        raise ValueError(
            f"no mode {', '.join(sorted(unknown))}; there are {', '.join(m.name for m in MODES)}"
        )
    return tuple(mode for mode in MODES if not wanted or mode.name in wanted)
