"""Conditions become Python: one function for all rules of a kind of event, with an index when they are many.

`kind` is the entrance. `conditions` walks pySigma's tree, `value_tests` writes the test of one value,
`strings` and `regular_expressions` say what a pattern means, `function` collects tests, which call `values`.
"""
