"""The kernels' functions that hold what students come to see (src/cpu/access.S, src/cpu/invalidate.c), for a debugger's breakpoints."""

SIZES = (1, 2, 4, 8)
STOPS = {
    **{op: [f"cpu_{timed}{op}{size}" for timed in ("", "timed_", "stop_") for size in SIZES] for op in ("read", "write")},
    "exec": ["cpu_exec", "cpu_timed_exec", "cpu_stop_exec"],
    "invlpg": [f"cpu_{timed}invlpg{fs}" for timed in ("", "timed_", "stop_") for fs in ("", "_fs")],
    "invpcid": ["cpu_invpcid", "cpu_timed_invpcid", "cpu_stop_invpcid"],
    **{f"cr{n}": [f"cpu_load_cr{n}"] for n in (0, 3, 4)},
}
