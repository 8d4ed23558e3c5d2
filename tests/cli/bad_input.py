"""Command lines and configs that are no good: exit code 2, one sentence per error with field, value and what is allowed,
all of them at once, before any work; nothing printed, nothing written, an existing output untouched."""

import shlex
import unittest

from gihflow_testing import DirectoryTest, run

REAL = "must be a finite number above 0"
PRECISION = "must be a finite number of at least 1e-16"
ANY_REAL = "must be a finite number"
NOT_NEGATIVE = "must be a finite number of at least 0"
SMOOTHING = "must be 0, or a finite number of at least 1e-300"
COUNT = "must be an integer of at least 1"
LAGS = "must be increasing lags of at least 1, as in 1,2"
STAGE = "a stage is BLOCKS:TIME with letters of c, w, a, q, k, v, n, each once, and TIME > 0 in flow time"
MEMORY = "that this machine gives"
KERNEL = "must not exceed 4294967296"
FILE = "must be followed by the path of a file"

# command line: the beginning of each sentence it gets, and what that sentence says further on
LINES = {
    # sizes
    "train --vocabulary 65536": [("--vocabulary 65536:", "must be an integer from 2 to 65535")],
    "train --vocabulary 1": [("--vocabulary 1:", "must be an integer from 2 to 65535")],
    "train --vocabulary -3": [("--vocabulary -3:", "must be an integer from 2 to 65535")],
    "train --vocabulary 3.0": [("--vocabulary 3.0:", "must be an integer")],
    "train --vocabulary 3e0": [("--vocabulary 3e0:", "must be an integer")],
    "train --vocabulary +3": [("--vocabulary +3:", "must be an integer")],
    "train --vocabulary 65535 --window 8": [("--parents 1,2:", KERNEL)],
    "train --vocabulary 65535 --parents 1,2,3,4": [("--parents 1,2,3,4:", KERNEL)],
    "sample --vocabulary 60000 --parents 1,2": [("--parents 1,2:", KERNEL)],
    "train --chains 0": [("--chains 0:", COUNT)],
    "train --chains -1": [("--chains -1:", COUNT)],
    "train --chains 1e18": [("--chains 1e18:", COUNT)],
    "train --chains 9223372036854775808": [("--chains 9223372036854775808:", COUNT)],
    "train --chains 9223372036854775807": [("--chains 9223372036854775807: need with --validation-chains 1000 and --length 100 up to", MEMORY)],
    "train --positions all --chains 9223372036854775807": [("--chains 9223372036854775807: need with", MEMORY)],
    "train --positions all --validation-chains 0 --chains 1 --length 4294967296": [("--chains 1: need with --length 4294967296 up to", MEMORY)],
    "train --device cpu --chains 100000000000": [
        ("--chains 100000000000: need with --validation-chains 1000 and --length 100 up to 60.9 TiB", MEMORY)],
    "train --validation-chains -1": [("--validation-chains -1:", "must be an integer of at least 0")],
    "train --validation-chains 1000000000000": [("--chains 9000: need with --validation-chains 1000000000000 and --length 100", MEMORY)],
    "train --context infinite --window 45": [("--window 45:", "fewer than 2^62")],
    "train --context infinite --vocabulary 300": [("--chains 9000: need with --validation-chains 1000 up to", MEMORY)],
    "rank --vocabulary 1000 --window 6": [("--chains 9000: need up to", MEMORY)],
    "rank --threads 2 --parents 1,50": [("--chains 9000: need up to 5859164056482897", "PiB of memory: must fit")],
    "sample --chains 100000000000000": [("--chains 100000000000000: need with --length 100 up to", MEMORY),
                                        ("--output data.h5: takes up to 20.8 PiB", "free on its disk")],
    "train --length 0": [("--length 0:", "must be an integer from 1 to")],
    "train --length 1000000000000": [("--length 1000000000000:", "must be an integer from 1 to 4294967296")],
    "train --length 3": [("--length 3:", "must exceed the widest lag, 3, with --boundary masked")],
    "train --length 2 --parents 5": [("--length 2:", "must be at least the longest parent lag, 5")],
    "train --heads 5 --head-windows shifted --length 5": [("--length 5:", "must exceed the widest lag, 7")],
    "train --heads 0": [("--heads 0:", "must be an integer from 1 to 30")],
    "train --heads 31 --window 31": [("--heads 31:", "must be an integer from 1 to 30")],
    "train --heads 5": [("--heads 5:", "must be at most the --window, 3")],
    "train --window 0": [("--window 0:", "must be an integer from 1 to 65535")],
    "train --window 70000": [("--window 70000:", "must be an integer from 1 to 65535")],
    "train --degree -1": [("--degree -1:", "must be an integer from 0 to 30")],
    "train --degree 4": [("--degree 4:", "must be at most the number of --heads, 3")],
    "train --heads 30 --window 30 --degree 30": [("--degree 30 of 30 elements:", "must not exceed 16777216")],
    "train --outputs 1": [("--outputs 1:", "must be an integer from 2 to 10000000")],
    "train --outputs 1000000000000": [("--outputs 1000000000000:", "must be an integer from 2 to 10000000")],
    # lags
    "train --parents 0": [("--parents 0:", LAGS)],
    "train --parents 2,1": [("--parents 2,1:", LAGS)],
    "train --parents 1,1": [("--parents 1,1:", LAGS)],
    "train --parents 1,,2": [("--parents 1,,2:", LAGS)],
    "train --parents 1,2,": [("--parents 1,2,:", LAGS)],
    "train --parents a": [("--parents a:", LAGS)],
    "train --parents 1,1000000000": [("--length 100:", "longest parent lag"), ("--parents 1,1000000000:", "must not exceed 4096")],
    "train --parents 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22": [("--parents 1,2,3", KERNEL)],
    # reals
    "train --alpha nan": [("--alpha nan:", REAL)],
    "train --alpha inf": [("--alpha inf:", REAL)],
    "train --alpha 0": [("--alpha 0:", REAL)],
    "train --alpha -0.1": [("--alpha -0.1:", REAL)],
    "train --alpha 0,1": [("--alpha 0,1:", REAL)],
    "train --alpha 0x10": [("--alpha 0x10:", REAL)],
    "train --alpha 1e": [("--alpha 1e:", REAL)],
    "train --alpha 1e999": [("--alpha 1e999:", REAL)],
    "train --alpha ' 1'": [("--alpha  1:", REAL)],
    "train --floor nan": [("--floor nan:", NOT_NEGATIVE)],
    "train --floor -0.1": [("--floor -0.1:", NOT_NEGATIVE)],
    "train --floor 0.34": [("--floor 0.34:", "must be at least 0 and below 1/--vocabulary = 0.3333333333333333")],
    "train --epsilon -1": [("--epsilon -1:", SMOOTHING)],
    "train --epsilon inf": [("--epsilon inf:", SMOOTHING)],
    "train --epsilon 1e-301": [("--epsilon 1e-301:", SMOOTHING)],
    "train --epsilon 5e-324": [("--epsilon 5e-324:", SMOOTHING)],
    "train --w-own nan": [("--w-own nan:", ANY_REAL)],
    "train --w-other inf": [("--w-other inf:", ANY_REAL)],
    "train --a-init inf": [("--a-init inf:", ANY_REAL)],
    "train --values matrix --value-init 1e200": [("--value-init 1e+200:", "must be a number between -1e+70 and 1e+70")],
    "train --scores tokens --qk-init -1e71": [("--qk-init -1e+71:", "must be a number between -1e+70 and 1e+70")],
    "train --rectify=maybe": [("--rectify maybe:", "must be true or false")],
    "train --rectify=2": [("--rectify 2:", "must be true or false")],
    "train --own-position=99999999999999999999": [("--own-position 99999999999999999999:", "must be true or false")],
    "train --own-position=": [("--own-position:", "must be true or false")],
    "train --rectify --rectify=false": [("--rectify is given 2 times:", "must be given once")],
    "train --head-lags 1,2;2": [("--head-lags 2 lists:", "must be one list for each of the --heads, 3")],
    "train --head-lags 2,1": [("--head-lags 2,1:", "must be increasing lags of at least 1 for each head")],
    "train --c-init 0": [("--c-init 0:", "must be a finite number other than 0")],
    "train --c-init nan": [("--c-init nan:", "must be a finite number other than 0")],
    "train --rtol 0": [("--rtol 0:", PRECISION)],
    "train --rtol nan": [("--rtol nan:", PRECISION)],
    "train --atol -1": [("--atol -1:", NOT_NEGATIVE)],
    "train --max-wall 0": [("--max-wall 0:", REAL)],
    "train --max-wall nan": [("--max-wall nan:", REAL)],
    "train --checkpoint-every -1": [("--checkpoint-every -1:", NOT_NEGATIVE)],
    "train --first-output 0": [("--first-output 0:", REAL)],
    "train --first-output 1e9": [("--first-output 1000000000:", "must be less than every TIME of --stages, 2000 at least")],
    "train --max-steps 0": [("--max-steps 0:", COUNT)],
    "train --threads 0": [("--threads 0:", "must be an integer from 1 to 1024")],
    "train --threads 1025": [("--threads 1025:", "must be an integer from 1 to 1024")],
    "train --threads 1.5": [("--threads 1.5:", "must be an integer from 1 to 1024")],
    "train --seed -1": [("--seed -1:", "must be an integer of at least 0")],
    "train --seed 99999999999999999999": [("--seed 99999999999999999999:", "must be an integer of at least 0 and below 2^63")],
    # stages
    "train --stages c": [("--stages: 'c' has no TIME;", STAGE)],
    "train --stages c:": [("--stages: 'c:' has no TIME;", STAGE)],
    "train --stages :1": [("--stages: ':1' names no block;", STAGE)],
    "train --stages cc:1": [("--stages: 'cc:1' names block 'c' twice;", STAGE)],
    "train --stages x:1": [("--stages: 'x:1' has the unknown block 'x';", STAGE)],
    "train --stages c:0": [("--stages: 'c:0' has the TIME 0,", STAGE)],
    "train --stages c:-1": [("--stages: 'c:-1' has the TIME -1,", STAGE)],
    "train --stages c:nan": [("--stages: 'c:nan' has the TIME nan,", STAGE)],
    "train --stages c:inf": [("--stages: 'c:inf' has the TIME inf,", STAGE)],
    "train --stages c:1e400": [("--stages: 'c:1e400' has the TIME '1e400',", STAGE)],
    "train --stages ,": [("--stages: '' names no block;", STAGE)] * 2,
    "train --stages c:1,w:2,x:3,:4": [("--stages: 'x:3'", STAGE), ("--stages: ':4'", STAGE)],
    "train --stages=": [("--stages:", "must be followed by stages BLOCKS:TIME")],
    # choices
    "train --prior gamma": [("--prior gamma:", "must be one of dirichlet, doubly-stochastic")],
    "train --boundary open": [("--boundary open:", "must be masked or partial")],
    "train --preset other": [("--preset other:", "must be paper, reference or full")],
    "train --readout linear": [("--readout linear:", "must be log or softmax")],
    "train --context long": [("--context long:", "must be finite or infinite")],
    "train --device tpu": [("--device tpu:", "must be auto, cpu or cuda")],
    "train --engine fast": [("--engine fast:", "must be auto, dense, sparse or reference")],
    "train --integrator rk4": [("--integrator rk4:", "must be auto, dopri5, fehlberg78, rodas5p or rosenbrock4")],
    "train --method sgd": [("--method sgd:", "must be flow or gd")],
    "train --optimizer rmsprop": [("--optimizer rmsprop:", "must be gd, momentum or adam")],
    "train --labels posterior": [("--labels posterior:", "allowed with --initial-law uniform only")],
    "train --labels true": [("--labels true:", "must be conditional, sampled or posterior")],
    # gradient descent
    "train --method gd --learning-rate 0": [("--learning-rate 0:", REAL)],
    "train --method gd --learning-rate nan": [("--learning-rate nan:", REAL)],
    "train --method gd --learning-rate 1e-300": [("--stages: 'c:2000' takes 2e+303 steps", "at most 2^53"),
                                                 ("--stages: 'w:50000'", ""), ("--stages: 'a:5000'", "")],
    "train --method gd --stages c:5 --learning-rate 100": [("--stages: 'c:5' rounds to no step", "TIME must be")],
    "train --method gd --batch -1": [("--batch -1:", "must be an integer of at least 0")],
    "train --method gd --batch 10000": [("--batch 10000:", "must be between 0 (all chains) and the number of chains, 9000")],
    "compare --learning-rates 0": [("--learning-rates 0:", "must be numbers above 0")],
    "compare --learning-rates 1,nan": [("--learning-rates 1,nan:", "must be numbers above 0")],
    "compare --learning-rates ,": [("--learning-rates ,:", "must be numbers above 0")],
    "compare --learning-rates 1,1": [("--learning-rates 1: is named twice", "once")],
    "compare --stages c:2 --learning-rates 1e9": [("--learning-rates 1000000000:", "must be a whole number")],
    # files
    "train --config": [("--config:", FILE)],
    "train --config .": [("--config .:", "must be a regular file or a pipe")],
    "train --config /dev/zero": [("--config /dev/zero:", "must be at most 1 MiB")],
    "train --config nowhere.toml": [("--config nowhere.toml:", "no such file")],
    "train -o": [("--output:", FILE)],
    "train --output=": [("--output:", FILE)],
    "train -o /": [("--output /:", "exists and is not a regular file")],
    "train -o /dev/full": [("--output /dev/full:", "exists and is not a regular file")],
    "train -o nowhere/x.h5": [("--output nowhere/x.h5:", "must be in a directory that exists")],
    "train -o precious.h5/x.h5": [("--output precious.h5/x.h5:", "must be in a directory that exists")],
    "train -o precious.h5": [("--output precious.h5:", "exists already; give --force")],
    "sample --kernels-output data.h5": [("--kernels-output data.h5:", "must differ from --output")],
    "sample --kernels-output /nowhere/k.h5": [("--kernels-output /nowhere/k.h5:", "directory that exists")],
    "train --data nowhere.h5": [("nowhere.h5:", "no such file")],
    "train --data precious.h5": [("precious.h5:", "is not a readable HDF5 file"),
                                 ("--output precious.h5:", "must not be a file that is read")],
    "train --validation-data nowhere.h5": [("nowhere.h5:", "no such file")],
    "train --kernels k.h5 --data d.h5": [("--kernels k.h5:", "must not be given beside --data d.h5")],
    "train --context infinite --data d.h5": [("--data d.h5:", "must be left out in --context infinite, which needs --kernels")],
    "train --method gd --resample --context infinite": [("--resample:", "must be left out in --context infinite")],
    "sample --kernels-output o.h5 --kernels nowhere.h5": [("nowhere.h5:", "no such file"),
                                                          ("--kernels-output o.h5:", "must be left out beside --kernels")],
    "train --stages " + ",".join(1001 * ["c:1"]): [("--stages: 1001 of them:", "must be at most 1000")],
    "train --resume nowhere.h5": [("nowhere.h5:", "no such file")],
    "train --resume precious.h5": [("precious.h5:", "is not a readable HDF5 file")],
    "evaluate --parameters nowhere.h5": [("nowhere.h5:", "no such file")],
    "show": [("show:", "must be followed by the path of a run file")],
    "show precious.h5": [("precious.h5:", "is not a readable HDF5 file")],
    "check nowhere.h5 --tolerance -1": [("--tolerance -1:", REAL)],
    "check nowhere.h5 --lengths x": [("--lengths x:", "must be lengths of at least 1")],
    "diff a": [("diff:", "must be followed by the paths of two files")],
    # usage
    "trian": [("trian:", "no such command; the nearest is train")],
    "train --alhpa 1": [("--alhpa:", "train has no such option; the nearest is --alpha")],
    "train -x": [("-x:", "train has no such option")],
    "train word": [("word:", "unexpected argument of train")],
    "train ''": [("'':", "unexpected argument of train")],
    "train train": [("train:", "unexpected argument of train")],
    "train sample": [("sample:", "unexpected argument of train")],
    "train --quiet=1": [("--quiet:", "takes no value")],
    "train --json=maybe": [("--json:", "takes no value")],
    "train --alpha=0.1 --alpha=0.2": [("--alpha is given 2 times:", "must be given once")],
    "--quiet train": [("--quiet:", "must come after the command")],
    "evaluate -o x.h5": [("-o:", "evaluate has no such option")],
    "show a b": [("b:", "unexpected argument of show")],
    # several at once
    "train --alhpa 1 --rtol 0 --stages c:0,a --labels posterior --data nowhere.h5 --seed x":
        [("--alhpa:", ""), ("--rtol 0:", ""), ("--stages: 'c:0'", ""), ("--stages: 'a'", ""), ("nowhere.h5:", ""),
         ("--seed x:", "")],
}

