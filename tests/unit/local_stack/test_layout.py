"""What a stack stores about itself, and what it removes from its folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from local_stack import layout
from local_stack import stack as whole
from local_stack.layout import LayoutError, Stack, default_directory, load_stack


def test_what_was_saved_is_read_again(tmp_path: Path) -> None:
    saved = Stack(tmp_path, kafka_port=1234, tls=True, run_id="r")
    saved.save()
    assert load_stack(tmp_path) == saved


def test_a_setting_of_another_version_is_left_out(tmp_path: Path) -> None:
    Stack(tmp_path, kafka_port=1234).save()
    file = tmp_path / "stack.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "setting_of_tomorrow": 1}))
    assert load_stack(tmp_path).kafka_port == 1234


@pytest.mark.parametrize("text", ["", "[]", '{"kafka_port": "9092"}', '{"tls": 1}'])
def test_a_damaged_description_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "stack.json").write_text(text)
    with pytest.raises(LayoutError, match=r"stack\.json"):
        load_stack(tmp_path)


def test_wipe_removes_what_the_stack_made_and_nothing_else(tmp_path: Path) -> None:
    ours = Stack(tmp_path)
    ours.save()
    for part in ("logs/kafka-1.log", "secrets/bridge", "jars/a.jar", "diary.txt"):
        (tmp_path / part).parent.mkdir(exist_ok=True)
        (tmp_path / part).touch()
    whole.down(ours, wipe=True)
    assert {path.name for path in tmp_path.iterdir()} == {"jars", "diary.txt"}


def test_wipe_leaves_a_folder_alone_that_holds_no_stack(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "logs").touch()
    whole.down(load_stack(tmp_path), wipe=True)
    assert {path.name for path in tmp_path.iterdir()} == {"bin", "logs"}


def test_a_stack_does_not_move_into_a_folder_with_such_names(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    with pytest.raises(LayoutError, match="WIN_EVENT_STACK_DIR"):
        Stack(tmp_path).save()
    assert [path.name for path in tmp_path.iterdir()] == ["bin"]


def test_wipe_forgets_a_demo_that_does_not_run(tmp_path: Path) -> None:
    ours = Stack(tmp_path)
    for each in (ours, Stack(ours.demo)):
        each.save()
        (each.directory / "kafka").mkdir()
    whole.down(ours, wipe=True)
    assert list(tmp_path.iterdir()) == []


def test_the_state_is_in_the_folder_of_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIN_EVENT_STACK_DIR", str(tmp_path / "chosen"))
    assert default_directory() == tmp_path / "chosen"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Not a checkout: the package is in another folder; the user's home is here."""
    monkeypatch.delenv("WIN_EVENT_STACK_DIR", raising=False)
    monkeypatch.setattr(layout, "REPOSITORY", tmp_path / "site-packages")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    project = tmp_path / "project"
    (project / "below").mkdir(parents=True)
    monkeypatch.chdir(project / "below")
    return project


def test_else_in_the_current_project(installed: Path) -> None:
    Stack(installed / ".stack").save()
    assert default_directory() == installed / ".stack"
    (installed / "below" / ".stack").mkdir()
    assert default_directory() == installed / "below" / ".stack"


def test_else_with_the_users_state(installed: Path) -> None:
    (installed / ".stack").mkdir()
    (installed / ".stack" / "config.yaml").touch()  # another program's
    assert default_directory() == installed.parent / "state" / "win-event-bridge"


def test_a_checkout_keeps_its_own_wherever_it_is_called_from(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (installed / "pyproject.toml").touch()
    monkeypatch.setattr(layout, "REPOSITORY", installed)
    monkeypatch.chdir("/")
    assert default_directory() == installed / ".stack"
