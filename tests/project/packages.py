"""The packages that the scripts install are those that CMake looks for and Python imports: none missing, none left over.

Each thing looked for has its package in a table here. A new dependency fails this test until the table and
scripts/packages, or scripts/packages-all, name its package.
"""

import ast
import json
import os
import re
import sys
import tomllib

from gihflow_testing import SOURCE, DirectoryTest, files, run

CMAKE = {
    "Boost": "libboost-dev",
    "CLI11": "libcli11-dev",
    "Eigen3": "libeigen3-dev",
    "GIHFLOW_PYTHON": "python3",
    "GIHFLOW_STRACE": "strace",
    "GIHFLOW_AEC_ARCHIVE": "libhdf5-dev",  # which brings it
    "GIHFLOW_HDF5_ARCHIVE": "libhdf5-dev",
    "GIHFLOW_HDF5_HL_ARCHIVE": "libhdf5-dev",
    "GIHFLOW_SZIP_ARCHIVE": "libhdf5-dev",
    "GIHFLOW_ZLIB_ARCHIVE": "libhdf5-dev",
    "HDF5": "libhdf5-dev",
    "Python": "python3-dev",
    "RANDOM123_INCLUDE_DIR": "librandom123-dev",
    "TBB": "libtbb-dev",
    "Threads": "g++",
    "Thrust": "libthrust-dev",
    "benchmark": "libbenchmark-dev",
    "doctest": "doctest-dev",
    "fmt": "libfmt-dev",
    "nlohmann_json": "nlohmann-json3-dev",
    "tomlplusplus": "libtomlplusplus-dev",
}
# looked for, done without where missing; the package, if scripts/test --all has it
OPTIONAL = {"CUDAToolkit": None, "Git": None, "MPI": "libopenmpi-dev", "SUNDIALS": "libsundials-dev", "diffrax": None, "jax": None, "mypy": None,
            "nanobind": None, "jupyterlab": None, "scipy": None, "selenium": "python3-selenium", "torch": None,
            "xarray": "python3-xarray"}
# what finds this project itself
OWN = {"gihflow"}
PYTHON = {
    "h5py": "python3-h5py",
    "matplotlib": "python3-matplotlib",
    "numpy": "python3-numpy",
    "tqdm": "python3-tqdm",
}
# generators and compilers of the presets, and what scripts ask for
TOOLS = {"Ninja": "ninja-build", "clang": "clang", "clang++": "clang", "clang-format": "clang-format", "doxygen": "doxygen",
         "sphinx-build": "python3-sphinx"}
ALWAYS = {"g++", "cmake", "python3", "python3-venv"}
# of scripts/packages-all and no other: how xarray reads HDF5, what tests run where it is there, what the site is made by
OF_ALL = {"chromium", "chromium-driver", "doxygen", "fish", "fonts-katex", "furo", "libjs-katex", "man-db", "munge", "openmpi-bin",
          "node-normalize.css", "python3-breathe", "python3-h5netcdf", "python3-myst-parser", "python3-sphinx",
          "slurm-wlm", "zsh"}
NEEDED = re.compile(r"\bcommand -v ([\w+-]+) *> */dev/null *\|\|")

LOOKED_FOR = re.compile(
    r"^[^#\n]*?\b(?:find_package|find_dependency|find_path|find_library|find_program|find_file|pkg_check_modules)"
    r"\s*\(\s*(\w+)", re.MULTILINE)


def listed(text):
    return {line.split()[0] for line in (line.partition("#")[0] for line in text.splitlines()) if line.strip()}


# the Python packages without which tests/CMakeLists.txt refuses an interpreter
PYTHON_REQUIRED = re.compile(r'^set\(gihflow_python_packages "([\w, ]+)"\)', re.MULTILINE)


def sought_by_cmake(text):
    return set(LOOKED_FOR.findall(text)) - OPTIONAL.keys() - OWN


def imported(text):
    names = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(node.module)
    return {name.partition(".")[0] for name in names}


def foreign(names, own):
    return names - own - OPTIONAL.keys() - set(sys.stdlib_module_names) - {"__future__"}