CONFIGS = {
    "alhpa = 1": ["unknown key alhpa; the nearest key is alpha"],
    "alpha = 1\nalpha = 2": ["line 2"],
    "alpha": ["not TOML"],
    "alpha = ": ["not TOML"],
    "alpha = \"x\"": ['alpha "x": must be a finite number above 0'],
    "alpha = nan": ["alpha nan: must be a finite number above 0"],
    "alpha = true": ["alpha true: must be a finite number above 0"],
    "alpha = [0.1]": ["alpha"],
    "alpha = 1979-05-27": ["alpha: must be a finite number above 0"],
    "chains = 1.5": ["chains 1.5: must be an integer of at least 1"],
    "chains = 9223372036854775808": ["not TOML"],
    "parents = [1, \"2\"]": ["parents: must be"],
    "parents = [1, [2]]": ["parents: must be"],
    "parents = [2, 1]": ["parents [2, 1]: must be"],
    "stages = [\"c:1\", \"c\"]": ["stages: 'c' has no TIME"],
    "stages = {c = 1}": ["stages: must be"],
    "quiet = 1": ["quiet 1: must be true or false"],
    "[train]\nalpha = 1": ["unknown key train"],
    "\"\" = 1": ["unknown key"],
    "alpha = 0.1\0": ["not TOML"],
    "alpha = \"\xff\"": ["not TOML"],
    "x = " + "[" * 5000: ["not TOML"],
    "seed = -1\nrtol = 0\nfloor = 2\nlength = \"long\"": ["seed -1:", "rtol 0:", "floor 2:", 'length "long":'],
    "# " + "x" * 2**20: ["must be at most 1 MiB"],
}


