"""The virtual machine under tests/vm/run and tests/vm/shell: its image, its disk, its QEMU process."""
import collections
import contextlib
import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
PATH = os.environ.get("PATH", "") + ":/sbin:/usr/sbin"
CONSOLE_LINES = 60
# What the guest's kernel is told: no work that a guest without hardware, thrown away after a minute, has no use for.
# no_timer_check: on a busy host the emulated timer seems broken to the kernel, which would panic.
KERNEL = ("console=ttyS0 root=/dev/vda rw quiet panic=-1 random.trust_cpu=on systemd.show_status=0 fsck.mode=skip "
          "systemd.getty_auto=no nowatchdog rcupdate.rcu_expedited=1 mitigations=off 8250.nr_uarts=1 no_timer_check")


class Trouble(Exception):
    """The guest could not be started or died; the text is for the person who waits for it."""


def image():
    """Folder of the guest image, built now if need be."""
    done = subprocess.run([os.path.join(HERE, "image")], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise Trouble("there is no guest image")
    return done.stdout.strip()


def accelerator(folder):
    """'kvm' where a guest really boots with it, else 'tcg'. /dev/kvm can be there and hang a guest: found out by booting,
    once for each image and kernel."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg"
    memory = os.path.join(folder, "accel-" + os.uname().release)
    with contextlib.suppress(FileNotFoundError), open(memory) as file:
        return file.read().strip()
    print("vm: finding out whether a guest boots with KVM", file=sys.stderr)
    probe = [os.path.join(HERE, "run"), "--accel", "kvm", "--boot-timeout", "45", "true"]
    works = subprocess.run(probe, stderr=subprocess.DEVNULL).returncode == 0
    answer = "kvm" if works else "tcg"
    with contextlib.suppress(OSError), open(memory, "w") as file:
        file.write(answer + "\n")
    return answer


def disk_of(directory):
    """A descriptor of an ext4 image with a copy of directory. The file has no name: nothing is left whoever is killed."""
    if not os.path.isdir(directory):
        raise Trouble(f"{directory} is not a directory")
    blocks, files = 0, 0
    for folder, folders, names in os.walk(directory):
        for name in (*folders, *names):
            blocks += os.lstat(os.path.join(folder, name)).st_blocks
            files += 1
    with tempfile.TemporaryDirectory(prefix="agentos-vm.") as scratch:
        path = os.path.join(scratch, "disk")
        subprocess.run(["mkfs.ext4", "-q", "-F", "-O", "^has_journal", "-m", "0", "-E", "root_owner=0:0", "-N", str(files * 5 // 4 + 1024),
                        "-d", directory, path, f"{blocks // 2048 * 5 // 4 + files // 2048 + 64}M"],
                       check=True, stdout=subprocess.DEVNULL, env={**os.environ, "PATH": PATH})
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)


def command_line(folder, accel, mode, memory, cpus, disk, rest, kernel=""):
    """QEMU's arguments. mode: 'run' or 'shell', which service the guest starts; disk: a descriptor or None."""
    if not (qemu := shutil.which("qemu-system-x86_64")):
        raise Trouble("needs qemu-system-x86_64; on Debian: apt-get install qemu-system-x86")
    argv = [qemu, "-no-user-config", "-nodefaults", "-no-reboot", "-display", "none", "-machine", "q35,i8042=off", "-m", memory,
            "-smp", str(cpus), "-cpu", "max,la57=off" if accel == "tcg" else "host",
            "-accel", "tcg,thread=multi" if accel == "tcg" else "kvm",
            "-kernel", folder + "/vmlinuz", "-initrd", folder + "/initrd", "-append", f"{KERNEL} agentos.vm={mode} {kernel}",
            "-drive", f"file={folder}/disk.img,format=raw,if=virtio,snapshot=on,cache=unsafe"]
    if disk is not None:
        argv += ["-drive", f"file=/proc/self/fd/{disk},format=raw,if=virtio,readonly=on"]
    return argv + rest


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: no QEMU outlives us, even if we are killed


@contextlib.contextmanager
def qemu(argv, descriptors, **streams):
    """A running QEMU that is gone afterwards."""
    process = subprocess.Popen(argv, pass_fds=descriptors, preexec_fn=die_with_parent, **streams)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


class Console:
    """The last lines of the guest's console, harmless to a terminal."""

    def __init__(self, echo):
        self.echo, self.partial, self.lines = echo, "", collections.deque(maxlen=CONSOLE_LINES)

    def feed(self, data):
        text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|[^\n\t -~]", "", data.decode("ascii", "replace"))
        *lines, self.partial = (self.partial + text).split("\n")
        self.lines.extend(lines)
        if self.echo and lines:
            print(*("console: " + line for line in lines), sep="\n", file=sys.stderr, flush=True)

    def tail(self):
        return "\n".join("  | " + line for line in (*self.lines, self.partial) if line)
