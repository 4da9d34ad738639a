"""Compiles conditions to Python: one function for all rules of a kind of event, with an index if they are
many.

Callers use `kind`. `conditions` walks pySigma's tree, `value_tests` writes the test of one value, `strings`
and `regular_expressions` interpret patterns, `function` collects tests, which call `values`.
"""
