"""Measures the cost of the toolkit, side by side with its alternatives (`make bench`).

Each measured part (producer/, reading/, bridge/, …) has a folder with its sections. The modules here run
them, store the figures and write docs/PERFORMANCE.md.
"""
