"""Submits several bridges with one `flink run -py`: a client that starts once is ready four times as soon.

The argument is a JSON list with the options of each, as flink_bridge/job.py takes them.
"""

import json
import sys

from flink_bridge.job import main

if __name__ == "__main__":
    for options in json.loads(sys.argv[1]):
        main(options, standalone_mode=False)
