# SPDX-License-Identifier: Apache-2.0
"""The policy tools as a person uses them: no gateway runs, files and exit codes are all there is."""
import glob
import os
import subprocess

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))


def policy(binary, *args, code=0):
    p = subprocess.run([binary, "policy", *args], capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert p.returncode == code, (args, p.returncode, p.stdout, p.stderr)
    return p.stdout + p.stderr


def test_every_policy_we_ship_passes_its_own_tests(binary):
    shipped = sorted(glob.glob(os.path.join(ROOT, "policies", "*.yaml")))
    assert len(shipped) >= 7, shipped
    for path in shipped:
        out = policy(binary, "test", path)
        passed = int(out.strip().splitlines()[-1].split(" passed, 0 failed")[0])
        assert passed >= 5, (path, out)


def test_zones_have_their_names_and_their_summers(binary):
    hours = 'timestamp("{}").getHours("Europe/Paris")'
    assert policy(binary, "eval", hours.format("2026-07-06T17:30:00Z")) == "19\n"
    assert policy(binary, "eval", hours.format("2026-12-07T17:30:00Z")) == "18\n"
    for name in ("Europe/Pariss", "../../etc/passwd", "localtime", "/etc/localtime"):
        out = policy(binary, "eval", f'timestamp("2026-07-06T17:30:00Z").getHours("{name}")', code=1)
        assert "E009" in out, out


def test_verbs_explain_themselves(binary):
    overview = policy(binary, "--help")
    for line in overview.splitlines():
        if line.startswith("  "):
            text = policy(binary, line.split()[0], "--help")
            assert text.startswith("usage: sallyport policy " + line.split()[0]), text
    assert "did you mean `check`" in policy(binary, "chek", code=2)
