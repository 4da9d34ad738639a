"""Flat events of about 330 bytes, in any number, faster than any reader reads them."""

from __future__ import annotations

from collections.abc import Iterator

HOSTS = 20
_BLOCK = 1000  # ids of one computer in a row

_EVENT = (
    b'{"timestamp":"2026-11-21T09:28:24.%07dZ","level":"Information","source":"Security","event_id":4624,'
    b'"event_type":"Audit Success","record_id":%d,"computer":"%b","provider":'
    b'"Microsoft-Windows-Security-Auditing","task":"Logon","keywords":"0x8020000000000000","process_id":756,'
    b'"thread_id":4242,"data":{"TargetUserName":"m.ito","LogonType":"3"},"message":"Logged on."}\n'
)


def blocks(count: int, hosts: int = HOSTS) -> Iterator[tuple[bytes, bytes]]:
    """Yields (computer, lines).

    `count` events of `hosts` computers, with contiguous ids and increasing times.
    """
    number = 0
    while number < count:
        turn, host = divmod(number // _BLOCK, hosts)
        computer = b"WS-%03d.corp.example" % host
        first = turn * _BLOCK + 1
        ids = range(first, first + min(_BLOCK, count - number))
        yield computer, b"".join(_EVENT % (record_id % 10_000_000, record_id, computer) for record_id in ids)
        number += len(ids)
