from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from local_stack.jars import jars


def _lock(folder: Path, content: bytes) -> Path:
    digest = hashlib.sha256(content).hexdigest()
    lock = folder / "jars.lock"
    lock.write_text(f"# comment\n[kafka]\norg.example:thing:1.0 {digest}\n\n[flink]\n")
    return lock


def test_the_shipped_lock_is_complete_and_names_no_host() -> None:
    text = jars.LOCK.read_text()
    assert "://" not in text
    assert len(jars.read_lock("kafka")) > 80
    assert [jar.artifact for jar in jars.read_lock("flink")] == ["flink-sql-connector-kafka"]
    assert all(len(jar.sha256) == 64 for section in ("kafka", "flink") for jar in jars.read_lock(section))


def test_a_cached_jar_with_the_right_sum_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = _lock(tmp_path, b"content")
    cached = tmp_path / "m2" / "org" / "example" / "thing" / "1.0" / "thing-1.0.jar"
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"content")
    monkeypatch.setenv("M2_REPO", str(tmp_path / "m2"))
    monkeypatch.setattr(jars, "read_lock", lambda section: _read(section, lock))
    seen: list[tuple[int, int]] = []

    paths = jars.fetch("kafka", tmp_path / "jars", lambda done, total: seen.append((done, total)))

    assert [path.read_bytes() for path in paths] == [b"content"]
    assert seen == [(1, 1)]
    assert [path.name for path in (tmp_path / "jars").iterdir()] == ["thing-1.0.jar"]

    paths[0].write_bytes(b"")  # cut by a crash
    assert [path.read_bytes() for path in jars.fetch("kafka", tmp_path / "jars", lambda *_: None)] == [
        b"content"
    ]


def test_a_download_with_another_sum_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = _lock(tmp_path, b"content")
    forged = tmp_path / "forged.jar"
    forged.write_bytes(b"something else")
    monkeypatch.setenv("M2_REPO", str(tmp_path / "nothing"))
    monkeypatch.setattr(jars, "read_lock", lambda section: _read(section, lock))
    monkeypatch.setattr(jars, "_download", lambda jar, incoming: forged)

    with pytest.raises(jars.JarError, match="the lock says"):
        jars.fetch("kafka", tmp_path / "jars", lambda done, total: None)

    assert list((tmp_path / "jars").iterdir()) == []


_read = jars.read_lock
