"""What commands share: problems shown and turned into exit codes, progress with zones done and time left."""

from __future__ import annotations

import functools
import sys
import time
import warnings

import click

__all__ = ["PROBLEMS", "UNFITTED", "guarded", "listed", "progress_bar", "show_findings"]

PROBLEMS, UNFITTED = 1, 3


def guarded(command):
    """Show every finding of an `InputError` on standard error and exit with 1, without a traceback; hide Python's warnings."""

    @functools.wraps(command)
    def inner(*args, **kwargs):
        from synthpop_gb.errors import FitWarning, InputError

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FitWarning)  # the summary below says the same, once
                warnings.showwarning = _show_warning
                return command(*args, **kwargs)
        except InputError as error:
            show_findings(error.findings, err=True)
            begun = getattr(error, "folder", None)
            end = f" {begun} holds a run that is not finished: mend this and run again." if begun else " Nothing was written."
            click.echo(f"{str(error).splitlines()[0]}.{end}", err=True)
            sys.exit(PROBLEMS)
        except OSError as error:  # a full disk, a folder that cannot be made
            click.echo(f"error: {error.filename or 'a file'} cannot be written: {error.strerror or error}.", err=True)
            click.echo(
                "A run keeps what it had finished, and goes on from there with the same command; nothing else is kept.", err=True
            )
            sys.exit(PROBLEMS)
        except KeyboardInterrupt:
            click.echo("Stopped. A run goes on from here with the same command.", err=True)
            sys.exit(130)

    return inner


def _show_warning(message, category, filename, lineno, file=None, line=None) -> None:
    """Show a warning of Python as a finding, or as a line of its own: no file names of the program."""
    told = getattr(message, "finding", None)
    if told is None:
        click.echo(f"{click.style('warning', fg=_COLOUR['warning'], bold=True)} {message}", err=True)
    else:
        show_findings([told], err=True)


def listed(ctx, param, value):
    """Names given once each, or several with commas between: the callback of every option that takes names."""
    return [name.strip() for text in value for name in text.split(",") if name.strip()]


_COLOUR = {"error": "red", "warning": "yellow", "note": "cyan"}


def show_findings(findings, *, err: bool = False) -> None:
    """Print findings, errors first: level, code, what; then why and what to do, once where several in a row share it."""
    order = list(_COLOUR)
    found = sorted(findings, key=lambda f: order.index(f.level))
    for i, f in enumerate(found):
        following = found[i + 1] if i + 1 < len(found) else None
        click.echo(click.style(f"{f.level} [{f.code}] ", fg=_COLOUR[f.level], bold=True) + f.message, err=err)
        if following is None or (f.code, f.why, f.remedy) != (following.code, following.why, following.remedy):
            click.echo(f"    {f.why} {f.remedy}", err=err)


class progress_bar:
    """Zones solved (each once, and once more a replicate) and time left.

    A bar on a terminal, a line every ten seconds elsewhere (log files, schedulers).
    """

    def __enter__(self):
        self._bar, self._last = None, None
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("zone fits"),
                TimeRemainingColumn(),
            )
            self._bar = Progress(*columns, console=Console(stderr=True))
            self._bar.start()
            self._task = None
        return self._report

    def _report(self, done: int, total: int, seconds_left: float | None = None) -> None:
        if self._bar is not None:
            if self._task is None:
                self._task = self._bar.add_task("solving", total=total)
            self._bar.update(self._task, completed=done)
        elif self._last is None:
            self._last = time.monotonic()
        elif time.monotonic() - self._last > 10:
            self._last = time.monotonic()
            left = "" if seconds_left is None else f", about {seconds_left:.0f} s left"
            click.echo(f"{done:,} of {total:,} zone fits done{left}", err=True)

    def __exit__(self, *_):
        if self._bar is not None:
            self._bar.stop()
