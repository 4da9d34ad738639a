"""The computers and people that events are about, drawn from the seed."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from json.encoder import encode_basestring_ascii

DNS_DOMAIN, NETBIOS_DOMAIN = "corp.example", "CORP"
ROLES = ("workstation", "server", "domain-controller")
# How many events each role writes, relative to a workstation (a domain controller sees everyone's logons).
ROLE_SHARE = {"workstation": 1.0, "server": 1.5, "domain-controller": 4.0}
PROCESSES = (
    "system",
    "lsass",
    "services",
    "svchost",
    "eventlog",
    "dcom",
    "wer",
    "msiexec",
    "taskhostw",
    "none",
)
HOST_VALUES = (
    "name", "short", "account", "domain", "dns_domain", "sid", "domain_sid", "domain_admins", "staff_group",
    "krbtgt_sid", "address", "dc", "role",
    *(f"pid.{process}" for process in PROCESSES),
)  # fmt: skip
USER_VALUES = ("name", "sid", "domain", "upn", "full_name", "profile")

_GIVEN = (
    "Mika", "Anna", "Jonas", "Priya", "Omar", "Lucia", "Tom", "Ewa", "Kenji", "Sara", "Pavel", "Noor", "Ines",
    "Marco", "Lena", "David", "Yuki", "Carla", "Hugo", "Amina", "Felix", "Rosa", "Nils", "Tara",
    "Ivan", "Maya",
)  # fmt: skip
_FAMILY = (
    "Ito", "Novak", "Berg", "Sharma", "Haddad", "Costa", "Weber", "Kowalska", "Tanaka", "Lind", "Petrov",
    "Rossi", "Silva", "Keller", "Moreau", "Jansen", "Okafor", "Diaz", "Larsen", "Virtanen", "Brown", "Nguyen",
)  # fmt: skip


@dataclass
class User:
    """A domain user; `values` are the values of user.* kinds."""

    index: int
    values: dict[str, str]

    @cached_property
    def escaped(self) -> tuple[str, ...]:
        """The values that USER_VALUES names, escaped for JSON."""
        return _escaped(USER_VALUES, self.values)


@dataclass
class Host:
    """A computer; `values` are the values of host.* kinds, `record_ids` has the last id of each channel."""

    index: int
    role: str
    values: dict[str, str]
    users: list[User]
    first_logon_id: int
    domain_sid: str
    record_ids: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    @cached_property
    def escaped(self) -> tuple[str, ...]:
        """The values that HOST_VALUES names, escaped for JSON."""
        return _escaped(HOST_VALUES, self.values)

    @cached_property
    def logon_ids(self) -> Iterator[str]:
        """A new logon id each time, increasing."""
        return map(hex, count(self.first_logon_id, 0x1A3))

    @cached_property
    def name(self) -> str:
        return self.values["name"]


def _escaped(names: tuple[str, ...], values: dict[str, str]) -> tuple[str, ...]:
    return tuple(encode_basestring_ascii(values[name])[1:-1] for name in names)


def make_hosts(number: int, profile: str, run: int, seed: int) -> list[Host]:
    """Makes `number` computers with the roles of the profile, each with its users.

    Only the logon ids differ between the `run`s of a seed.
    """
    rng = random.Random(f"win-event/{seed}/hosts")
    domain_sid = _sid(rng)
    users = [_user(index, domain_sid, rng) for index in range(max(8, min(number * 2, 2000)))]
    roles = _roles(number, profile)
    first_dc = next(
        (f"DC-{i + 1:03d}" for i, role in enumerate(roles) if role == "domain-controller"), "DC-001"
    )
    hosts = [_host(index, role, domain_sid, users, first_dc, rng) for index, role in enumerate(roles)]
    for host in hosts:
        host.first_logon_id += (run - 1) << 32  # two runs never use the same logon id
    return hosts


def shared_values(hosts: list[Host]) -> dict[str, str]:
    """The host.* and user.* kinds that are the same at every computer and for everyone, escaped for JSON."""
    of_hosts = zip(HOST_VALUES, zip(*(host.escaped for host in hosts), strict=True), strict=True)
    people = (user.escaped for host in hosts for user in host.users)
    of_users = zip(USER_VALUES, zip(*people, strict=True), strict=True)
    return {
        f"{scope}.{name}": texts[0]
        for scope, columns in (("host", of_hosts), ("user", of_users))
        for name, texts in columns
        if len(set(texts)) == 1
    }


def _roles(number: int, profile: str) -> list[str]:
    if profile in ROLES:
        return [profile] * number
    controllers = max(1, number // 20) if number > 1 else 0
    servers = max(1, number // 5) if number > 2 else 0
    workstations = number - controllers - servers
    return ["workstation"] * workstations + ["server"] * servers + ["domain-controller"] * controllers


def _sid(rng: random.Random) -> str:
    return "S-1-5-21-" + "-".join(str(rng.randrange(10**8, 4 * 10**9)) for _ in range(3))


def _user(index: int, domain_sid: str, rng: random.Random) -> User:
    given, family = rng.choice(_GIVEN), rng.choice(_FAMILY)
    name = f"{given[0]}.{family}".lower() + (str(index) if index >= 8 else "")
    values = {
        "name": name,
        "sid": f"{domain_sid}-{1104 + index}",
        "domain": NETBIOS_DOMAIN,
        "upn": f"{name}@{DNS_DOMAIN}",
        "full_name": f"{given} {family}",
        "profile": f"C:\\Users\\{name}",
    }
    return User(index, values)


def _host(
    index: int, role: str, domain_sid: str, users: list[User], controller: str, rng: random.Random
) -> Host:
    prefix = {"workstation": "WS", "server": "SRV", "domain-controller": "DC"}[role]
    short = f"{prefix}-{index + 1:03d}"
    values = {
        "name": f"{short}.{DNS_DOMAIN}",
        "short": short,
        "account": f"{short}$",
        "domain": NETBIOS_DOMAIN,
        "dns_domain": DNS_DOMAIN,
        "sid": _sid(rng),
        "domain_sid": domain_sid,
        "domain_admins": f"{domain_sid}-512",
        "staff_group": f"{domain_sid}-1600",  # below those of accounts
        "krbtgt_sid": f"{domain_sid}-502",
        "address": f"10.20.{16 + index // 250 % 200}.{index % 250 + 2}",
        "dc": f"\\\\{controller}.{DNS_DOMAIN}",
        "role": role,
    }
    for process in PROCESSES:
        values[f"pid.{process}"] = str(4 * rng.randrange(100, 1500))
    values |= {"pid.system": "4", "pid.none": "0"}
    present = 3 if role == "workstation" else min(12, len(users))
    return Host(index, role, values, rng.sample(users, present), rng.randrange(0x10000, 0x90000), domain_sid)
