"""The id that the broker's storage is formatted with."""

from __future__ import annotations

import base64
import uuid

import pytest

from local_stack.broker import broker


def test_it_is_a_uuid_that_no_tool_takes_for_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = iter([uuid.UUID(bytes=b"\xf8" + bytes(15)), uuid.UUID(bytes=b"\x01" * 16)])
    monkeypatch.setattr(broker.uuid, "uuid4", lambda: next(ids))  # type: ignore[attr-defined]
    found = broker._new_cluster_id()
    assert base64.urlsafe_b64decode(found + "==") == b"\x01" * 16
