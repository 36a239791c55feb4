# SPDX-License-Identifier: Apache-2.0
"""The first minutes of a stranger: the demo, and the very curl lines it prints."""
import os
import signal
import subprocess
import tempfile
import time

from house.ports import free_port


def lines_by_title(page):
    """The printed commands, each under the comment that stands before it."""
    out, title = {}, ""
    for line in page.splitlines():
        if line.startswith("# "):
            title = line[2:]
        elif line.startswith(("curl ", "cat ")):
            out[title] = line
    return out


def test_the_printed_lines_work_as_printed(binary):
    port, admin = free_port(), free_port()
    with tempfile.TemporaryDirectory() as d:
        where = os.path.join(d, "demo")
        with open(os.path.join(d, "page"), "w+") as page, open(os.path.join(d, "log"), "w+") as log:
            p = subprocess.Popen([binary, "demo", "--port", str(port), "--admin-port", str(admin), where],
                                 stdout=page, stderr=log)
            end = time.time() + 20
            while "policies" not in open(page.name).read() and time.time() < end:
                time.sleep(0.1)
            lines = lines_by_title(open(page.name).read())
            said = {t: subprocess.run(["sh", "-c", c], capture_output=True, text=True, timeout=30).stdout
                    for t, c in lines.items()}
            try:
                find = lambda words: next(v for k, v in said.items() if words in k)  # noqa: E731
                assert "notes__write_note" in find("alice sees every tool"), said
                assert "notes__write_note" not in find("bob sees fewer"), said
                assert "notes__read_note" in find("bob sees fewer"), said
                assert '"written"' in find("alice writes"), said
                assert "apples, bread" in find("bob may read"), said
                assert '"isError":true' in find("alice is refused"), said
                assert "Unknown tool: notes__write_note" in find("for bob"), said
                assert '"chat.completion"' in find("bob talks"), said
                assert "data: [DONE]" in find("word by word"), said
                assert "sallyport_requests_total" in find("numbers"), said
                assert '"caller"' in find("what happened"), said
                policy = os.path.join(where, "policies", "demo.yaml")
                with open(policy) as f:
                    text = f.read()
                with open(policy, "w") as f:
                    f.write(text + "  - id: nothing-for-bob\n    forbid: '*/*'\n    when: jwt.sub == \"bob\"\n")
                again = ""
                end = time.time() + 3
                while time.time() < end and '"tools":[]' not in again:
                    again = subprocess.run(["sh", "-c", next(c for t, c in lines.items() if "bob sees fewer" in t)],
                                           capture_output=True, text=True, timeout=30).stdout
                    time.sleep(0.1)
                assert '"tools":[]' in again, again
            finally:
                p.send_signal(signal.SIGINT)
                code = p.wait(timeout=20)
            log.seek(0)
            assert code == 0, log.read()
