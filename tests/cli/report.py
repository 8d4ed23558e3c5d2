"""The page of `gihflow report`: its numbers are the file's, at every place of the slider, and it needs nothing else."""

import base64
import json
import re
import shutil
import tempfile
import time
import unittest
from pathlib import Path

import h5py
import numpy as np

from browser import complaints, open_browser, requested, show
from gihflow_testing import DirectoryTest, run

DATA = re.compile(r'<script type="application/json" id="data">(.*?)</script>', re.DOTALL)


def data_of(page):
    return json.loads(DATA.search(page.read_text())[1])


def reals(text):
    return np.frombuffer(base64.b64decode(text), "<f8")


def shares(text):
    return np.frombuffer(base64.b64decode(text), "<u2") / 65535


def reading(tokens, subsets, p, w, a, d, epsilon, first):
    """(2.1) to (2.4) for one sequence by their definition: weights of positions from `first` on, law of the next token."""
    sigma = np.exp(w - w.max(axis=1, keepdims=True))
    sigma /= sigma.sum(axis=1, keepdims=True)
    def head(l, h):  # l counted from 0
        v = np.zeros(d)
        for i, share in enumerate(sigma[h]):
            v[tokens[l - 1 - i]] += share
        return v
    query = [head(len(tokens), h) for h in range(len(w))]
    scores = []
    for l in range(first, len(tokens)):
        inner = [head(l, h) @ query[h] for h in range(len(w))]
        scores.append(a * sum(p[s] * np.prod([inner[h] for h in np.flatnonzero(row)]) for s, row in enumerate(subsets)))
    weights = np.exp(np.array(scores) - max(scores))
    weights /= weights.sum()
    y = np.bincount(tokens[first:], weights, d)
    return weights, (y + epsilon) / (1 + d * epsilon)


