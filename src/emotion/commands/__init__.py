"""The verbs of the command line, one a file: read arguments, call, print.

Each module has `main(arguments)`, which gives the exit code.
"""

DONE = 0  # all went well
PARTLY = 1  # finished, but some of the input could not be used; each has a record that says why
MISTAKE = (
    2  # could not run: an option, a path or a config is wrong; the message says how to mend it
)
INTERRUPTED = 130  # stopped by Ctrl-C
CLOSED_PIPE = 141  # whoever read our output stopped reading
