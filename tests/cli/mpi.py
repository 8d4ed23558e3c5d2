"""Runs that mpirun shares among processes: the bits of one process, whatever their number, and how such a job ends."""

import os
import shutil
import signal
import subprocess
import time
import unittest

import h5py

from gihflow_testing import DirectoryTest, PROGRAM, cmake_cache, run

# Three parts of chains to train on, two to validate.
PARTS = ("--chains", "140000", "--validation-chains", "70000", "--length", "8", "--outputs", "5", "--threads", "1")
STAGES = ("--stages", "c:50,wa:10")
# Root and more processes than cores, as tests may have them; one that waits does not spin; no ptrace in containers.
ENVIRONMENT = os.environ | {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_btl_vader_single_copy_mechanism": "none",
    "OMPI_MCA_mpi_yield_when_idle": "1",
}


@unittest.skipUnless(cmake_cache("GIHFLOW_MPI", "OFF") == "ON", "was built without MPI")
@unittest.skipUnless(shutil.which("mpirun"), "needs mpirun")
class Mpi(DirectoryTest):
    def mpirun(self, count, *arguments):
        return ("mpirun", "--oversubscribe", "-n", str(count), str(PROGRAM), *arguments)

    def train(self, count, name, *options, expect=0):
        return run(*self.mpirun(count, "train", *options, "-o", name), cwd=self.directory, env=ENVIRONMENT, expect=expect)

    def check_same(self, one, other):
        found = run("gihflow", "diff", one, other, cwd=self.directory).stdout
        self.assertIn("equal bit for bit", found)

    def test_any_number_of_processes_has_the_same_bits(self):
        alone = run("gihflow", "train", *PARTS, *STAGES, "-o", "one.h5", cwd=self.directory).stdout
        for count in (1, 2, 3, 5):
            with self.subTest(count):
                shared = self.train(count, f"{count}.h5", *PARTS, *STAGES).stdout
                self.assertEqual(shared.count("reached"), alone.count("reached"), shared)  # said by the first alone
                self.check_same("one.h5", f"{count}.h5")

    def test_a_run_goes_on_in_another_number_of_processes(self):
        run("gihflow", "train", *PARTS, *STAGES, "-o", "one.h5", cwd=self.directory)
        self.train(3, "run.h5", *PARTS, *STAGES, "--max-steps", "4", expect=5)
        run(*self.mpirun(2, "train", "--resume", "run.h5", "--max-steps", "1000"), cwd=self.directory, env=ENVIRONMENT)
        self.check_same("one.h5", "run.h5")
        with h5py.File(self.directory / "run.h5") as file:
            self.assertEqual(file["execution/processes/ranks"][:].tolist(), [3, 2])
            self.assertEqual(file["execution"].attrs["ranks"], 2)
        self.assertIn("2 processes of 1 thread each", run("gihflow", "show", "run.h5", cwd=self.directory).stdout)

    def test_an_error_is_said_once(self):
        errors = self.train(3, "run.h5", "--chains", "0", expect=2).stderr
        self.assertEqual(errors.count("error: --chains 0: must be"), 1, errors)
        errors = self.train(3, "run.h5", "--chains", "10", "--engine", "reference", expect=2).stderr
        self.assertEqual(errors.count("error: --engine reference: works in one process; there are 3"), 1, errors)

    def test_a_process_that_dies_ends_the_job_and_leaves_a_file_that_goes_on(self):
        run("gihflow", "train", *PARTS, "--stages", "w:40", "--rtol", "1e-11", "-o", "one.h5", cwd=self.directory)
        job = subprocess.Popen(
            self.mpirun(3, "train", *PARTS, "--stages", "w:40", "--rtol", "1e-11", "--checkpoint-every", "0", "-o", "run.h5"),
            cwd=self.directory, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 120
        written = set()
        while len(written) < 3:  # a file is replaced as a whole: the start and two steps
            self.assertLess(time.monotonic(), deadline)
            if (self.directory / "run.h5").exists():
                written.add((self.directory / "run.h5").stat().st_mtime_ns)
            time.sleep(0.01)
        members = subprocess.run(["ps", "-o", "pid=,args=", "--ppid", str(job.pid)], capture_output=True, text=True).stdout
        pids = [int(line.split()[0]) for line in members.splitlines() if str(PROGRAM) in line]
        self.assertEqual(len(pids), 3, members)
        os.kill(max(pids), signal.SIGKILL)
        _, errors = job.communicate(timeout=120)
        self.assertNotEqual(job.returncode, 0)
        self.assertIn("signal 9", errors)
        run(*self.mpirun(2, "train", "--resume", "run.h5"), cwd=self.directory, env=ENVIRONMENT)
        self.check_same("one.h5", "run.h5")


if __name__ == "__main__":
    unittest.main()
