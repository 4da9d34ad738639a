"""Where lines enter the job: one reader for each kind of source."""
