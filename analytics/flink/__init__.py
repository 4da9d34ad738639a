"""Where the tables and the questions become one Flink job: its graph, its settings, and the checks before it.

Only job.py calls in here. `client_sql` and `settings` are pure; the others need PyFlink and its JVM.
"""
