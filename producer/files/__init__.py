"""Events from a file or a pipe instead of the generator: read line by line, moved in time on request.

They pass the same intake as posted events, so clients can resume and the audit counts them.
"""
