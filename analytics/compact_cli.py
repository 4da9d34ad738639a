"""win-event-compact: converts the files of the question `archive` to Parquet."""

from __future__ import annotations

import sys

import click

from kafka_setup.connection.options import option
from toolkit.extras import needed


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="win-event-bridge")
@click.argument("archive", envvar="WIN_EVENT_ARCHIVE_PATH")
@click.argument("target", envvar="WIN_EVENT_PARQUET_PATH")
@option(
    "--remove/--keep",
    "WIN_EVENT_REMOVE_PARTS",
    default=False,
    help="Remove parts from ARCHIVE that are ten minutes old and whose events are in a whole Parquet file.",
)
def main(archive: str, target: str, remove: bool) -> None:
    """Write the complete parts of an archive as Parquet files into TARGET, in the same folders.

    ARCHIVE and TARGET are folders or s3://BUCKET/PREFIX (AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID and
    AWS_SECRET_ACCESS_KEY set the server and the login). The columns are event_time, computer, and line: the
    event, unchanged. A part that is in a file of TARGET already is skipped, so the command may be repeated at
    any time, also after it was killed. Only one may run at a time.

    \b
    Examples:
      win-event-compact /var/lib/win-event/archive /var/lib/win-event/parquet
      win-event-compact s3://events/archive s3://events/parquet --remove
    """
    with needed("win-event-compact", "bridge", "pyarrow"):
        from analytics.parquet import Compacted, ParquetError, compact, open_folder  # for a fast --help

    whole = Compacted()
    try:
        source, goal = open_folder(archive), open_folder(target)
        if f"{goal.path}/".startswith(f"{source.path}/") and source.store == goal.store:
            raise click.UsageError(f"TARGET {target} is inside ARCHIVE: its files would be taken for parts")
        for folder in compact(source, goal, remove=remove):
            whole += folder
    except (ParquetError, OSError) as error:
        click.secho(f"error: {error}", fg="red", err=True)
        sys.exit(1)
    click.echo(
        f"{whole.events:,} events of {whole.parts:,} parts in {whole.files:,} new files; "
        f"{whole.removed:,} parts removed"
    )


if __name__ == "__main__":
    main()
