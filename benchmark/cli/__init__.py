"""The ``bench`` command. Nothing heavy is imported before a command needs it.

    main        every command by name; runs one
    parser      what all commands take, and what is said about a word that none of them knows
    terminal    where the output goes
    views       what commands show: tables, progress

Each command is a file of its name, with the options that it declares and a function that takes them, makes
the Python call of the same name and shows what comes back.
"""

from benchmark.cli.main import COMMANDS, main

__all__ = ["COMMANDS", "main"]
