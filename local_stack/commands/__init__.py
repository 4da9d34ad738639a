"""The subcommands of win-event-stack, a file each: options in, exit code out. The rooms beside do the work.

Called by local_stack/cli.py alone.
"""
