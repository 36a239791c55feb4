# SPDX-License-Identifier: Apache-2.0
"""One quota over two replicas: the sum never passes it, though a replica is killed and Redis goes and comes back."""
import collections
import concurrent.futures

from house import mcp
from house.gateway import until
from house.redis import Redis
from house.replicas import POLICY, Replicas

LIMIT = 40
QUOTA = POLICY + f"""quotas:
  - {{ id: calls, for: {{ tools: ["*/*"] }}, limit: {LIMIT}, window: 1h, kind: fixed, cost: "1" }}
"""


class Spenders(Replicas):
    def spend(self, who, times, at=(0, 1), threads=8):
        """So many calls, by turns at these replicas and several at once: how often each status came."""
        token = self.issuer.token(who)

        def one(n):
            try:
                return mcp.call(self.gateways[at[n % len(at)]], "new__echo", {"text": "x"}, token).status
            except (OSError, EOFError):
                return "gone"
        with concurrent.futures.ThreadPoolExecutor(threads) as pool:
            return collections.Counter(pool.map(one, range(times)))


def test_two_replicas_pass_no_limit_together(binary):
    with Redis() as redis, Spenders(binary, redis.url, policy=QUOTA) as r:
        seen = {who: r.spend(who, 2 * LIMIT) for who in ("alice", "bob")}
        for who, n in seen.items():
            assert set(n) <= {200, 429} and n[200] == LIMIT, (who, n)

        first = r.spend("carol", LIMIT // 2)
        redis.kill()
        away = r.spend("carol", LIMIT, threads=2)
        assert set(away) <= {200, 503} and away[503] > 0, away
        redis.start()
        assert until(lambda: r.spend("carol", 1)[200] == 1, 30), "nothing is granted after Redis came back"
        back = r.spend("carol", 2 * LIMIT)
        assert first[200] + away[200] + 1 + back[200] <= LIMIT, (first, away, back)

        begun = r.spend("dave", LIMIT // 2)
        r.kill(0)
        rest = r.spend("dave", 2 * LIMIT, at=(1,))
        assert LIMIT // 2 < begun[200] + rest[200] <= LIMIT, (begun, rest)
