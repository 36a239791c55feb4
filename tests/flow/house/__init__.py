# SPDX-License-Identifier: Apache-2.0
"""What the flow tests need: the gateway as a process, upstreams to put behind it, clients to put before it."""
