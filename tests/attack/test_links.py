# SPDX-License-Identifier: MIT
"""What an earlier run planted: symbolic links for every kind of destination, and exchanges of names
while a box is set up. Nothing outside may be made, changed, covered or shown."""

import threading

from field import *


def target():
    """A directory of the host with a file in it, where links lead."""
    place = elsewhere()
    write(place + "/file", "before", 0o666)
    folder_in = place + "/folder"
    os.mkdir(folder_in)
    os.chmod(folder_in, 0o777)
    return place


def same(place, before):
    equal((tree(place), read(place + "/file")), before, "the directory outside")


# How the planted link leads out: absolute, and by more ".." than there are directories.
LEADS = {"absolute": lambda path: path, "climbing": lambda path: "../" * 20 + path[1:], "magic": lambda path: "/proc/self/root" + path,
         "cwd": lambda path: "/proc/self/cwd/" + "../" * 20 + path[1:]}

# Every option that has a destination, for one below the planted link.
DESTINATIONS = {
    "volume": lambda at, source: ("-v", source + ":" + at + "/new/deep"),
    "volume_of_a_file": lambda at, source: ("-v", source + "/source:" + at + "/new"),
    "onto_a_folder": lambda at, source: ("-v", source + ":" + at + "/folder"),
    "onto_a_file": lambda at, source: ("-v", source + "/source:" + at + "/file"),
    "file": lambda at, source: ("--file", at + "/made=planted"),
    "onto_file": lambda at, source: ("--file", at + "/file=planted"),
    "tmpfs": lambda at, source: ("--tmpfs", at + "/new"),
    "tmpfs_onto": lambda at, source: ("--tmpfs", at + "/folder"),
    "hide": lambda at, source: ("--hide", at + "/file"),
    "protect": lambda at, source: ("--protect", at + "/folder"),
    "workdir": lambda at, source: ("-w", at + "/folder"),
}
MATRIX = {"%s_%s" % (name, lead): (name, lead) for name in DESTINATIONS for lead in LEADS}


def wanted(name, lead):
    """What is not there needs neither hiding nor protection; a link through /proc is never followed."""
    if name == "workdir":
        return "E-WORKDIR"
    return "ran" if name in ("hide", "protect") and lead in ("absolute", "climbing") else "E-DEST"


def sources():
    place = elsewhere()
    write(place + "/source", "source")
    return place


@every_user
@cases(**MATRIX)
def test_link_in_a_volume(name, lead):
    """A link in a writable volume takes no destination outside."""
    place, volume = target(), elsewhere()
    before = tree(place), read(place + "/file")
    os.symlink(LEADS[lead](place), volume + "/link")
    probe()
    with untouched(place):
        got = ends(wanted(name, lead), "-v", volume + ":/tmp/v", *DESTINATIONS[name]("/tmp/v/link", sources()), "--", "./probe", "write", "planted", "/tmp/v/link/made", "/tmp/v/link/file")
    equal(set(tried(got).values()), {"ENOENT"} if got.code == 0 else set(), "what was written through the link")
    same(place, before)
    equal(read(volume + "/link/file"), "before", "control: the link leads there outside")


@every_user
@cases(**MATRIX)
def test_link_in_a_root_directory(name, lead):
    """A link in a root directory takes no destination outside."""
    place, root = target(), attack_root()
    before = tree(place), read(place + "/file")
    os.symlink(LEADS[lead](place), root + "/link")
    with untouched(place):
        got = ends(wanted(name, lead), "--rootfs", root, "--userns", "root", *DESTINATIONS[name]("/link", sources()), "--", "/probe", "write", "planted", "/link/made", "/link/file")
    equal(set(tried(got).values()), {"ENOENT"} if got.code == 0 else set(), "what was written through the link")
    same(place, before)


TOPS = ("dev", "proc", "sys", "run", "tmp", "etc", "dev/pts", "dev/shm", "dev/null", "dev/console", "dev/ptmx", "proc/sys", "run/secrets", "etc/resolv.conf",
        "etc/hosts", "etc/mtab", "etc/passwd", "etc/group")


