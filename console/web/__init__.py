"""Requests and answers: the read API, the live stream, the control of the producer, and the page's files."""
