"""Submits bridge after bridge with one `flink run -py`: a client that has started is ready much sooner.

The argument is a file, or a pipe that ends later. Each line is a JSON list of options of flink_bridge/job.py;
after each submission, or what it failed by, comes the line `done`.
"""

import json
import sys
import traceback
from pathlib import Path

from flink_bridge.job import main

if __name__ == "__main__":
    with Path(sys.argv[1]).open() as requests:
        for line in requests:
            try:
                main(json.loads(line), standalone_mode=False)
            except (Exception, SystemExit):
                traceback.print_exc(file=sys.stdout)
            print("done", flush=True)
