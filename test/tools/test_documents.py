"""The tutorial and the README: every file they show is written, every command is run."""

import os
import re
import subprocess
import sys

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(
    os.environ.get("TILEFUSE_BUILD", os.path.join(ROOT, "build", "release")))
BLOCK = re.compile(r"(?:<!-- file: (\S+) -->\n)?```(\w*)\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize("document", ["README.md", "docs/tutorial.md", "docs/python.md"])
def test_blocks(document, tmp_path):
    with open(os.path.join(ROOT, document), encoding="utf-8") as file:
        blocks = BLOCK.findall(file.read())
    environment = dict(os.environ)
    environment["PATH"] = os.path.join(BUILD, "bin") + os.pathsep + environment["PATH"]
    environment["PYTHONPATH"] = os.path.join(ROOT, "python_bindings")
    environment["TILEFUSE_LIBRARY_DIR"] = os.path.join(BUILD, "lib")

    def run(command):
        result = subprocess.run(command, cwd=tmp_path, env=environment, check=False,
                                capture_output=True, text=True)
        assert result.returncode == 0, "%s\n%s%s" % (command, result.stdout, result.stderr)

    ran = 0
    for name, language, text in blocks:
        if name:
            (tmp_path / name).write_text(text)
        if language == "python" and name:
            run([sys.executable, name])
            ran += 1
        if language == "sh":
            # `! command` does not trip -e; say what it means.
            for line in text.strip().splitlines():
                if line.startswith("! "):
                    run(["bash", "-c", "%s; [ $? = 1 ]" % line[2:]])
                else:
                    run(["bash", "-c", line])
                ran += 1
    assert ran


def test_links_lead_somewhere():
    for folder, _, names in os.walk(os.path.join(ROOT, "docs")):
        for name in names + ["../README.md", "../CONTRIBUTING.md"]:
            path = os.path.join(folder, name)
            if not path.endswith(".md"):
                continue
            with open(path, encoding="utf-8") as file:
                links = re.findall(r"\]\(([^)#:]+)\)", file.read())
            for link in links:
                assert os.path.exists(os.path.join(os.path.dirname(path), link)), (path, link)
