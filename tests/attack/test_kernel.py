# SPDX-License-Identifier: MIT
"""System calls, socket families, capabilities: what the kernel offers to the command."""

from field import *

@both_users
@without_nested
def test_privileges(kind):
    """No id, group, capability or securebit is gained."""
    rows = tried(boxed(kind, "privileges"))
    if kind in ("root", "rootfs"):   # what root inside may do to itself
        for own in ("setuid", "setgid", "setgroups", "securebits"):
            rows.pop(own)
    elif os.geteuid() == 0:          # it has these ids already
        del rows["setuid"], rows["setgid"]
    equal([what for what, outcome in rows.items() if outcome == "ok"], [], "what was gained")
    outside = tried(control("privileges", via=("unshare", "-Ur")))
    equal((outside["setuid"], outside["securebits"]), ("ok", "ok"), "control")


@both_users
@cases(own="own", root="root", nested="nested", host_network="host_network")
def test_capabilities_of_the_caller(kind):
    """Inheritable and ambient capabilities of the caller reach neither set of the command (CVE-2022-29162)."""
    held = ("setpriv", "--inh-caps=+net_raw,+sys_admin", "--ambient-caps=+net_raw,+sys_admin")
    via = held if os.geteuid() == 0 else ("unshare", "-Ur", *held)
    status = ["cat", "/proc/self/status"]
    outside = subprocess.run([*via, *status], capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL).stdout
    check(int(status_of(outside)["CapInh"], 16) and int(status_of(outside)["CapAmb"], 16), "control: %s" % outside)
    inside = status_of(sandbox(*KINDS[kind], "--", *status, via=via).out)
    for name in ("CapInh", "CapAmb"):
        equal(int(inside[name], 16), 0, name)
    lacks_admin = 1 << 21 | 1 << 13
    for name in ("CapPrm", "CapEff", "CapBnd"):
        if kind != "nested":
            equal(int(inside[name], 16) & lacks_admin, 0, name)
