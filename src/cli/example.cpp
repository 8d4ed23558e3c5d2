// The command `example`: lists configs of experiments or writes one.

#include <fmt/format.h>

#include <algorithm>

#include "base/embedded.hpp"
#include "base/make_fault.hpp"
#include "cli/commands.hpp"
#include "cli/json.hpp"
#include "cli/table.hpp"
#include "gihflow/record/output_file.hpp"

namespace gihflow::cli {

namespace {

// A config of an experiment; its first comments are the summary and the command that runs it.
struct Example {
  std::string name, summary, command;
  std::string_view folder, text;
};

Example example_of(const EmbeddedFile& file) {
  Example example;
  const std::size_t slash = file.path.rfind('/');
  example.folder = file.path.substr(0, slash);
  example.name = file.path.substr(slash + 1, file.path.rfind('.') - slash - 1);
  example.text = file.text;
  std::string_view rest = file.text;
  while (rest.starts_with("# ")) {
    const std::size_t end = rest.find('\n');
    const std::string line(rest.substr(2, end - 2));
    if (line.starts_with("gihflow ") && example.command.empty()) example.command = line;
    if (!line.starts_with("gihflow ") && example.summary.empty()) example.summary = line;
    rest.remove_prefix(std::min(end, rest.size() - 1) + 1);
  }
  if (example.command.empty()) {
    example.command = fmt::format("gihflow train --config {0}.toml -o {0}.h5", example.name);
  }
  return example;
}

std::vector<Example> examples() {
  std::vector<Example> all;
  for (const EmbeddedFile& file : example_files()) all.push_back(example_of(file));
  return all;
}

std::string listing(bool json) {
  const std::vector<Example> all = examples();
  if (json) {
    return to_text(json_list(all, [](const Example& e) {
      return Json{
          {"name", e.name}, {"summary", e.summary}, {"command", e.command}, {"folder", e.folder}};
    }));
  }
  Fields fields;
  for (const Example& e : all) fields.add(e.name, e.summary);
  return fields.text() +
         fmt::format("\ngihflow example {0} writes {0}.toml, whose first lines say how to run it\n",
                     all.front().name);
}

const Example& find(const std::vector<Example>& all, const std::string& name) {
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Example& e) { return e.name == name; });
  if (found != all.end()) return *found;
  std::vector<std::string> names;
  for (const Example& e : all) names.push_back(e.name);
  const std::string near = nearest(name, names);
  throw InputError(fault(name, "", "{}",
                         near.empty() ? "no such example; gihflow example lists them"
                                      : "no such example; the nearest is " + near));
}

}  // namespace

int example(const Invocation& invocation) {
  const Assembled line = assembled(invocation);
  line.faults.throw_if_any();
  const Setting& setting = line.setting;
  if (invocation.file.empty()) {
    print(listing(setting.json));
    return 0;
  }
  const std::vector<Example> all = examples();
  const Example& chosen = find(all, invocation.file);
  const std::string path = setting.output.empty() ? chosen.name + ".toml" : setting.output;
  OutputFile(path, setting.force).replace(std::as_bytes(std::span(chosen.text)));
  print(setting.json ? to_text({{"file", path}, {"command", chosen.command}})
                     : fmt::format("written to {}; run it with\n  {}\n", path, chosen.command));
  return 0;
}

}  // namespace gihflow::cli
