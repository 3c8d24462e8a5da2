"""Runs clang-tidy on the files of a build; remembers which were clean.

A file counts as unchanged when its compile command, .clang-tidy, and the contents of
the source and of every header of the project that it includes are the same as when it
was last clean. Headers come from ninja's dependency log.
"""

import argparse
import concurrent.futures
import hashlib
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
TIDY = "clang-tidy-22"
LEFT_OUT = ("examples/", "cmake/")


def read_dependencies(build):
    """Object file -> the files it was made from, as ninja logged them."""
    log = subprocess.run(["ninja", "-C", build, "-t", "deps"], capture_output=True, text=True,
                         check=True).stdout
    found, current = {}, None
    for line in log.splitlines():
        if line.startswith("    "):
            current.append(line.strip())
        elif ": #deps" in line:
            current = found.setdefault(line.split(": #deps")[0], [])
    return found


class Hasher:
    def __init__(self):
        self.digests = {}
        self.common = (ROOT / ".clang-tidy").read_bytes() + subprocess.run(
            [TIDY, "--version"], capture_output=True, check=True).stdout

    def digest(self, path):
        if path not in self.digests:
            self.digests[path] = hashlib.sha256(path.read_bytes()).digest()
        return self.digests[path]

    def key(self, entry, dependencies):
        total = hashlib.sha256(self.common + entry["command"].encode())
        for name in sorted({entry["file"], *dependencies}):
            path = pathlib.Path(entry["directory"], name).resolve()
            if path.is_relative_to(ROOT) and path.suffix != ".pch" and path.is_file():
                total.update(str(path.relative_to(ROOT)).encode() + self.digest(path))
        return total.hexdigest()


def list_entries(build):
    """The compile commands of the files that git knows, in order."""
    known = set(subprocess.run(["git", "ls-files", "*.cpp"], cwd=ROOT, capture_output=True,
                               text=True, check=True).stdout.split())
    entries = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        path = pathlib.Path(entry["file"])
        name = str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else ""
        if name in known and not name.startswith(LEFT_OUT):
            entries.setdefault(name, entry)
    return dict(sorted(entries.items()))


def check(name, build):
    process = subprocess.run([TIDY, "-p", build, "--quiet", name], cwd=ROOT,
                             capture_output=True, text=True, check=False)
    errors = [line for line in process.stderr.splitlines()
              if "warnings generated" not in line and "Suppressed" not in line
              and "Use -header-filter" not in line]
    return process.returncode == 0, process.stdout + "\n".join(errors)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("files", nargs="*", help="only these")
    flags = parser.parse_args()
    build = flags.build.resolve()
    clean = build.parent / "tidy"
    clean.mkdir(exist_ok=True)

    dependencies = read_dependencies(build)
    hasher = Hasher()
    keys = {}
    for name, entry in list_entries(build).items():
        if not flags.files or name in flags.files:
            made = re.search(r" -o (\S+)", entry["command"])
            key = hasher.key(entry, dependencies.get(made.group(1), ()) if made else ())
            if not (clean / key).exists():
                keys[name] = key
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(flags.jobs) as pool:
        answers = {name: pool.submit(check, name, build) for name in keys}
        for name, answer in answers.items():
            passed, text = answer.result()
            if passed:
                (clean / keys[name]).touch()
            else:
                failed += 1
                print(f"{name}:\n{text.strip()}", flush=True)
    if failed:
        print(f"clang-tidy: {failed} files with findings", file=sys.stderr)
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
