"""Posts over one connection, in a separate process: bench.producer.poster PORT SECONDS BATCH RATE.

It uses a raw socket and a prepared request, because any library's client would need more time than the
server. RATE: events per second, 0 for as fast as possible. Prints [events, seconds, p50, p99] (of a request,
in ms).
"""

from __future__ import annotations

import json
import socket
import sys
import time
from itertools import islice

from producer.events.generator import generate
from producer.events.generator_settings import GeneratorSettings


def request(batch: int) -> bytes:
    """A request with `batch` generated events, marked as posted ones; one event is plain JSON."""
    lines = [
        b'{"posted":true,' + event.line[1:] for event in islice(generate(GeneratorSettings(seed=9)), batch)
    ]
    body, kind = b"".join(lines), b"application/x-ndjson" if batch > 1 else b"application/json"
    head = b"POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n"
    return head % (kind, len(body)) + body


def post(port: int, seconds: float, batch: int, rate: float) -> tuple[int, float, list[float]]:
    """Post; returns the number of accepted events, the total time, and the time of each request."""
    content, taken, times = request(batch), 0, []
    expected = b'"accepted":%d,' % batch
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        begin = now = time.perf_counter()
        while now - begin < seconds:
            if rate and (wait := begin + taken / rate - now) > 0:
                time.sleep(wait)
            sent = time.perf_counter()
            connection.sendall(content)
            answer = connection.recv(65536)
            while b'"end_offset":' not in answer:
                answer += connection.recv(65536) or sys.exit(f"no answer: {answer!r}")
            if expected not in answer:
                sys.exit(f"not accepted: {answer!r}")
            now = time.perf_counter()
            times.append(now - sent)
            taken += batch
    return taken, now - begin, times


if __name__ == "__main__":
    port, seconds, batch, rate = sys.argv[1:]
    taken, took, times = post(int(port), float(seconds), int(batch), float(rate))
    times.sort()
    p50, p99 = (times[int(len(times) * share)] * 1e3 for share in (0.5, 0.99))
    print(json.dumps([taken, took, p50, p99]))
