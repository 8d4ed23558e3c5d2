"""A room includes only itself and public headers of rooms above it, each third party stays where the design puts it, and
a file is short enough to be read at one sitting."""

import re
import unittest

from gihflow_testing import ROOMS, SOURCE, files

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)
# A text that calls a setting as the command line does. Rooms above cli/ leave that to a Spelling; where run/ makes the
# arguments of a process it writes dashes before a name(Field).
DASHES = re.compile(r'^[^/\n]*"[^"\n]*--[a-z]', re.MULTILINE)
CODE = {".hpp", ".cpp", ".cu", ".cuh"}
# third party: the only rooms that include it
AT_HOME = {
    "HDF5": (re.compile(r"^(H5|hdf5)"), {"record"}),
    "CLI11": (re.compile(r"^CLI/"), {"cli"}),
    "oneTBB": (re.compile(r"^(tbb|oneapi)/"), {"base"}),
    "toml++": (re.compile(r"^toml\+\+/"), {"run", "record", "cli"}),
    "Random123": (re.compile(r"^Random123/"), {"base"}),
    "Boost": (re.compile(r"^boost/"), {"base", "chain", "information", "flow", "theory"}),
}

# private headers that lower rooms include nevertheless
SHARED = {"base/embedded.hpp", "base/followers.hpp", "base/make_fault.hpp", "base/unused_name.hpp", "flow/integrate.hpp",
          "record/json.hpp",
          # numbers of hot loops, and which version of them runs
          "base/pack.hpp", "base/elementary.hpp", "base/instruction_sets.hpp",
          # parts that several processes hold
          "base/ranks.hpp", "population/shared.hpp", "run/serve.hpp"}


def place(path):
    """(room, public) of a file below include/gihflow or src."""
    parts = path.parts
    return (parts[2], True) if parts[0] == "include" else (parts[1], False)


def room_of_include(name):
    parts = name.split("/")
    if parts[0] == "gihflow" and len(parts) > 2:
        return parts[1]
    return parts[0] if len(parts) > 1 and parts[0] in ROOMS else None


MOST_LINES = 450
UMBRELLA = "include/gihflow/gihflow.hpp"


def violations(path, text):
    if str(path) == UMBRELLA:
        missing = {f"gihflow/{p.relative_to('include/gihflow')}" for p in files("include", suffixes={".hpp"})} \
            - {name for _, name in INCLUDE.findall(text)} - {"gihflow/gihflow.hpp"}
        yield from (f"{path}: does not include {name}" for name in sorted(missing))
        return
    room, public = place(path)
    if text.count("\n") > MOST_LINES:
        yield f"{path}: has more than {MOST_LINES} lines"
    if room not in ROOMS:
        yield f"{path}: {room}/ is not a room"
        return
    if room != "cli" and DASHES.search(text):
        yield f"{path}: writes the name of an option; a Phrase mentions its Field"
    hot = path.name.endswith(".hot.cpp")
    for kind, name in INCLUDE.findall(text):
        included = room_of_include(name)
        is_standard = kind == "<" and re.fullmatch(r"[a-z0-9_]+(\.h)?", name)
        if included is not None:
            if included not in ROOMS:
                yield f"{path}: includes {name}, which is in no room"
            elif ROOMS.index(included) > ROOMS.index(room):
                yield f"{path}: {room}/ includes {name}, and {included}/ lies below it"
            elif included != room and not name.startswith("gihflow/") and name not in SHARED:
                yield f"{path}: {room}/ includes {name}, a private header of {included}/"
        for third_party, (pattern, rooms) in AT_HOME.items():
            if pattern.match(name) and room not in rooms:
                yield f"{path}: includes {name}; {third_party} belongs to {', '.join(sorted(rooms))}"
        if public and not (is_standard or name.startswith("gihflow/")):
            yield f"{path}: a public header includes {name}; only the standard library may cross one"
        own = included == room or name in SHARED
        if hot and not (is_standard or (kind == '"' and own and not name.startswith("gihflow/"))):
            yield f"{path}: a hot-loop file includes {name}; only private headers of its own room or shared ones and " \
                  "the standard library are compiled for several instruction sets"


class Rooms(unittest.TestCase):
    def test_order_and_third_parties(self):
        paths = files("include/gihflow", "src", suffixes=CODE)
        self.assertGreater(len(paths), 10)
        found = [line for path in paths for line in violations(path, (SOURCE / path).read_text())]
        self.assertEqual(found, [], "\n" + "\n".join(found))

    def test_shared_headers_are_shared(self):
        users = {name: {place(path)[0] for path in files("src", suffixes=CODE)
                        if name in [included for _, included in INCLUDE.findall((SOURCE / path).read_text())]}
                 for name in SHARED}
        self.assertEqual({name for name, rooms in users.items() if not rooms - {name.partition("/")[0]}}, set())

    def test_catches(self):
        from pathlib import Path

        cases = {
            "include/gihflow/chain/x.hpp": "#include <gihflow/model/parameters.hpp>",
            "include/gihflow/model/x.hpp": "#include <thrust/host_vector.h>",
            "include/gihflow/record/x.hpp": "#include <H5Cpp.h>",
            "include/gihflow/flow/x.hpp": "#include <Eigen/Core>",
            "src/base/x.cpp": '#include "chain/x.hpp"',
            "src/flow/x.cpp": "  # include <hdf5.h>",
            "src/run/x.cpp": "#include <CLI/CLI.hpp>",
            "src/theory/x.cpp": '#include "population/engines.hpp"',
            "src/population/x.hot.cpp": "#include <gihflow/base/types.hpp>",
            "src/base/x.hot.cpp": '#include "population/views.hpp"',
            "src/elsewhere/x.cpp": "",
            "src/flow/long.cpp": "\n" * (MOST_LINES + 1),
            "src/chain/x.cpp": 'throw InputError("give --force to overwrite it");',
            "src/run/x.cpp ": 'note("give --force to continue");',
            "src/record/x.cpp": '{"config", "`train --config` with it repeats the run"}',
            UMBRELLA: '#include "gihflow/run/train.hpp"',
        }
        for name, text in cases.items():
            with self.subTest(name):
                self.assertTrue(list(violations(Path(name), text)))
        good = {
            "include/gihflow/chain/x.hpp": '/// as "--alpha"\n#include <vector>\n#include <gihflow/base/types.hpp>\n',
            "src/theory/x.cpp": '#include "theory/y.hpp"\n#include "gihflow/population/objective.hpp"\n',
        }
        for name, text in good.items():
            self.assertEqual(list(violations(Path(name), text)), [])
