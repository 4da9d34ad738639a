"""The subcommands of win-event-stack, one file each: options in, exit code out. Other folders do the work.

Called by local_stack/cli.py alone.
"""
