"""A sweep under Slurm: munged, slurmctld and slurmd of Debian's packages on the loopback address, with all that they write in
a folder of the test; skipped where they are not installed. The job is the one that `sweep --sbatch` prints."""

import json
import os
import shutil
import socket
import subprocess
import time
import unittest
from pathlib import Path

import h5py

from gihflow_testing import PROGRAM, DirectoryTest, contents, run

NEEDED = {"munged": "munge", "slurmctld": "slurmctld", "slurmd": "slurmd", "sbatch": "slurm-client"}
PATH = f"{PROGRAM.parent}:{os.environ['PATH']}:/usr/sbin:/sbin"

# proctrack/cgroup would need systemd; NoInAddrAny keeps the daemons on the loopback address; two cores, whatever there are.
CONFIG = """ClusterName=gihflow
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock
CommunicationParameters=NoInAddrAny
SlurmctldPort={port}
SlurmdPort={next_port}
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
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=1,batch_sched_delay=0,defer
ReturnToService=2
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=debug Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""

# About a second each by the slow engine, so that a signal finds members at work.
PLAN = """engine = "reference"
chains = 20
validation-chains = 0
outputs = 10
checkpoint-every = 0
method = "gd"
stages = ["w:100"]
[grid]
length = [60, 61, 62, 63]
seed = [1, 2]
"""


def two_free_ports():
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
                return port
            except OSError:
                continue


def why_not():
    missing = sorted(package for name, package in NEEDED.items() if shutil.which(name, path=PATH) is None)
    if missing:
        return f"without the packages {', '.join(missing)}"
    return "slurmd runs as root" if os.geteuid() != 0 else ""


@unittest.skipIf(why_not(), why_not())
class Slurm(DirectoryTest):
    def setUp(self):
        super().setUp()
        self.folder = self.directory / "slurm"
        for name in ("", "state", "spool"):
            (self.folder / name).mkdir()
        self.folder.chmod(0o755)
        (self.folder / "munge.key").write_bytes(os.urandom(1024))
        (self.folder / "munge.key").chmod(0o400)
        config = self.folder / "slurm.conf"
        host, port = socket.gethostname().split(".")[0], two_free_ports()
        config.write_text(CONFIG.format(folder=self.folder, host=host, user="root", port=port, next_port=port + 1))
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("SLURM")}
        self.environment.update(SLURM_CONF=str(config), PATH=PATH)
        munge = {name: f"{self.folder}/munge.{name}" for name in ("sock", "pid", "seed", "log")}
        self.daemon("munged", "--foreground", "--force", f"--key-file={self.folder}/munge.key", f"--socket={munge['sock']}",
                    f"--pid-file={munge['pid']}", f"--seed-file={munge['seed']}", f"--log-file={munge['log']}")
        self.wait_for(lambda: (self.folder / "munge.sock").exists(), "munged")
        self.daemon("slurmctld", "-D", "-i")
        self.daemon("slurmd", "-D", "-N", host)
        self.wait_for(lambda: "idle" in self.slurm("sinfo", "-h", "-o", "%t", expect=None).stdout, "a node that is idle")

    def daemon(self, *command):
        # Debian's names are behind alternatives, which some systems lack.
        name = shutil.which(command[0], path=PATH)
        log = open(self.folder / f"{command[0]}.out", "w")
        process = subprocess.Popen([name, *command[1:]], env=self.environment, stdout=log, stderr=log,
                                   stdin=subprocess.DEVNULL, start_new_session=True)
        log.close()

        def stop():
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

        self.addCleanup(stop)

    def slurm(self, *command, **keywords):
        return run(*command, cwd=self.directory, env=self.environment, **keywords)

    def logs(self):
        return "\n".join(f"--- {path.name}\n{path.read_text(errors='replace')[-2000:]}"
                         for path in [*self.folder.glob("*.log"), *self.folder.glob("*.out"), *self.directory.glob("*.out")])

    def wait_for(self, condition, what, seconds=300):
        deadline = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), deadline, f"no {what}\n{self.logs()}")
            time.sleep(0.1)

    def jobs(self):
        """(job, task, state) of each task that has not ended."""
        lines = self.slurm("squeue", "-h", "-r", "-o", "%A %K %T").stdout.splitlines()
        return [tuple(line.split()) for line in lines]

    def sweep(self, *options):
        return self.slurm("gihflow", "sweep", "plan.toml", *options)

    def status(self):
        return json.loads(self.sweep("-d", "out", "--status", "--json", "--shard", "1/1").stdout)

    def release(self):
        """A requeued job is held back for two minutes. slurmd refuses one that begins in the second in which it was
        killed: its credential is revoked."""
        time.sleep(3)
        for job, _, state in self.jobs():
            if state == "PENDING":
                self.slurm("scontrol", "update", f"JobId={job}", "StartTime=now", expect=None)

    def test_an_array_is_signalled_and_requeued(self):
        (self.directory / "plan.toml").write_text(PLAN)
        self.sweep("-d", "serial", "--jobs", "1", "--quiet", "--shard", "1/1")
        script = self.sweep("-d", "out", "--sbatch", "--jobs", "1", "--shard", "1/2").stdout
        (self.directory / "job.sh").write_text(script)
        array = self.slurm("sbatch", "--parsable", "job.sh").stdout.strip().split(";")[0]
        # as soon as each task is at work
        self.wait_for(lambda: self.status()["running"] == 2 and len(list(self.directory.glob("out/*.h5"))) >= 2, "members at work")
        before = {entry["name"] for entry in self.status()["list"] if entry["state"] == "done"}
        self.slurm("scancel", "--signal=USR1", "--batch", array)
        self.wait_for(lambda: all(state == "PENDING" for *_, state in self.jobs()), "requeued tasks")
        self.assertEqual(len(self.jobs()), 2, self.logs())
        status = self.status()
        self.assertEqual(status["running"], 0)
        self.assertLess(status["done"], 8)
        self.assertGreater(status["begun"], 0)
        interrupted = {entry["name"] for entry in status["list"] if entry["state"] == "begun"}
        self.release()
        self.wait_for(lambda: not self.jobs(), "end of the array", 600)
        self.assertEqual(self.status()["done"], 8, self.logs())
        for path in sorted(Path(self.directory / "serial").glob("*.h5")):
            self.assertEqual(contents(self.directory / "out" / path.name), contents(path), path.name)
            with h5py.File(self.directory / "out" / path.name) as file:
                processes = len(file["execution/processes/started"])
                self.assertEqual(processes, 2 if path.stem in interrupted else 1, f"{path.name}, done before: {before}")
                self.assertEqual(file.attrs["outcome"], "reached")


if __name__ == "__main__":
    unittest.main()
