"""The command line: the library with a coat on. Each command parses, calls one public function, prints, sets the exit code.

Exit codes: 0 fine; 1 problems in the inputs; 2 wrong usage; 3 finished, but some zones do not fit, or some use is unfit.
"""

from importlib import import_module

import click

__all__ = ["main"]

_COMMANDS = {
    "demo": "runs", "run": "runs", "check": "studies", "init": "studies", "schema": "studies",
    "validate": "results", "map": "results", "indicator": "results", "expand": "results",
    "methods": "methods", "compare-methods": "methods", "card": "card", "compare": "comparing", "audit": "auditing",
    "rezone": "rezoning", "explain": "explaining", "export": "exporting", "explore": "exploring", "simulate": "simulating",
}  # fmt: skip
_FUNCTIONS = {"compare-methods": "compare_command"}  # where the function is not called as the command is


class LazyGroup(click.Group):
    """Import a command's module only when it is called: `--help` answers at once."""

    def list_commands(self, ctx):
        """Names of all commands, in the order in which a user meets them."""
        return [
            "init", "check", "methods", "run", "validate", "explain", "audit", "card", "indicator", "map", "simulate",
            "explore", "expand", "export", "rezone", "compare", "compare-methods", "demo", "schema",
        ]  # fmt: skip

    def get_command(self, ctx, name):
        """Return one command, or None where there is none of this name."""
        if name not in _COMMANDS:
            return None
        module = import_module(f"synthpop_gb.cli.{_COMMANDS[name]}")
        return getattr(module, _FUNCTIONS.get(name, f"{name}_command"))

    def resolve_command(self, ctx, args):
        """Suggest the nearest command for a misspelt one."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            near = difflib.get_close_matches(args[0], _COMMANDS, n=1)
            if near:
                error.message += f" Did you mean '{near[0]}'?"
            raise


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="synthpop_gb", prog_name="synthpop-gb")
def main():
    """Make synthetic populations of Great Britain: whole people in every small area.

    Start with `synthpop-gb demo`, which needs no data, or with `synthpop-gb init` in a folder that holds your survey, tables
    and boundaries. Then `check` the study file, `run` it, and open report.html.
    """