class BadInput(DirectoryTest):
    def setUp(self):
        super().setUp()
        (self.directory / "precious.h5").write_text("precious")

    def refused(self, *words):
        """The sentences, once it is clear that nothing was touched."""
        before = sorted(self.directory.iterdir())
        done = run("gihflow", *words, expect=2, cwd=self.directory, timeout=60)
        self.assertEqual(sorted(self.directory.iterdir()), before)
        self.assertEqual((self.directory / "precious.h5").read_text(), "precious")
        self.assertEqual(done.stdout, "")
        lines = done.stderr.splitlines()
        for line in lines:
            self.assertTrue(line.startswith("error: "), line)
        return [line.removeprefix("error: ") for line in lines]

    def test_command_lines(self):
        for line, sentences in LINES.items():
            words = shlex.split(line)
            if words[0] == "train" and words[-1] != "-o" and not {"-o", "--output=", "--resume"} & set(words):
                words[1:1] = ["--force", "--output=precious.h5"]
            with self.subTest(line):
                found = self.refused(*words)
                self.assertEqual(len(found), len(sentences), found)
                for start, rest in sentences:
                    self.assertTrue(any(s.startswith(start) and rest in s for s in found), (start, rest, found))
        self.assertGreater(len(LINES), 130)

    def test_configs(self):
        config = self.directory / "c.toml"
        for text, sentences in CONFIGS.items():
            config.write_bytes(text.encode("latin-1"))
            with self.subTest(text[:60]):
                found = self.refused("train", "--config", "c.toml", "--force", "-o", "precious.h5")
                self.assertEqual(len(found), len(sentences), found)
                for sentence in sentences:
                    self.assertTrue(any("c.toml" in s and sentence in s for s in found), (sentence, found))


if __name__ == "__main__":
    unittest.main()
