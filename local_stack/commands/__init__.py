"""The subcommands of win-event-stack, one file each: they only read options and set exit codes.

Called only by local_stack/cli.py.
"""
