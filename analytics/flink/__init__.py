"""Makes one Flink job of tables and questions: its graph, its settings, and the checks before it.

Only job.py uses it. `client_sql` and `settings` are pure; the others need PyFlink and its JVM.
"""
