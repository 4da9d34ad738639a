"""Events from a file or a pipe instead of the generator: read line by line, moved in time if wanted.

They go through the intake that posted events go through, so they are resumable and audited like these.
"""
