"""The difference between a topology's users and a cluster's. Pure."""

from __future__ import annotations

from kafka_setup.changes import obstacles
from kafka_setup.changes.change import Change, Wishes
from kafka_setup.topology.resources import NO_CREDENTIAL, ClusterState, User


def plan_user(user: User, state: ClusterState, wishes: Wishes) -> Change:
    wanted = f"{user.mechanism}, {user.iterations} iterations"
    if user.mechanism == NO_CREDENTIAL:
        return Change("exists", "user", user, "logs in by certificate or token: Kafka keeps no password")
    if user.name == wishes.login:
        return Change("exists", "user", user, "the user of this login; its password is not changed")
    if obstacle := obstacles.mechanism(user, state):
        return Change("blocked", "user", user, obstacle)
    if user.mechanism not in state.credentials.get(user.name, {}):
        if user.name in wishes.known or wishes.generate:
            return Change("create", "user", user, wanted)
        return Change("blocked", "user", user, f"no password: {user.how_to_give_a_password}")
    return _existing_user(user, state, wishes, wanted)


def _existing_user(user: User, state: ClusterState, wishes: Wishes, wanted: str) -> Change:
    iterations = state.credentials[user.name][user.mechanism]
    right = state.logins.get(user.name)
    if right is False and wishes.reset_passwords:
        return Change("change", "user", user, "password reset")
    if right is False:
        here = f"{user.password_variable} or " if user.password_variable else ""
        detail = (
            f"the cluster has another password than {here}the file in --password-dir: "
            "correct that, or set the cluster's with --reset-passwords"
        )
        return Change("blocked", "user", user, detail)
    if iterations != user.iterations:
        detail = f"iterations {iterations} → {user.iterations}"
        if user.name in wishes.known:
            return Change("change", "user", user, detail)
        detail = f"{detail} needs the password: {user.how_to_give_a_password}"
        return Change("blocked", "user", user, detail)
    return Change("exists", "user", user, wanted if right else f"{wanted}; password not checked")
