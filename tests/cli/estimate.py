"""What --dry-run says of a command's memory: at most means at most, in every regime, and saying it takes a moment."""

import json
import os
import subprocess
import time
import unittest

from gihflow_testing import PROGRAM, DirectoryTest, run

TRAIN = ("train", "--stages", "c:1,w:1,a:1", "--validation-chains", "0")
REGIMES = {
    "the paper's setting": ("train",),
    "long sequences": (*TRAIN, "--chains", "20", "--length", "1000000"),
    "many chains": (*TRAIN, "--chains", "100000", "--length", "50"),
    "partial windows": (*TRAIN, "--preset", "reference", "--chains", "500"),
    "a sparse table of windows": (*TRAIN, "--vocabulary", "16", "--window", "5", "--chains", "100", "--engine", "sparse"),
    "the reference engine": (*TRAIN, "--engine", "reference", "--chains", "20", "--length", "20"),
    "two matrices of 2,304 states to draw from": (*TRAIN, "--vocabulary", "48", "--chains", "1", "--threads", "1"),
    "wide windows, their accuracy": (*TRAIN, "--task", "recall", "--vocabulary", "16", "--length", "256", "--chains", "4000"),
    "all positions": (*TRAIN, "--positions", "all", "--chains", "1000"),
    "infinite context": (*TRAIN, "--context", "infinite", "--vocabulary", "6", "--chains", "20"),
    "batches drawn anew": (*TRAIN, "--method", "gd", "--batch", "50", "--resample", "--chains", "2000"),
    "a file of data": ("sample", "--chains", "20000"),
    "a file of kernels": ("sample", "--vocabulary", "24", "--chains", "50", "--kernels-output", "kernels.h5"),
    "gradient descent beside the flow": ("compare", "--stages", "c:5", "--learning-rates", "1,0.5", "--chains", "2000"),
    "matrices recorded often": ("train", "--preset", "full", "--vocabulary", "20", "--window", "1", "--heads", "1", "--degree", "1",
                                "--parents", "1", "--chains", "50", "--validation-chains", "10", "--length", "60", "--stages",
                                "cwaqkvn:20", "--method", "gd", "--learning-rate", "0.1", "--outputs", "400"),
    "matrices and a Jacobian": ("train", "--preset", "full", "--vocabulary", "8", "--chains", "20", "--validation-chains", "0",
                                "--length", "20", "--stages", "cwaqkvn:3", "--integrator", "rodas5p", "--outputs", "5"),
}


class Memory(DirectoryTest):
    def promised(self, *command):
        return json.loads(run("gihflow", *command, "--dry-run", "--json", cwd=self.directory).stdout)

    def taken(self, *command):
        """The largest resident size of the program, its child that reads files left out."""
        process = subprocess.Popen([PROGRAM, *command, "--quiet", "--force", "-o", "out.h5"], cwd=self.directory,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(process.returncode, 0, process.stderr.read())
        process.stderr.close()
        return 1024 * used.ru_maxrss

    def test_at_most_means_at_most(self):
        for name, command in REGIMES.items():
            with self.subTest(name):
                promised, taken = self.promised(*command), self.taken(*command)
                print(f"{name}: {taken / 2**20:.0f} of at most {promised['memory_bytes'] / 2**20:.0f} MiB")
                self.assertLessEqual(taken, promised["memory_bytes"])
                self.assertLessEqual((self.directory / "out.h5").stat().st_size, promised["disk_bytes"])

    def test_a_dry_run_takes_a_moment(self):
        for command in (("--chains", "10", "--length", "200000000", "--validation-chains", "0"),
                        ("--vocabulary", "64", "--chains", "8", "--validation-chains", "8"),
                        ("--context", "infinite", "--vocabulary", "12", "--chains", "20", "--validation-chains", "0"),
                        ("--chains", "300000", "--stages", "c:1000000,w:1000000,a:1000000")):
            with self.subTest(command):
                began = time.monotonic()
                self.promised("train", *command)
                self.assertLess(time.monotonic() - began, 60)  # seconds on an idle machine


if __name__ == "__main__":
    unittest.main()
