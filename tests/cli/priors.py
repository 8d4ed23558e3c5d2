"""Priors, starts, queries, texts and the recall task on the command line: they are followed everywhere, or refused in words."""

import json

from gihflow_testing import DirectoryTest, run

SMALL = ("--chains", "40", "--validation-chains", "10", "--length", "30", "--stages", "c:2,w:2,a:2", "--outputs", "4")
TEXT = "the quick brown fox jumps over the lazy dog; " * 80


class Priors(DirectoryTest):
    def gihflow(self, *words, expect=0):
        return run("gihflow", *words, expect=expect, cwd=self.directory)

    def json(self, *words):
        return json.loads(self.gihflow(*words, "--json").stdout)

    def refused(self, *words):
        return self.gihflow(*words, expect=2).stderr

    def test_a_prior_is_followed_by_every_command(self):
        for prior in ("lazy:0.6", "permutation:0.2", "low-rank:2", "mixture:3"):
            with self.subTest(prior):
                given = ("--prior", prior, *SMALL)
                run_of = self.json("train", *given, "-o", "run.h5", "--force")
                self.assertEqual(run_of["outcome"], "reached")
                self.assertIn(f'prior = "{prior}"', self.gihflow("show", "--config", "run.h5").stdout)
                again = self.json("train", "--config", "run.h5", "-o", "again.h5", "--force")
                self.assertEqual(again["tokens_hash"], run_of["tokens_hash"])
                other = self.json("train", *SMALL, "-o", "other.h5", "--force")
                self.assertNotEqual(other["tokens_hash"], run_of["tokens_hash"])
                self.assertTrue(self.json("predict", *given[:2], "--chains", "40", "--length", "30")["predictions"])
                self.assertTrue(self.json("rank", "--prior", prior, "--chains", "40")["sets"])
                own = json.loads(self.gihflow("check", "run.h5", "--json", expect=None).stdout)["results"][0]
                fresh = json.loads(self.gihflow("check", "run.h5", "--prior", "dirichlet", "--json",
                                                expect=None).stdout)["results"][0]
                self.assertNotEqual(own["loss"], fresh["loss"])

    def test_the_posterior_of_a_mixture_is_a_baseline(self):
        lines = self.json("train", "--prior", "mixture:2", "--initial-law", "uniform", *SMALL)["baselines"]["training"]
        self.assertLess(lines["posterior_loss"], lines["gih_loss"])
        self.assertAlmostEqual(lines["posterior_loss"], lines["entropy_floor"],
                               delta=5.0 * lines["posterior_loss_standard_error"])

    def test_far_parents_need_no_stationary_law(self):
        far = ("sample", "--parents", "1,9", "--chains", "5", "--length", "20", "-o", "far.h5")
        self.assertIn("--initial-law uniform and burn-in:B have no such limit", self.refused(*far))
        self.gihflow(*far, "--initial-law", "burn-in:500")

    def test_a_text_gives_kernels_or_passages(self):
        (self.directory / "a.txt").write_text(TEXT)
        ranked = self.json("rank", "--text", "a.txt", "--vocabulary", "4", "--parents", "1", "--passage", "300",
                           "--chains", "12")
        self.assertTrue(ranked["sets"])
        given = ("--text", "a.txt", "--vocabulary", "4", "--parents", "1", "--initial-law", "uniform", *SMALL)
        first = self.json("train", *given, "-o", "run.h5")
        (self.directory / "a.txt").rename(self.directory / "b.txt")
        self.assertIn("a.txt", self.refused("check", "run.h5"))
        self.gihflow("check", "run.h5", "--text", "b.txt", expect=None)
        passages = self.json("train", "-o", "p.h5", "--text", "b.txt", "--text-as", "passages", "--vocabulary", "4", *SMALL)
        self.assertNotEqual(passages["tokens_hash"], first["tokens_hash"])
        self.assertIn("the passages of 31 characters in b.txt",
                      self.refused("train", "--text", "b.txt", "--text-as", "passages", "--chains", "5000", "--length", "30"))
        (self.directory / "c.txt").write_bytes(b"\xff\xfe")
        self.assertIn("must be UTF-8", self.refused("rank", "--text", "c.txt"))
        self.assertIn("--text none.txt: must be a file that exists", self.refused("rank", "--text", "none.txt"))

    def test_the_recall_task(self):
        given = ("--task", "recall", "--vocabulary", "5", "--window", "1", "--heads", "1", "--degree", "1")
        self.json("train", *given, *SMALL, "-o", "run.h5")
        points = json.loads(self.gihflow("check", "run.h5", "--lengths", "50,5000", "--json", expect=None).stdout)["results"]
        self.assertEqual([p["length"] for p in points], [50, 5000])
        for point in points:
            self.assertAlmostEqual(point["accuracy"], point["recall_accuracy"],
                                   delta=5.0 * point["accuracy_standard_error"] + 0.1)
            self.assertEqual(point["baselines"]["best_accuracy"], 1.0)
        self.gihflow("sample", *given[:4], "--chains", "3", "--length", "9", "-o", "data.h5")
        self.json("evaluate", "--data", "data.h5", "--window", "1", "--heads", "1", "--degree", "1")
        said = json.loads(self.gihflow("predict", *given, "--chains", "40", "--json").stdout)["predictions"]
        self.assertIn("recall_plateau", [line["name"] for line in said])
        self.assertIn("--task recall: must be chain in --context infinite", self.refused("train", *given, "--context", "infinite"))
        self.assertIn("--alphas", self.refused("check", "run.h5", "--alphas", "1"))

    def test_uniform_queries(self):
        own = self.json("evaluate", "--chains", "50", "--length", "30")
        asked = self.json("evaluate", "--chains", "50", "--length", "30", "--query", "uniform")
        self.assertNotEqual(own["loss"], asked["loss"])
        self.assertIn("--query uniform: must be chain in --context infinite",
                      self.refused("train", "--query", "uniform", "--context", "infinite"))

    def test_rates_of_stages(self):
        given = ("--method", "gd", *SMALL, "--learning-rate", "1,0.5,1", "--rate-schedule", "cosine", "--warm-up", "1")
        stages = self.json("train", *given, "-o", "run.h5")["stages"]
        self.assertEqual([stage["accepted_steps"] for stage in stages], [2, 4, 2])
        self.assertIn("learning-rate = [1.0, 0.5, 1.0]", self.gihflow("show", "--config", "run.h5").stdout)
        self.assertIn("--learning-rate 1,2: must be one number, or one for each of the 3 stages",
                      self.refused("train", "--method", "gd", *SMALL, "--learning-rate", "1,2"))

    def test_what_a_prior_cannot_be(self):
        for prior, sentence in (("lazy:1", "RHO must be at least 0 and below 1"),
                                ("mixture:0", "K must be between 1 and"),
                                ("fixed:1,0", "must have --vocabulary^3 = 27 of them"),
                                ("doubly-stochastic", "--parents 1,2: must be one lag"),
                                ("gamma", "one of dirichlet, doubly-stochastic, lazy:RHO")):
            with self.subTest(prior):
                self.assertIn(sentence, self.refused("train", "--prior", prior))
