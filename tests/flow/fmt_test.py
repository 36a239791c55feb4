# SPDX-License-Identifier: Apache-2.0
"""`sallyport policy fmt`, as a person types it."""
import glob
import os
import stat
import subprocess
import tempfile

UNTIDY = """# who may what
rules:
- permit: notes/*   # all of them
  id: a
  when: jwt.sub=="x"?true : false
policy: v1
"""
TIDY = """# who may what
policy: v1

rules:
  - id: a
    permit: notes/*  # all of them
    when: 'jwt.sub == "x" ? true : false'
"""


def run(binary, *args):
    return subprocess.run([binary, "policy", "fmt", *args], capture_output=True, text=True, timeout=60)


class Folder:
    def __init__(self):
        self.path = tempfile.mkdtemp()

    def put(self, name, text, mode=0o600):
        path = os.path.join(self.path, name)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, mode)
        return path


def test_fmt_prints_the_one_layout(binary):
    r = run(binary, Folder().put("p.yaml", UNTIDY))
    assert (r.returncode, r.stdout, r.stderr) == (0, TIDY, ""), r


def test_fmt_writes_in_place_and_keeps_the_mode(binary):
    folder = Folder()
    path = folder.put("p.yaml", UNTIDY, 0o640)
    link = os.path.join(folder.path, "link.yaml")
    os.symlink("p.yaml", link)
    r = run(binary, "-w", link)
    assert (r.returncode, r.stdout, r.stderr) == (0, "", ""), r
    assert open(path).read() == TIDY
    assert os.path.islink(link)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o640
    assert sorted(os.listdir(folder.path)) == ["link.yaml", "p.yaml"]


def test_fmt_check_lists_what_would_change(binary):
    folder = Folder()
    bad, good = folder.put("bad.yaml", UNTIDY), folder.put("good.yaml", TIDY)
    r = run(binary, "--check", bad, good)
    assert (r.returncode, r.stdout) == (1, bad + "\n"), r
    assert open(bad).read() == UNTIDY
    assert run(binary, "--check", good).returncode == 0


def test_fmt_leaves_a_broken_file_alone(binary):
    path = Folder().put("p.yaml", "rules:\n  - id: a\n    when: jwt.sub ==\n")
    r = run(binary, "-w", path)
    assert r.returncode == 1 and f"{path}:3:21: error E002" in r.stderr, r
    assert open(path).read().endswith("jwt.sub ==\n")


def test_fmt_has_nothing_to_do_on_what_ships(binary):
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    files = glob.glob(os.path.join(root, "policies", "*.yaml")) + glob.glob(os.path.join(root, "examples", "*", "policies", "*.yaml"))
    assert len(files) >= 3
    r = run(binary, "--check", *files)
    assert r.returncode == 0, "run `sallyport policy fmt -w` on: " + r.stdout + r.stderr


def test_fmt_wants_files(binary):
    assert run(binary).returncode == 2
    assert run(binary, "--check", "-w", "x").returncode == 2
    assert "--check" in run(binary, "--help").stdout
