"""What several tools need in the same form: option types, HTTP requests, atomic files, addresses, ranks, and
a word to a person who waits.
"""
