"""Which module may include which: the layers of the design, one row for each module.

A module is a folder under src, or one under include/agentos. A row names what the module may include besides itself.
Services never include one another: they talk through model and ports.
"""

FOUNDATION = {"base", "os", "model", "ports"}
PURE = {"policy", "sandbox/compile"}
SERVICES = {"process", "scheduler", "capability", "registry", "recovery", "gateway"}
ADAPTERS = {"sandbox/process", "sandbox/container", "sandbox/vm", "sandbox/language", "store/sqlite", "store/postgres",
            "store/redis", "store/s3", "bus/local", "bus/nats", "bus/a2a", "observer", "observer/journal"}

MAY_INCLUDE = {
    "base": set(),
    "os": {"base"},
    "model": {"base"},
    "ports": {"base", "model"},
    "client": {"base", "os"},  # the only installed API: it must not drag the rest along
    "policy": {"base", "model", "ports"},
    "sandbox/compile": {"base", "model", "ports", "policy"},  # a plan is made of a policy and what the host can do
    "workspace": {"base", "os", "model"},  # changes, commit and discard of an agent's layer, with the caller's rights
    **{module: FOUNDATION | PURE for module in SERVICES},
    **{module: FOUNDATION | PURE for module in ADAPTERS},
    # Programs: nobody includes them, and they take only what they are made of.
    "daemon": FOUNDATION | PURE | SERVICES | ADAPTERS - {"sandbox/container"},
    "gatewayd": FOUNDATION | PURE | {"gateway"},
    "spawnd": {"base", "os", "model", "sandbox/compile", "sandbox/container"},  # root: nothing that parses for others
    "init": {"base", "model"},  # runs beside a hostile agent
    "probe": set(),  # stands in for one
    "cli": {"base", "os", "model", "workspace", "client", "observer/journal"},  # it verifies a journal by itself
}

# Where a thread beside the first is started, and the tests that run it under ThreadSanitizer (ctest label unit-threads).
# Everything else is single-threaded: agentos-spawnd, agentos-init and the CLI have one thread each.
THREADS = {
    "src/daemon/http/fd_disposal.cpp": "http_server_test",  # close(2) of a descriptor that may never come back
    "src/daemon/api.hpp": "daemon_test",  # the user database, which may be a directory service
    "src/observer/journal/journal.hpp": "journal_test",  # to search old segments
}