class Report(DirectoryTest):
    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory(prefix="gihflow_")
        cls.addClassCleanup(directory.cleanup)
        cls.trained = Path(directory.name) / "run.h5"
        run("gihflow", "train", "--quiet", "-o", cls.trained)

    def setUp(self):
        super().setUp()
        shutil.copy(self.trained, self.directory)
        self.page = self.directory / "run.html"
        self.file = h5py.File(self.directory / "run.h5")
        self.addCleanup(self.file.close)

    def gihflow(self, *words, expect=0):
        return run("gihflow", *words, expect=expect, cwd=self.directory)

    def report(self, *words):
        said = self.gihflow("report", *words, "--quiet")
        self.assertEqual(said.stderr, "")
        return said.stdout

    def test_the_page_has_all_numbers_and_nothing_else(self):
        self.assertEqual(self.report("run.h5"), "written to run.html; open it in a browser\n")
        text = self.page.read_text()
        self.assertLess(len(DATA.sub("", text)), 100_000)
        self.assertEqual(re.findall(r'(?:src|href)="(?!#|data:)|url\(|@import|fetch\(|XMLHttp', DATA.sub("", text)), [])
        [shown] = data_of(self.page)["runs"]
        for k, stage in enumerate(shown["stages"]):
            group = self.file[f"stage_{k + 1}"]
            self.assertEqual(set(stage["columns"]), {name for name, item in group.items() if isinstance(item, h5py.Dataset)})
            for name, values in stage["columns"].items():
                np.testing.assert_array_equal(reals(values), group[name][()].ravel(), name)
        self.assertEqual(shown["provenance"]["config"], self.file.attrs["config"])
        for name, value in shown["baselines"]["validation"].items():
            self.assertEqual(value, self.file["baselines/validation"][name][()])
        check = json.loads(self.gihflow("check", "run.h5", "--json").stdout)
        self.assertEqual(shown["check"]["points"][0]["total_variation"],
                         check["results"][0]["to_information_set"]["total_variation"])
        predicted = json.loads(self.gihflow("predict", "--config", "run.h5", "--json").stdout)["predictions"]
        self.assertEqual([(row["quantity"], row["sharp"], row["trained"]) for row in shown["predictions"]["rows"]],
                         [(row["quantity"], row["sharp"] or None, row["trained"] or None) for row in predicted])
        measured = {row["quantity"]: row["measured"] for row in shown["predictions"]["rows"]}
        self.assertEqual(measured["a at the end of the stage"], self.file["stage_3/a"][-1])

    def test_readings_are_those_of_the_definition(self):
        """The run's own sequences, read by an implementation that shares nothing with the program's."""
        self.report("run.h5")
        self.gihflow("sample", "--config", "run.h5", "--purpose", "train", "-o", "data.h5", "--quiet")
        with h5py.File(self.directory / "data.h5") as data:
            tokens, targets = data["tokens"][:4], data["targets"][:4]
        [shown] = data_of(self.page)["runs"]
        self.assertEqual(shown["sequences"]["lags"], [1, 2])
        for chain, sequence in enumerate(shown["sequences"]["list"]):
            self.assertEqual(sequence["tokens"], tokens[chain, :-1].tolist())
            self.assertEqual(sequence["label"], tokens[chain, -1])
            np.testing.assert_allclose(sequence["truth"], targets[chain], atol=1e-15)
            for k, i in ((0, 0), (0, 60), (1, 150), (2, 100), (2, 199)):
                group, stage = self.file[f"stage_{k + 1}"], sequence["stages"][k]
                weights, law = reading(tokens[chain, :-1].astype(int), self.file["subsets"][()], group["p"][i], group["w"][i],
                                       group["a"][i], 3, 0.01, first=3)
                np.testing.assert_allclose(reals(stage["law"]).reshape(-1, 3)[i], law, rtol=1e-12)
                row = shares(stage["weights"]).reshape(-1, len(sequence["taking_part"]))[i]
                np.testing.assert_allclose(row[sequence["class_of"]], [0, 0, 0, *weights], atol=1 / 65535)

    def test_other_kinds_of_runs(self):
        """Pages of runs without this or that say so and are drawn without a complaint."""
        browser = open_browser(type(self))
        small = ("--chains", "200", "--validation-chains", "0", "--stages", "cwa:50", "--outputs", "20", "--quiet")
        self.gihflow("train", "-o", "joint.h5", *small)
        self.gihflow("train", "-o", "gd.h5", *small, "--method", "gd", "--learning-rate", "0.5")
        self.gihflow("train", "-o", "infinite.h5", *small, "--context", "infinite")
        self.gihflow("train", "-o", "reference.h5", *small, "--preset", "reference", "--vocabulary", "4")
        self.gihflow("train", "-o", "one.h5", *small, "--heads", "1", "--degree", "1", "--window", "1", "--parents", "1")
        self.gihflow("train", "-o", "stopped.h5", *small, "--max-steps", "3", expect=5)
        self.gihflow("train", "-o", "tokens.h5", *small[:4], "--scores", "tokens", "--stages", "c:5,cwaqk:5", "--outputs", "5", "--quiet")
        self.gihflow("sample", "--chains", "50", "-o", "data.h5", "--quiet")
        self.gihflow("train", "-o", "given.h5", *small[4:], "--data", "data.h5")
        for name in ("joint", "gd", "infinite", "reference", "one", "stopped", "tokens", "given"):
            with self.subTest(name):
                self.report(f"{name}.h5")
                show(browser, self.directory / f"{name}.html")
                self.assertEqual(complaints(browser), [])
                self.assertTrue(browser.execute_script("return document.documentElement.dataset.ready"))
                self.assertNotIn("NaN", browser.execute_script("return document.body.innerText"))
                self.assertNotIn("undefined", browser.execute_script("return document.body.innerText"))
            if name == "tokens":
                self.drifts_are_shown(browser)
        self.assertIn("with 1024 windows", data_of(self.directory / "reference.html")["runs"][0]["predictions"]["reason"])
        self.assertIn("Not checked: given.h5: was trained on the sequences of data.h5", (
            browser.execute_script("return document.body.textContent")))
        (self.directory / "data.h5").rename(self.directory / "moved.h5")
        self.report("given.h5", "--force")
        self.assertIn("data.h5", data_of(self.directory / "given.html")["runs"][0]["sequences"]["reason"])
        self.report("given.h5", "--force", "--data", "moved.h5")
        self.assertEqual(len(data_of(self.directory / "given.html")["runs"][0]["sequences"]["list"]), 4)

    def drifts_are_shown(self, browser):
        """The last change of what the flow of a stage conserves is among its certificates."""
        heads, *rows = browser.execute_script("""
            const table = [...document.querySelectorAll('table')].find(t => t.textContent.includes('energy residual'));
            return [...table.querySelectorAll('tr')].map(r => [...r.children].map(c => c.dataset.value || c.textContent))""")
        shown = json.loads(self.gihflow("show", "tokens.h5", "--json").stdout)["stages"]
        self.assertTrue({"balancedness_drift", "key_sum_drift"} <= set(shown[1]))
        for row, stage in zip(rows, shown):
            told = {name: float(value) for name, value in zip(heads, row) if name.endswith(" drift")}
            self.assertEqual(told, {name.replace("_", " "): x for name, x in stage.items() if name.endswith("_drift")})

    def test_many_outputs_are_thinned(self):
        self.gihflow("train", "--stages", "c:10,w:10", "--outputs", "1000", "-o", "fine.h5", "--chains", "100", "--quiet")
        self.report("fine.h5")
        with h5py.File(self.directory / "fine.h5") as file:
            for k, stage in enumerate(data_of(self.directory / "fine.html")["runs"][0]["stages"]):
                times = file[f"stage_{k + 1}/t"][()]
                self.assertEqual((stage["outputs"], stage["shown"]), (1000, 400))
                shown = reals(stage["columns"]["t"])
                self.assertTrue(set(shown) <= set(times))
                self.assertEqual((shown[0], shown[-1]), (0, 10))

    def test_refusals(self):
        (self.directory / "text.h5").write_text("no")
        self.page.write_text("mine")
        for words, part in ((["report"], "report: must be followed by the paths of run files"),
                            (["report", "none.h5", "text.h5"], "none.h5: no such file\nerror: text.h5: "),
                            (["report", "run.h5"], "run.html: ")):
            self.assertIn(part, self.gihflow(*words, expect=2).stderr)
        self.assertEqual(self.page.read_text(), "mine")

    # --- In a browser --------------------------------------------------------------------------------

    def opened(self, *runs, **size):
        self.report(*(runs or ["run.h5"]), "-o", "run.html", "--force")
        browser = open_browser(type(self))
        show(browser, self.page, **size)
        return browser

    def value(self, browser, selector):
        return float(browser.execute_script(f"return document.querySelector('{selector}').dataset.value"))

    def test_slider_gives_the_numbers_of_the_file(self):
        browser = self.opened()
        outputs = [len(self.file[f"stage_{k}/t"]) for k in (1, 2, 3)]
        sequences = data_of(self.page)["runs"][0]["sequences"]["list"]
        chosen = int(browser.execute_script("return document.querySelector('.hero select').value"))
        for index in (0, 1, 17, outputs[0] - 1, outputs[0], outputs[0] + 99, sum(outputs) - 1):
            browser.execute_script("const s = document.getElementById('slider'); s.value = arguments[0];"
                                   "s.dispatchEvent(new Event('input'))", index)
            k, i = (0, index) if index < outputs[0] else divmod(index, outputs[0])
            group = self.file[f"stage_{k + 1}"]
            for s in range(7):
                self.assertEqual(self.value(browser, f'[data-name="p {s}"]'), group["p"][i, s])
            for h in range(3):
                for j in range(3):
                    self.assertEqual(self.value(browser, f'[data-name="attention {h} {j}"]'), group["attention"][i, h, j])
            law = reals(sequences[chosen]["stages"][k]["law"]).reshape(-1, 3)[i]
            self.assertEqual([self.value(browser, f'[data-law="{e}"]') for e in range(3)], law.tolist())
            words = browser.execute_script("return document.getElementById('slider').getAttribute('aria-valuetext')")
            self.assertIn(f"Stage {'I' * (k + 1)} ", words)
        self.assertEqual(complaints(browser), [])

    def test_nothing_is_asked_for_and_it_is_quick(self):
        browser = self.opened()
        self.assertEqual({url.partition(":")[0] for url in requested(browser)} - {"data"}, {"file"})
        self.assertEqual(complaints(browser), [])
        ready = []
        for _ in range(3):  # the best of three: other processes may be in the way
            show(browser, self.page)
            ready.append(float(browser.execute_script("return document.documentElement.dataset.ready")))
        self.assertLess(min(ready), 1000)

    def test_keys_play_and_pause(self):
        from selenium.webdriver.common.keys import Keys
        browser = self.opened()
        body = browser.find_element("tag name", "body")
        index = lambda: int(browser.execute_script("return document.getElementById('clock').dataset.index"))
        last = index()
        for key, wanted in ((Keys.HOME, 0), (Keys.ARROW_RIGHT, 1), (Keys.ARROW_RIGHT, 2), (Keys.ARROW_LEFT, 1), (Keys.END, last)):
            body.send_keys(key)
            self.assertEqual(index(), wanted, key)
        body.send_keys(Keys.SPACE)
        end = time.monotonic() + 20
        while not 5 < index() < last and time.monotonic() < end:
            time.sleep(0.05)
        body.send_keys(Keys.SPACE)
        paused = index()
        self.assertGreater(paused, 5)
        self.assertLess(paused, last)
        browser.execute_async_script("setTimeout(arguments[0], 300)")
        self.assertEqual(index(), paused)

    def test_widths_runs_side_by_side_and_print(self):
        self.gihflow("train", "--seed", "2", "--stages", "cwa:500", "--outputs", "50", "-o", "other.h5", "--quiet")
        browser = self.opened("run.h5", "other.h5")
        width = lambda: browser.execute_script("return document.documentElement.scrollWidth")
        boxes = lambda: browser.execute_script("return [...document.querySelectorAll('.run')].map(r => r.getBoundingClientRect().left)")
        self.assertEqual(len(set(boxes())), 2)
        for w in (1600, 900, 400, 320):
            show(browser, self.page, width=w)
            self.assertEqual(width(), w)
        self.assertEqual(len(set(boxes())), 1)
        self.assertGreater(len(base64.b64decode(browser.print_page())), 10_000)
        closed = lambda: browser.execute_script("return document.querySelectorAll('details:not([open])').length")
        before = closed()
        self.assertGreater(before, 0)
        browser.execute_script("dispatchEvent(new Event('beforeprint'))")
        self.assertEqual(closed(), 0)
        browser.execute_script("dispatchEvent(new Event('afterprint'))")
        self.assertEqual(closed(), before)
        self.assertEqual(complaints(browser), [])

    def test_hovering_gives_numbers_and_tables_copy(self):
        browser = self.opened()
        hover = """const e = arguments[0], box = e.getBoundingClientRect();
                   e.dispatchEvent(new PointerEvent('pointermove', {bubbles: true, clientX: box.left + 0.99 * box.width, clientY: box.top + 20}));
                   return document.getElementById('tip').textContent"""
        plot = browser.find_element("css selector", "section[aria-label^='Scale a'] svg.plot")
        self.assertRegex(browser.execute_script(hover, plot), r"^Stage III.*, t = 5,000\na  7\.12")
        [token] = browser.execute_script("return [...document.querySelectorAll('.hero .tokens:not(.before) span.match')].slice(-1)")
        self.assertRegex(browser.execute_script(hover, token), r"place \d+: token [A-C]\nweight 0\.0\d")
        copied = browser.execute_async_script("""
            const done = arguments[0], written = [];
            Object.defineProperty(navigator, 'clipboard', {value: {writeText: async text => { written.push(text); }}});
            const button = document.querySelector("section[aria-label^='First attention'] .copy");
            button.click();
            setTimeout(() => done([button.textContent, ...written]), 100)""")
        self.assertEqual(copied[0], "Copied")
        cells = [row.split("\t")[1:] for row in copied[1].splitlines()[1:]]
        np.testing.assert_array_equal(np.array(cells, float), self.file["stage_3/attention"][-1])

    def test_everything_has_a_name(self):
        """What a screen reader is told of: plots, controls and tables with names, one page heading, numbers as tables."""
        browser = self.opened()
        nameless = browser.execute_script("""
            return [...document.querySelectorAll('button, select, input, svg[role=img], section, [role=group]')].filter(e =>
              !(e.getAttribute('aria-label') || e.textContent.trim())).map(e => e.outerHTML.slice(0, 80))""")
        self.assertEqual(nameless, [])
        self.assertEqual(browser.execute_script("return document.querySelectorAll('h1').length"), 1)
        self.assertEqual(browser.execute_script(
            "return [...document.querySelectorAll('table')].filter(t => !t.querySelector('th[scope=col]')).length"), 0)
        self.assertIn("99 % of the second attention", browser.execute_script(
            "return document.querySelector('.hero .only-spoken').textContent"))


if __name__ == "__main__":
    unittest.main()
