#include "cli/parser.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace gihflow;
using namespace gihflow::cli;

namespace {

Parsed parsed(std::vector<std::string> words) {
  words.insert(words.begin(), "gihflow");
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  return parse(static_cast<int>(pointers.size()), pointers.data());
}

std::vector<std::string> faults_of(std::vector<std::string> words) {
  std::vector<std::string> sentences;
  for (const Fault& fault : parsed(std::move(words)).invocation.faults.faults())
    sentences.push_back(sentence(fault, option_spelling));
  return sentences;
}

using Sentences = std::vector<std::string>;

}  // namespace

TEST_CASE("a command line is its command and the texts of its options") {
  const Invocation found =
      parsed({"train", "--alpha", "0.5", "--stages=c:10,w:5", "--quiet", "-o", "a b.h5"})
          .invocation;
  REQUIRE(found.command != nullptr);
  CHECK(found.command->name == "train");
  CHECK(found.faults.empty());
  CHECK(found.line.values == std::map<Field, std::string>{{Field::alpha, "0.5"},
                                                          {Field::stages, "c:10,w:5"},
                                                          {Field::quiet, "true"},
                                                          {Field::output, "a b.h5"}});
  CHECK(found.text == "gihflow train --alpha 0.5 --stages=c:10,w:5 --quiet -o 'a b.h5'");
}

TEST_CASE("words that a shell would split or change are quoted in the command line as typed") {
  CHECK(parsed({"show", "it's"}).invocation.text == "gihflow show 'it'\\''s'");
  CHECK(parsed({"show", ""}).invocation.text == "gihflow show ''");
  CHECK(parsed({"show", "\xff.h5"}).invocation.text == "gihflow show $'\\xff.h5'");
}

TEST_CASE("files after a command's name, also behind --") {
  const Invocation two = parsed({"diff", "a.h5", "--json", "b.h5"}).invocation;
  CHECK(two.file == "a.h5");
  CHECK(two.files == std::vector<std::string>{"a.h5", "b.h5"});
  CHECK(parsed({"show", "--", "-run.h5"}).invocation.file == "-run.h5");
  CHECK(faults_of({"diff", "a.h5"}) ==
        Sentences{"diff: must be followed by the paths of two files"});
}

TEST_CASE("--config is a file for most commands and a wish of show") {
  CHECK(parsed({"train", "--config", "a.toml"}).invocation.line.config == "a.toml");
  const Invocation shown = parsed({"show", "run.h5", "--config"}).invocation;
  CHECK(shown.config_only);
  CHECK(shown.line.config.empty());
}

TEST_CASE("all faults of usage are found at once") {
  CHECK(faults_of({"train", "--alhpa", "1", "--heads", "2", "--heads", "3", "word"}) ==
        Sentences{"--heads is given 2 times: must be given once",
                  "--alhpa: train has no such option; the nearest is --alpha",
                  "word: unexpected argument of train"});
  CHECK(faults_of({"trian"}) == Sentences{"trian: no such command; the nearest is train"});
  CHECK(faults_of({"--alpha", "1", "train"}).front().ends_with("must come after the command"));
}

TEST_CASE("a flag takes no value and an option needs one, the others are read all the same") {
  CHECK(faults_of({"train", "--quiet=yes"}) == Sentences{"--quiet: takes no value"});
  const std::vector<std::string> faults = faults_of({"train", "--nonsense", "--alpha"});
  REQUIRE(faults.size() == 2);
  CHECK(faults[0].starts_with("--alpha: must be followed by "));
  CHECK(faults[1] == "--nonsense: train has no such option; see gihflow train --help");
}

TEST_CASE("help and version are answers") {
  CHECK(parsed({"--version"}).answer.starts_with("gihflow "));
  CHECK(parsed({"rank", "--help"}).answer.starts_with("Usage: gihflow rank [OPTIONS]\n"));
  CHECK(parsed({"--help"}).answer.find("Commands:\n") != std::string::npos);
  CHECK(parsed({}).invocation.command == nullptr);
}
