"""A Slurm of one node on the loopback interface, for tests: own folder, own key, own ports, no systemd."""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

#: Where Slurm looks when no environment tells it: job steps lose SLURM_CONF on their way.
SYSTEM_FILE = Path("/etc/slurm/slurm.conf")
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel")

CONFIGURATION = """\
ClusterName=symbreak
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
SlurmctldPort={controller_port}
SlurmdPort={node_port}
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SwitchType=switch/none
MpiDefault=none
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0,bf_interval=1
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
MinJobAge=600
KillWait=20
ReturnToService=2
SlurmctldTimeout=120
SlurmdTimeout=120
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory} Gres=gpu:4 State=UNKNOWN
PartitionName=test Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


class CannotRun(Exception):
    """Why no Slurm can be had here, in one sentence."""


def install() -> None:
    """Install Debian's packages where they are missing.

    Raises
    ------
    CannotRun
        If they are missing and cannot be installed.
    """
    if all(shutil.which(program) for program in PROGRAMS):
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise CannotRun("Slurm is not installed and only root on a Debian system can install it here")
    quiet = {"env": os.environ | {"DEBIAN_FRONTEND": "noninteractive"}, "capture_output": True}
    install = ["apt-get", "install", "--yes", "--no-install-recommends", "slurm-wlm", "munge"]
    for command in (["apt-get", "update"], install):
        try:
            answer = subprocess.run(command, timeout=300, **quiet)
        except subprocess.TimeoutExpired:
            raise CannotRun("apt-get did not install slurm-wlm and munge within five minutes") from None
    if answer.returncode or not all(shutil.which(program) for program in PROGRAMS):
        raise CannotRun(f"apt-get could not install slurm-wlm and munge (status {answer.returncode})")


class OneNodeSlurm:
    """The three daemons, from `start` to `stop`; `environment` is that of commands which talk to them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.daemons: list[subprocess.Popen] = []
        self.environment = os.environ | {"SLURM_CONF": str(folder / "slurm.conf")}

    def start(self) -> None:
        """Start the daemons and wait until the node takes jobs.

        Raises
        ------
        CannotRun
            If another Slurm is configured on this machine, or ours does not start.
        """
        if os.geteuid() != 0:
            raise CannotRun("Slurm's daemons of the tests need root")
        if (os.cpu_count() or 1) < 2:
            raise CannotRun("the jobs of the tests need two processors")
        self._configure()
        key, control = self.folder / "munge.key", self.folder / "munge.socket"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        self._launch(
            ["munged", "--foreground", f"--key-file={key}", f"--socket={control}"],
            [f"--{name}-file={self.folder}/munge.{name}" for name in ("pid", "log", "seed")],
        )
        self._await(control.exists, "munged opened no socket")
        configuration = self.environment["SLURM_CONF"]
        self._launch(["slurmctld", "-D", "-c", "-f", configuration])
        self._launch(["slurmd", "-D", "-f", configuration, "-N", _host()])
        self._await(lambda: self.ask("sinfo", "-h", "-o", "%T") == "idle", "the node did not become idle")

    def ask(self, *command: str) -> str:
        """Output of a Slurm command."""
        answer = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=60)
        return answer.stdout.strip()

    def stop(self) -> None:
        """Cancel all jobs, then end the daemons that were started here, and no others."""
        if len(self.daemons) == 3:
            self.ask("scancel", "--user=root")
            self.ask("scancel", "--user=root", "--signal=KILL")
            self._await(lambda: not self.ask("squeue", "-h"), "jobs did not end", patience=40, fatal=False)
        for daemon in reversed(self.daemons):
            daemon.send_signal(signal.SIGTERM)
            try:
                daemon.wait(timeout=20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        if SYSTEM_FILE.is_symlink() and SYSTEM_FILE.readlink() == self.folder / "slurm.conf":
            SYSTEM_FILE.unlink()

    def _configure(self) -> None:
        (self.folder / "state").mkdir()
        (self.folder / "spool").mkdir()
        for path in (self.folder, *self.folder.parents):  # munge's clients and slurmd go through them
            if os.stat(path).st_uid == 0 and path.is_relative_to("/tmp") and path != Path("/tmp"):
                path.chmod(0o755)
        total = int(Path("/proc/meminfo").read_text().split()[1]) // 1024
        text = CONFIGURATION.format(
            host=_host(),
            folder=self.folder,
            controller_port=_free_port(),
            node_port=_free_port(),
            cpus=os.cpu_count(),
            memory=total - min(512, total // 10),
        )
        (self.folder / "slurm.conf").write_text(text)
        (self.folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")
        for number in range(4):  # GPUs in name only
            (self.folder / f"gpu{number}").touch()
        (self.folder / "gres.conf").write_text(f"NodeName={_host()} Name=gpu File={self.folder}/gpu[0-3]\n")
        SYSTEM_FILE.parent.mkdir(exist_ok=True)
        if SYSTEM_FILE.is_symlink() and not SYSTEM_FILE.exists():
            SYSTEM_FILE.unlink()  # left by tests that were killed; it points nowhere
        try:
            SYSTEM_FILE.symlink_to(self.folder / "slurm.conf")
        except OSError as error:
            raise CannotRun(
                f"{SYSTEM_FILE} is needed for the tests' own Slurm and is taken ({error.strerror})"
            ) from None

    def _launch(self, *arguments: list[str]) -> None:
        command = [word for part in arguments for word in part]
        with open(self.folder / f"{command[0]}.output", "w") as output:
            daemon = subprocess.Popen(
                command, env=self.environment, stdout=output, stderr=output, start_new_session=True
            )
        self.daemons.append(daemon)

    def _await(self, holds, otherwise: str, patience: float = 60, fatal: bool = True) -> None:
        end = time.monotonic() + patience
        while time.monotonic() < end:
            if holds():
                return
            dead = [daemon.args[0] for daemon in self.daemons if daemon.poll() is not None]
            if dead:
                otherwise = f"{dead[0]} ended: " + (self.folder / f"{dead[0]}.output").read_text()[-300:]
                break
            time.sleep(0.2)
        if fatal:
            raise CannotRun(f"Slurm does not run here: {otherwise}")


def _host() -> str:
    return socket.gethostname().split(".")[0]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
