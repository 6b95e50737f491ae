"""The pipelines: wiring, and the command line that runs, compiles and shows it."""
