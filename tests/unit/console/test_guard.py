"""Which requests may read, and which may change something."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from console.web.app import PAGE
from console.web.guard import MAX_BODY, host_name
from kafka_setup.connection.settings import Secret

OWN = {"X-Win-Event-Console": "1"}


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost:8085", "LOCALHOST", "[::1]:9", "localhost.", "127.0.0.1:1"]
)
def test_names_of_this_machine_are_answered(open_console, host: str) -> None:
    assert open_console().get("/api/v1/counts", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "[", "127.1", "0.0.0.0"]
)
@pytest.mark.parametrize("path", ["/", "/api/v1/status", "/openapi.json", "/page/app.js"])
def test_a_name_that_points_here_by_a_trick_is_refused(open_console, host: str, path: str) -> None:
    answer = open_console().get(path, headers={"Host": host})
    assert answer.status_code == 403
    assert "--allow-host" in answer.json()["detail"]


def test_further_names_can_be_allowed(open_console) -> None:
    console = open_console(allowed_hosts=("Console.corp.example",))
    assert console.get("/", headers={"Host": "console.corp.example:443"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://evil.example"},
        OWN | {"Origin": "http://evil.example"},
        OWN | {"Origin": "null"},
        OWN | {"Origin": "http://127.0.0.1:9999"},
        OWN | {"Sec-Fetch-Site": "cross-site"},
        OWN | {"Sec-Fetch-Site": "same-site"},
        {"Content-Type": "text/plain"},
    ],
)
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "producer/start"), ("PUT", "producer/rate"), ("POST", "session")]
)
def test_a_foreign_page_changes_nothing(
    open_console, headers: dict[str, str], method: str, path: str
) -> None:
    assert open_console().request(method, f"/api/v1/{path}", headers=headers).status_code == 403


def test_the_own_page_gets_through_to_the_producer(open_console) -> None:
    console = open_console()
    own = OWN | {"Origin": str(console.base_url).rstrip("/"), "Sec-Fetch-Site": "same-origin"}
    answer = console.put("/api/v1/producer/rate", json={"rate": 5}, headers=own)
    assert answer.status_code == 503  # this producer is away, and that is what is said
    assert "http://127.0.0.1:1/rate" in answer.json()["detail"]
    assert answer.headers["Retry-After"]


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"x" * (MAX_BODY + 1), {}, 413),
        (b'{"rate":1}', {"Content-Type": "text/plain"}, 415),
        (b'{"rate":-1}', {}, 422),
        (b'{"rate":NaN}', {}, 422),
        (b'{"rate":true}', {}, 422),
        (b'{"rate":"5"}', {}, 422),
        (b'{"rate":1,"more":2}', {}, 422),
        (b"{", {}, 422),
        (b"", {}, 422),
    ],
)
def test_bad_bodies_are_refused_with_words(
    open_console, body: bytes, headers: dict[str, str], status: int
) -> None:
    sent = OWN | {"Content-Type": "application/json"} | headers
    answer = open_console().put("/api/v1/producer/rate", content=body, headers=sent)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"]


def test_with_a_token_nothing_is_answered_without_it(open_console) -> None:
    console = open_console(token=Secret("s3cret"))
    for path in ("status", "counts", "stream", "topics/x/records"):
        assert console.get(f"/api/v1/{path}").status_code == 401
    assert console.get("/api/v1/counts", headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert console.get("/api/v1/counts", headers={"Authorization": "Bearer s3cret"}).status_code == 200
    assert console.get("/metrics").status_code == 401
    assert console.get("/metrics", headers={"Authorization": "Bearer s3cret"}).status_code == 200
    assert console.get("/").status_code == 200  # the page itself says nothing about events


@pytest.mark.parametrize("token", ["\u0161ecret-\u00fc", 'a "b"; c=d,e'])
def test_a_token_may_have_any_characters(open_console, token: str) -> None:
    console = open_console(token=Secret(token))
    bearer = {"Authorization": f"Bearer {token}".encode()}
    assert console.get("/api/v1/counts", headers=bearer).status_code == 200
    assert console.post("/api/v1/session", json={"token": token}, headers=OWN).status_code == 204
    assert console.get("/api/v1/counts").status_code == 200


def test_beyond_loopback_it_is_called_by_any_address_but_no_foreign_name(open_console) -> None:
    console = open_console(host="0.0.0.0", token=Secret("s3cret"))
    for host in ("192.0.2.7:8085", "[2001:db8::1]:8085", "localhost"):
        assert console.get("/", headers={"Host": host}).status_code == 200
    assert console.get("/", headers={"Host": "192.0.2.7.evil.example"}).status_code == 403


def test_a_token_shown_once_is_remembered_in_a_cookie_that_scripts_cannot_read(open_console) -> None:
    console = open_console(token=Secret("s3cret"))
    assert console.post("/api/v1/session", json={"token": "wrong"}, headers=OWN).status_code == 401
    answer = console.post("/api/v1/session", json={"token": "s3cret"}, headers=OWN)
    assert answer.status_code == 204
    assert {"httponly", "samesite=strict"} <= {
        part.strip().lower() for part in answer.headers["Set-Cookie"].split(";")
    }
    assert console.get("/api/v1/counts").status_code == 200


@pytest.mark.parametrize(
    "path", ["/", "/docs", "/page/app.js", "/swagger/swagger-ui.css", "/api/v1/status", "/nowhere"]
)
def test_the_content_policy_is_strict_everywhere(open_console, path: str) -> None:
    policy = open_console().get(path).headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert "http" not in policy
    assert ("unsafe-inline" in policy) == (path == "/docs")  # Swagger's page sets styles; it shows no events
    assert "unsafe-eval" not in policy


class _Markup(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.links += [value for name in ("src", "href") if (value := named.get(name))]
        self.inline += [name for name in named if name.startswith("on") or name == "style"]
        if tag == "style" or (tag == "script" and "src" not in named):
            self.inline.append(tag)


@pytest.mark.parametrize("page", ["/", "/docs"])
def test_nothing_is_loaded_from_elsewhere_and_nothing_is_inline(open_console, page: str) -> None:
    console, markup = open_console(), _Markup()
    markup.feed(console.get(page).text)
    assert markup.inline == []
    assert markup.links
    for link in markup.links:
        assert link.startswith(("/", "#")), link
        if link.startswith("/"):
            assert console.get(link).status_code == 200, link


def test_no_script_of_the_page_makes_markup_from_text() -> None:
    scripts = list(PAGE.glob("*.js"))
    assert len(scripts) > 5
    for script in scripts:
        for call in (
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "Function(",
            "DOMParser",
        ):
            assert call not in script.read_text(encoding="utf-8"), script


@pytest.mark.parametrize(
    ("host", "name"), [("a:1", "a"), ("[::1]:1", "::1"), ("", ""), ("[", ""), ("A.b.", "a.b")]
)
def test_host_names(host: str, name: str) -> None:
    assert host_name(host) == name