@every_user
@cases(**{top.replace("/", "_").replace(".", "_"): (top,) for top in TOPS})
def test_link_at_a_place_of_ours(top):
    """Links in a root directory where /dev, /proc and files of ours are to stand change nothing outside."""
    for lead in ("absolute", "climbing"):
        place, root = target(), attack_root()
        before = tree(place), read(place + "/file")
        for name in ("dev", "proc", "sys"):   # else --read-only has no place for them
            os.makedirs(root + "/" + name, exist_ok=True)
        path = os.path.join(root, top)
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        elif os.path.lexists(path):
            os.unlink(path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.symlink(LEADS[lead](place + ("/file" if "." in top or top in ("dev/null", "dev/console", "etc/passwd", "etc/group", "etc/hosts") else "/folder")), path)
        for options in ((), ("--network", "host"), ("--secret", "key=" + place + "/file"), ("--read-only",)):
            # /dev, /proc and /sys must be directories; a secret needs a /run/secrets that is there or can be made
            refused_here = top in ("dev", "proc", "sys") or ("--secret" in options and top in ("run", "run/secrets"))
            with untouched(place):
                ends("E-DEST" if refused_here else "ran", "--rootfs", root, "--userns", "root", *options,
                     "--", "/probe", "write", "planted", "/" + top, "/" + top + "/x", "/dev/null", "/etc/resolv.conf")
            same(place, before)
        shutil.rmtree(root)


class Swapper(threading.Thread):
    """Exchanges a directory and a link, as fast as it can (renameat2 with RENAME_EXCHANGE)."""

    def __init__(self, one, other):
        super().__init__()
        self.names = one.encode(), other.encode()
        self.ending = threading.Event()
        self.count = 0

    def run(self):
        libc = ctypes.CDLL(None)
        while not self.ending.is_set():
            libc.renameat2(-100, self.names[0], -100, self.names[1], 2)
            self.count += 1

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.join()


@every_user
@cases(volume=("-v", "{s}:/tmp/v/at/new", ("E-DEST",)), onto=("-v", "{s}:/tmp/v/at/folder", ("ran", "E-DEST")), file=("--file", "/tmp/v/at/made=x", ("E-DEST",)),
       tmpfs=("--tmpfs", "/tmp/v/at/folder", ("ran", "E-DEST")), hide=("--hide", "/tmp/v/at/file", ("ran",)), protect=("--protect", "/tmp/v/at/folder", ("ran", "E-DEST", "E-MOUNT")))
def test_exchanged_during_start(option, value, ways):
    """A directory of a volume that is exchanged for a link while the box is set up: sixty starts each."""
    place, volume, probed = target(), elsewhere(), probe()
    before = tree(place), read(place + "/file")
    shutil.copytree(place, volume + "/at")
    os.symlink(place, volume + "/link")
    value = value.format(s=sources())
    with Swapper(volume + "/at", volume + "/link") as swapper, untouched(place):
        runs = [sandbox("-v", volume + ":/tmp/v", option, value, "--", "./" + os.path.basename(probed), "write", "planted", "/tmp/v/at/new/x", "/tmp/v/at/folder/x")
                for _ in range(60)]
    check(swapper.count > 1000, "control: exchanged only %d times" % swapper.count)
    if option == "--protect":   # it is luck whether an exchange hits between its looks, and which of them then finds nothing
        ended = {outcome(got) for got in runs}
        check({"ran"} <= ended <= set(ways), "outcomes: %s" % ended)
    else:
        raced(ways, runs)
    # what the command itself writes lands in the volume; through the link it would land outside
    same(place, before)


@every_user
@cases(volume=("-v", "{s}:/at/new/deep"), onto=("-v", "{s}:/at/folder"), file=("--file", "/at/made=x"), tmpfs=("--tmpfs", "/at/new"))
def test_exchanged_in_a_root_directory(option, value):
    """The same in a root directory, where missing names are made: never in the directory the link names."""
    place, root = target(), attack_root()
    before = tree(place), read(place + "/file")
    shutil.copytree(place, root + "/at")
    os.symlink(place, root + "/link")
    value = value.format(s=sources())
    with Swapper(root + "/at", root + "/link") as swapper, untouched(place):
        runs = [sandbox("--rootfs", root, "--userns", "root", option, value, "--", "/bin/true") for _ in range(60)]
    check(swapper.count > 1000, "control: exchanged only %d times" % swapper.count)
    raced(("ran", "E-DEST"), runs)
    same(place, before)
