"""The servers that send lines: `host:port`, several separated by commas."""

from __future__ import annotations

from producer.endpoint import Endpoint, EndpointError, parse_endpoint


def parse_endpoints(hostnames: str, default_port: int) -> tuple[Endpoint, ...]:
    """Parse `a,b:9998,[::1]:9997`; endpoints without a port get the default one. Raises EndpointError."""
    endpoints = tuple(parse_endpoint(word, default_port) for word in hostnames.split(",") if word.strip())
    if not endpoints:
        raise EndpointError("no host: expected HOST or HOST:PORT, several separated by commas")
    for endpoint in endpoints:
        if endpoints.count(endpoint) > 1:
            raise EndpointError(f"{endpoint} is given twice: every line would reach Kafka twice")
    return endpoints
