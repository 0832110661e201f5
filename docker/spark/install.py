"""Puts what jobs need into the Spark image: the connector jars and psycopg, of the versions of stack.lock.json.

Every file is checked against its checksum there. Runs at build time; at run time nothing is fetched.
"""

import argparse
import hashlib
import http.client
import json
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

# The image brings Spark itself.
IN_THE_IMAGE = {"pyspark", "py4j"}

# Maven Central's front refuses Python's own name, and now and then other calls too, with 403.
USER_AGENT = "cryptopipe-build/0.1"
PASSING_REFUSALS = {403, 429}
TRIES = 5


def can_pass(error: Exception) -> bool:
    """Whether the same request may succeed later: a refusal that passes, a server's fault, a broken transfer."""
    if isinstance(error, urllib.error.HTTPError):
        return error.code in PASSING_REFUSALS or error.code >= 500
    return isinstance(error, (OSError, http.client.HTTPException))


def fetch(url: str, first_pause_s: float) -> bytes:
    """The content at the address. Tries five times; each pause, in seconds, is twice as long as the one before."""
    request = urllib.request.Request(url, headers={"User-Agent": USER_AGENT})
    for attempt in range(1, TRIES + 1):
        try:
            with urllib.request.urlopen(request, timeout=300) as answer:
                return answer.read()
        except Exception as error:
            if attempt == TRIES or not can_pass(error):
                raise SystemExit(f"{url} could not be fetched: {error!r}") from error
            pause_s = first_pause_s * 2 ** (attempt - 1)
            print(f"{url}: {error!r}; trying again in {pause_s:g} s", file=sys.stderr)
            time.sleep(pause_s)
    raise AssertionError("the last try returns or raises")


def fetch_jar(jar: dict, maven_url: str, folder: Path, first_pause_s: float) -> None:
    url = f"{maven_url}/{jar['path']}"
    content = fetch(url, first_pause_s)
    found = hashlib.sha256(content).hexdigest()
    if found != jar["sha256"]:
        raise SystemExit(f"{url} has checksum {found}, not {jar['sha256']}")
    target = folder / Path(jar["path"]).name
    target.write_bytes(content)
    target.chmod(0o644)
    print(f"{target}: {len(content)} bytes")


def requirements_of(packages: list) -> str:
    """The text of a requirements file for `pip install --require-hashes`."""
    return "".join(
        " \\\n".join(
            [f"{one['name']}=={one['version']}", *(f"    --hash=sha256:{hash}" for hash in one["sha256"])]
        )
        + "\n"
        for one in packages
        if one["name"] not in IN_THE_IMAGE
    )


def install_packages(packages: list, folder: Path) -> None:
    if not packages:
        return  # pip takes an empty list for a mistake.
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as requirements:
        requirements.write(requirements_of(packages))
        requirements.flush()
        pip = [sys.executable, "-m", "pip", "install", "--require-hashes", "--no-deps", "--only-binary=:all:"]
        options = ["--no-cache-dir", "--disable-pip-version-check"]  # Python 3.10 of the image has pip 22.0
        subprocess.run([*pip, *options, "--target", str(folder), "-r", requirements.name], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lock", type=Path, required=True, help="stack.lock.json")
    parser.add_argument("--jars", type=Path, required=True, help="folder for the jars")
    parser.add_argument("--python", type=Path, required=True, help="folder for the packages")
    parser.add_argument("--maven-url", required=True, help="base address of a Maven repository")
    parser.add_argument("--first-pause", type=float, default=2, help="seconds before a download is tried again")
    options = parser.parse_args()
    lock = json.loads(options.lock.read_text(encoding="utf-8"))
    options.jars.mkdir(parents=True, exist_ok=True)
    for jar in lock["maven"]["connectors"]:
        fetch_jar(jar, options.maven_url.rstrip("/"), options.jars, options.first_pause)
    install_packages(lock["python"]["packages"], options.python)


if __name__ == "__main__":
    main()
