# SPDX-License-Identifier: Apache-2.0
"""docs/tutorial.md, done as a new author would: every command, and what it prints."""
import os
import re
import subprocess
import tempfile

DOC = os.path.join(os.path.dirname(__file__), "..", "..", "docs", "tutorial.md")


def test_every_command_of_the_tutorial_prints_what_it_says(binary):
    with open(DOC) as f:
        text = f.read()
    blocks = re.findall(r"```(sh|text)\n(.*?)```", text, re.S)
    first_way = text.split("## Where to go from here")[0]
    assert first_way.count("```sh") == 4, "from nothing to a passing test in four commands"
    path = os.path.dirname(os.path.abspath(binary)) + ":" + os.environ["PATH"]
    shown = 0
    with tempfile.TemporaryDirectory() as d:
        for i, (kind, body) in enumerate(blocks):
            if kind == "text":
                continue
            p = subprocess.run(["sh", "-c", body], cwd=d, env={**os.environ, "PATH": path}, capture_output=True, text=True)
            follows = blocks[i + 1] if i + 1 < len(blocks) else ("", "")
            if follows[0] == "text":
                assert p.stdout == follows[1], (body, p.stdout + p.stderr, follows[1])
                shown += 1
            else:
                assert p.returncode == 0 and not p.stdout, (body, p)
    assert shown >= 5, shown
