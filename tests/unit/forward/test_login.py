"""The messages of win-event-forward-kinesis if boto3 has no region, no login, or a wrong address."""

from __future__ import annotations

from pathlib import Path

import boto3
import pytest

from forward.stream import Stream, StreamError

LOGIN = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"}
REGION = {"AWS_REGION": "us-east-1"}


def _said(monkeypatch: pytest.MonkeyPatch, folder: Path, name: str, variables: dict[str, str]) -> str:
    for variable in ("AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_SESSION_TOKEN", *LOGIN, *REGION):
        monkeypatch.delenv(variable, raising=False)
    files = {each: str(folder / each) for each in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE")}
    for variable, value in {**files, "AWS_EC2_METADATA_DISABLED": "true", **variables}.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it would remember an earlier login
    with pytest.raises(StreamError) as caught:
        Stream(name).open(None)
    return str(caught.value)


@pytest.mark.parametrize(
    ("variables", "name", "text"),
    [
        (LOGIN, "alerts", "You must specify a region."),
        (LOGIN | {"AWS_REGION": ""}, "alerts", "You must specify a region."),
        (REGION, "alerts", "Unable to locate credentials"),
        (REGION | {"AWS_PROFILE": "nobody"}, "alerts", "The config profile (nobody) could not be found"),
        (LOGIN | REGION | {"AWS_ENDPOINT_URL_KINESIS": "foo"}, "alerts", "Invalid endpoint: foo"),
        (LOGIN | REGION, "", "Parameter validation failed: Invalid length for parameter StreamName"),
    ],
)
def test_what_is_missing_is_said_with_the_variables(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variables: dict[str, str], name: str, text: str
) -> None:
    said = _said(monkeypatch, tmp_path, name, variables)
    assert said.startswith(f"Kinesis: {text}")
    assert "(AWS_REGION, AWS_ENDPOINT_URL_KINESIS, AWS_PROFILE, AWS_ACCESS_KEY_ID" in said
    assert "\n" not in said