class Packages(DirectoryTest):
    def setUp(self):
        super().setUp()
        self.packages = listed((SOURCE / "scripts/packages").read_text())
        cmake_files = files("cmake", "tests", "experiments", suffixes={".cmake", ".in"})
        cmake_files += [path for path in files("analysis", "tests", "experiments", suffixes={".txt"})
                        if path.name == "CMakeLists.txt"]
        self.sought = set()
        for path in [SOURCE / "CMakeLists.txt", *(SOURCE / path for path in cmake_files)]:
            self.sought |= sought_by_cmake(path.read_text())
        python_files = files("analysis", "tests", "experiments", suffixes={".py"})
        own = {path.stem for path in python_files} | {"gihflow"}
        required = PYTHON_REQUIRED.search((SOURCE / "tests/CMakeLists.txt").read_text())
        self.modules = set(required[1].split(", "))
        for path in python_files:
            self.modules |= foreign(imported((SOURCE / path).read_text()), own)
        self.tools = set()
        for preset in json.loads((SOURCE / "CMakePresets.json").read_text())["configurePresets"]:
            variables = preset.get("cacheVariables", {})
            for name in (preset.get("generator"), variables.get("CMAKE_C_COMPILER"), variables.get("CMAKE_CXX_COMPILER")):
                self.tools |= {name} - {None}
        for path in (SOURCE / "scripts").iterdir():
            if path.name != "install-packages":
                self.tools |= set(NEEDED.findall(path.read_text()))
        self.of_all = listed((SOURCE / "scripts/packages-all").read_text())

    def test_everything_sought_has_its_package(self):
        for table, names in ((CMAKE, self.sought), (PYTHON, self.modules), (TOOLS, self.tools)):
            for name in sorted(names):
                with self.subTest(name):
                    self.assertIn(name, table, "no package is named for it")
                    self.assertIn(table[name], self.packages | (self.of_all & OF_ALL), "scripts/packages lacks it")

    def test_every_package_is_sought(self):
        needed = set(ALWAYS)
        needed |= {CMAKE[name] for name in self.sought if name in CMAKE}
        needed |= {PYTHON[name] for name in self.modules if name in PYTHON}
        needed |= {TOOLS[name] for name in self.tools if name in TOOLS}
        self.assertEqual(self.packages - needed, set())
        self.assertEqual(self.of_all, {package for package in OPTIONAL.values() if package} | OF_ALL)
        self.assertFalse(self.of_all & self.packages)

    def test_analysis_declares_what_it_imports(self):
        project = tomllib.loads((SOURCE / "pyproject.toml").read_text())["project"]
        declared = {re.match(r"[\w-]+", line)[0] for line in project["dependencies"]}
        used = set()
        for path in files("analysis/src", suffixes={".py"}):
            used |= foreign(imported((SOURCE / path).read_text()), {"gihflow"})
        self.assertEqual(declared, used)

    def test_what_is_recognised(self):
        text = "# find_package(Nothing)\nfind_package(Foo 1.2 REQUIRED)\n if(X) find_path(\n  BAR y.h)\nfind_package(Git)"
        self.assertEqual(sought_by_cmake(text), {"Foo", "BAR"})
        text = "import os, sympy.core\nfrom pandas import core\nfrom . import sibling\nimport gihflow"
        self.assertEqual(foreign(imported(text), {"gihflow"}), {"sympy", "pandas"})
        self.assertEqual(NEEDED.findall('command -v clang++ >/dev/null || {\nif command -v nvcc > /dev/null; then'), ["clang++"])
        self.assertEqual(listed("# a\nb  # c\n\nd e\n"), {"b", "d"})

    def test_install_script(self):
        """Against stand-ins for dpkg-query, apt-get, id and sudo that record how they are called."""
        log = self.directory / "log"

        def install(missing, *options, user="0"):
            stand_ins = {
                "dpkg-query": f'for last; do :; done\ncase " {missing} " in *" $last "*) exit 1;; esac\nprintf installed',
                "apt-get": f'echo "apt-get $*" >> {log}',
                "sudo": 'echo "as root"; exec "$@"',
                "id": f"echo {user}",
            }
            for name, body in stand_ins.items():
                path = self.directory / name
                path.write_text(f"#!/bin/sh\n{body}\n")
                path.chmod(0o755)
            log.write_text("")
            environment = dict(os.environ, PATH=f"{self.directory}:{os.environ['PATH']}")
            done = run(SOURCE / "scripts/install-packages", *options, env=environment)
            return done.stdout + done.stderr, log.read_text().splitlines()

        self.assertEqual(install(""), ("", []))
        self.assertEqual(install("doxygen"), ("", []))
        self.assertEqual(install("doxygen", "--all")[0], "Installing: doxygen\n")
        said, called = install("libfmt-dev doctest-dev")
        self.assertEqual(said, "Installing: libfmt-dev doctest-dev\n")
        self.assertEqual(len(called), 2)
        self.assertIn("update", called[0])
        self.assertRegex(called[1], r"install .*--no-install-recommends libfmt-dev doctest-dev$")
        self.assertIn("as root", install("libfmt-dev", user="1000")[0])
        said, called = install(" ".join(self.packages))
        self.assertEqual(set(said.split()[1:]), self.packages)
