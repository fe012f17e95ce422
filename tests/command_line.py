"""The command line as tests call it."""

from click.testing import CliRunner

from synthpop_gb.cli import main


def invoke(*arguments):
    """What a command printed, and its exit code; exceptions that a user would see as a traceback fail the test."""
    result = CliRunner().invoke(main, [str(a) for a in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def finished_run(study, output):
    """Run a study whose population fits; the run's folder."""
    result = invoke("run", study, "-o", output)
    assert result.exit_code == 0, result.output
    return output / "demo-county"
