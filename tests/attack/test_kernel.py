# SPDX-License-Identifier: MIT
"""System calls, socket families, capabilities: what the kernel offers to the command."""

from field import *

REFUSED = ("EPERM", "ENOSYS", "SIGSYS")
ABIS = ("native", "i386", "x32")
# What a box with namespaces of its own needs; the kernel judges it by capabilities.
NESTING = {"mount", "umount2", "pivot_root", "open_tree", "move_mount", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr",
           "unshare", "clone", "clone3", "setns", "sethostname", "setdomainname"}


def reached(result):
    """The calls that came as far as the kernel's own code."""
    return {what for what, outcome in tried(result).items() if outcome not in REFUSED}


@every_user
@cases(**{"%s_%s" % (kind, abi): (kind, abi) for kind in KINDS for abi in ABIS})
def test_calls(kind, abi):
    """No call that a box has no use for is reached: natively, by `int 0x80`, by x32. With --nested those of namespaces are."""
    got = reached(boxed(kind, "calls", abi, "as-root"))
    equal(got - (NESTING if kind == "nested" and abi == "native" else set()), set(), "calls that were reached")


@every_user
def test_calls_control():
    """With the filter off most of them are: the other layers alone stand behind it."""
    native = reached(boxed("own", "calls", "native", "as-root", options=("--seccomp", "off")))
    check({"keyctl", "bpf", "perf_event_open", "io_uring_setup", "mount", "open_by_handle_at"} <= native and len(native) > 20, "reached natively: %s" % native)
    i386 = reached(boxed("own", "calls", "i386", "as-root", options=("--seccomp", "off")))
    check(not i386 or {"getpid", "socketcall", "keyctl"} <= i386, "reached by int 0x80: %s" % i386)   # none, where the kernel has no i386


@every_user
def test_calls_of_i386():
    """--multiarch lets ordinary calls of i386 through, and the same as ever are refused."""
    equal(reached(boxed("own", "calls", "i386", "as-root", options=("--multiarch",))) - {"getpid", "getuid", "close", "socketcall"}, set(), "calls that were reached")
    equal(reached(boxed("own", "calls", "x32", "as-root", options=("--multiarch",))), set(), "calls of x32")


@every_user
@each_kind
def test_socket_families(kind):
    """Of socket families only those that programs use are there; the others do not exist, as far as they can tell."""
    rows = tried(boxed(kind, "families"))
    equal(sorted(what for what, outcome in rows.items() if outcome == "ok"), [] if kind == "landlock" else ["inet", "inet6", "netlink-route", "unix"],
          "families that worked")
    strange = {what: outcome for what, outcome in rows.items() if outcome not in ("ok", "EAFNOSUPPORT", "EPROTONOSUPPORT")}
    equal(strange, {}, "answers that upset programs")
    outside = [what for what, outcome in tried(control("families")).items() if outcome == "ok"]
    check("netlink-netfilter" in outside or "netlink-audit" in outside, "control: %s" % outside)


@every_user
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


@every_user
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
