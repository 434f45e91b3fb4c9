"""The verbs of the command line, one a file: read arguments, call, print.

Each module has `main(arguments)`, which gives the exit code.
"""

DONE = 0  # all went well
PARTLY = 1  # finished, but some of the input could not be used; each has a record that says why
MISTAKE = (
    2  # could not run: an option, a path or a config is wrong; the message says how to mend it
)
DIED = 3  # a process of the run ended by itself or was killed; what it had saved is as it was
INTERRUPTED = 130  # stopped by Ctrl-C
TERMINATED = 143  # stopped by SIGTERM
CLOSED_PIPE = 141  # whoever read our output stopped reading
