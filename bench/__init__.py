"""Figures: what the toolkit costs, side by side with what people would use instead (`make bench`).

A folder for each thing that is measured (producer/, reading/, bridge/) holds its sections. The modules here
run them, keep the figures and write docs/PERFORMANCE.md.
"""
