#include "gihflow/record/difference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <sstream>

#include "gihflow/base/errors.hpp"
#include "gihflow/base/text.hpp"
#include "record/input_file.hpp"

namespace gihflow {

namespace {

using hdf5::InputDataset;
using hdf5::InputFile;
using hdf5::InputObject;
using hdf5::Numbers;

constexpr double infinite = std::numeric_limits<double>::infinity();

// Rank of a double in increasing order, −0 just before +0.
std::int64_t rank_of(double x) {
  const auto bits = std::bit_cast<std::int64_t>(x);
  return bits ^ (bits < 0 ? std::numeric_limits<std::int64_t>::max() : 0);
}

std::uint64_t ulps_between(double x, double y) {
  if (std::isnan(x) || std::isnan(y)) return std::numeric_limits<std::uint64_t>::max();
  const std::int64_t a = rank_of(x), b = rank_of(y);
  return a > b ? static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b)
               : static_cast<std::uint64_t>(b) - static_cast<std::uint64_t>(a);
}

bool equal(double x, double y) {
  return std::bit_cast<std::uint64_t>(x) == std::bit_cast<std::uint64_t>(y) ||
         (std::isnan(x) && std::isnan(y));
}
bool equal(std::int64_t x, std::int64_t y) {
  return x == y;
}
bool equal(const std::string& x, const std::string& y) {
  return x == y;
}

// Counts entries that differ and calls take for each such pair.
template <class List, class Take>
void count_different(const List& a, const List& b, NumberDifference& result, Take take) {
  result.entries = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < result.entries; ++i) {
    if (equal(a[i], b[i])) continue;
    if (result.different++ == 0) result.first = i;
    take(a[i], b[i]);
  }
}

// Attributes of HDF5's dimension scales, and hashes of datasets.
bool is_bookkeeping(const std::string& name) {
  return name == "CLASS" || name == "NAME" || name == "DIMENSION_LIST" ||
         name == "REFERENCE_LIST" || name == "hash" || name == "_Netcdf4Dimid";
}
bool is_program(const std::string& name) {
  return name == "program" || name == "program_version" || name == "git_commit" ||
         name == "schema_version";
}
bool is_left_out(const std::string& path) {
  return path == "/execution" || path.starts_with("/execution/");
}

// The number k of "/stage_k/…"; 0 for other paths.
Index stage_of(const std::string& path) {
  constexpr std::string_view start = "/stage_";
  if (!path.starts_with(start)) return 0;
  const std::size_t end = path.find('/', start.size());
  return parse_number<Index>(path.substr(start.size(), end - start.size())).value_or(0);
}

// Text and type of attributes, or text of lines, by name.
using Words = std::map<std::string, std::pair<std::string, std::string>>;

// "key = value" lines.
Words lines_of(const std::string& config) {
  Words lines;
  std::istringstream text(config);
  for (std::string line; std::getline(text, line);) {
    const std::size_t equals = line.find(" = ");
    if (equals != std::string::npos) lines[line.substr(0, equals)] = {line.substr(equals + 3), ""};
  }
  return lines;
}

// Entries that differ; types are shown if only they differ.
std::vector<WordDifference> differing(const Words& a, const Words& b) {
  std::vector<WordDifference> result;
  const auto at = [](const Words& words, const std::string& name) {
    const auto found = words.find(name);
    return found == words.end() ? Words::mapped_type() : found->second;
  };
  Words all = a;
  all.insert(b.begin(), b.end());
  for (const auto& [name, ignored] : all) {
    const auto x = at(a, name), y = at(b, name);
    if (x == y && x.first != hdf5::not_compared) continue;
    const auto shown = [&](const Words::mapped_type& word) {
      return x.first == y.first ? fmt::format("{} ({})", word.first, word.second) : word.first;
    };
    result.push_back({name, shown(x), shown(y)});
  }
  return result;
}

// A file and its objects by path.
struct Side {
  Side(const std::string& path, Isolation isolation) : file(path, isolation) {
    for (InputObject& object : file.objects()) {
      if (!is_left_out(object.path)) objects.emplace(object.path, std::move(object));
    }
    file.finish();
  }
  std::string config() const {
    for (const InputObject::Attribute& attribute : objects.at("/").attributes) {
      if (attribute.name == "config") return attribute.text;
    }
    return "";
  }

  InputFile file;
  std::map<std::string, InputObject> objects;
};

class Comparison {
 public:
  Comparison(const std::string& a, const std::string& b, Isolation isolation)
      : a_(a, isolation), b_(b, isolation) {}

  FileDifference finish() {
    for (const auto& [path, object] : a_.objects) {
      const auto other = b_.objects.find(path);
      if (other == b_.objects.end()) {
        only(path, a_.file.path());
      } else {
        compare(object, other->second);
      }
    }
    for (const auto& [path, object] : b_.objects) {
      if (!a_.objects.contains(path)) only(path, b_.file.path());
    }
    compare_attributes();
    a_.file.finish();
    b_.file.finish();
    find_first();
    return std::move(result_);
  }

 private:
  void only(const std::string& path, const std::string& file) { add(path, "only in " + file); }
  void add(const std::string& path, const std::string& what) {
    result_.datasets.push_back({path, {}, what, {}});
  }

  void compare(const InputObject& a, const InputObject& b) {
    if (a.kind != b.kind) {
      add(a.path, fmt::format("a {} beside a {}", a.kind, b.kind));
    } else if (a.type != b.type) {
      add(a.path, fmt::format("{} beside {}", a.type, b.type));
    } else if (a.kind == "dataset") {
      result_.datasets.push_back(of_values(a.path, a.type));
    }
  }

  DatasetDifference of_values(const std::string& path, const std::string& type) {
    const bool is_unsigned = type.starts_with("uint");
    if (type.starts_with("int") || is_unsigned || type.starts_with("an enum of")) {
      return of_entries(
          path, Numbers::codes,
          [&](InputFile& file, const InputDataset& dataset) { return file.integers(dataset); },
          [&](const auto& x, const auto& y) { return difference(x, y, is_unsigned); });
    }
    if (type == "float16" || type == "float32" || type == "float64") {
      return of_entries(
          path, Numbers::reals,
          [&](InputFile& file, const InputDataset& dataset) { return file.reals(dataset); },
          [](const auto& x, const auto& y) { return difference(x, y); });
    }
    if (type == "texts") {
      return of_entries(
          path, Numbers::texts,
          [&](InputFile& file, const InputDataset& dataset) { return file.texts(dataset); },
          [](const auto& x, const auto& y) {
            NumberDifference result;
            count_different(x, y, result, [](const auto&, const auto&) {});
            return result;
          });
    }
    return {path, {}, type.ends_with(hdf5::not_compared) ? type : "", {}};
  }

  template <class Read, class Compare>
  DatasetDifference of_entries(const std::string& path, Numbers numbers, Read read,
                               Compare compare_values) {
    DatasetDifference result{path, {}, "", {}};
    const auto a = a_.file.dataset(path, numbers, "readable");
    const auto b = b_.file.dataset(path, numbers, "readable");
    if (!a || !b) return result;
    if (a->shape != b->shape) {
      result.what =
          fmt::format("shape {} beside {}", hdf5::to_string(a->shape), hdf5::to_string(b->shape));
      return result;
    }
    const auto x = read(a_.file, *a), y = read(b_.file, *b);
    if (!x || !y) return result;
    result.numbers = compare_values(*x, *y);
    if (result.numbers.different > 0)
      result.first = output_at(path, a->shape, result.numbers.first);
    return result;
  }

  // The output of an entry of a stage's dataset, if its first axis is the outputs.
  std::optional<OutputPosition> output_at(const std::string& path, const hdf5::Shape& shape,
                                          std::size_t entry) {
    const Index stage = stage_of(path);
    const std::string scale = fmt::format("/stage_{}/t", stage);
    if (stage == 0 || shape.empty() || path.rfind('/') + 1 != scale.size() - 1) return std::nullopt;
    if (times_of_ != stage) {
      if (!a_.objects.contains(scale)) return std::nullopt;
      const auto dataset = a_.file.dataset(scale, Numbers::reals, "flow times");
      times_ =
          dataset ? a_.file.reals(*dataset).value_or(std::vector<double>()) : std::vector<double>();
      times_of_ = stage;
    }
    if (shape.front() != times_.size()) return std::nullopt;
    std::size_t width = 1;
    for (std::size_t axis = 1; axis < shape.size(); ++axis) width *= shape[axis];
    const std::size_t index = entry / width;
    return OutputPosition{stage, static_cast<Index>(index), times_[index]};
  }

  void compare_attributes() {
    Words mine, theirs, my_program, their_program;
    const auto collect = [](const Side& side, Words& results, Words& program) {
      for (const auto& [path, object] : side.objects) {
        for (const auto& [name, type, text] : object.attributes) {
          if (is_bookkeeping(name) || (path == "/" && name == "config")) continue;
          if (path == "/" && is_program(name)) {
            program[name] = {text, type};
          } else {
            results[path == "/" ? name : fmt::format("{} of {}", name, path)] = {text, type};
          }
        }
      }
    };
    collect(a_, mine, my_program);
    collect(b_, theirs, their_program);
    result_.attributes = differing(mine, theirs);
    result_.program = differing(my_program, their_program);
    result_.config = differing(lines_of(a_.config()), lines_of(b_.config()));
  }

  void find_first() {
    const auto before = [](const OutputPosition& x, const OutputPosition& y) {
      return x.stage != y.stage ? x.stage < y.stage : x.index < y.index;
    };
    for (const DatasetDifference& dataset : result_.datasets) {
      if (dataset.first && (!result_.first || before(*dataset.first, *result_.first))) {
        result_.first = dataset.first;
      }
    }
    for (const DatasetDifference& dataset : result_.datasets) {
      if (dataset.first && dataset.first == result_.first) {
        result_.first_names.push_back(dataset.name.substr(dataset.name.rfind('/') + 1));
      }
    }
  }

  Side a_, b_;
  Index times_of_ = 0;
  std::vector<double> times_;
  FileDifference result_;
};

}  // namespace

NumberDifference difference(std::span<const double> a, std::span<const double> b) {
  NumberDifference result;
  count_different(a, b, result, [&](double x, double y) {
    const bool finite = std::isfinite(x) && std::isfinite(y);
    const double absolute = finite ? std::abs(x - y) : infinite;
    const double largest = std::max(std::abs(x), std::abs(y));
    result.absolute = std::max(result.absolute, absolute);
    if (absolute > 0.0) {
      result.relative = std::max(result.relative, finite ? absolute / largest : infinite);
    }
    result.ulp = std::max(result.ulp, ulps_between(x, y));
  });
  return result;
}

NumberDifference difference(std::span<const std::int64_t> a, std::span<const std::int64_t> b,
                            bool is_unsigned) {
  NumberDifference result;
  const auto real = [&](std::int64_t x) {
    return is_unsigned ? static_cast<double>(static_cast<std::uint64_t>(x))
                       : static_cast<double>(x);
  };
  count_different(a, b, result, [&](std::int64_t x, std::int64_t y) {
    const auto p = static_cast<std::uint64_t>(x), q = static_cast<std::uint64_t>(y);
    const bool above = is_unsigned ? p > q : x > y;
    const auto absolute = static_cast<double>(above ? p - q : q - p);
    result.absolute = std::max(result.absolute, absolute);
    result.relative =
        std::max(result.relative, absolute / std::max(std::abs(real(x)), std::abs(real(y))));
    result.ulp = std::max({result.ulp, ulps_between(real(x), real(y)), std::uint64_t{1}});
  });
  return result;
}

bool FileDifference::equal() const {
  return attributes.empty() &&
         std::none_of(datasets.begin(), datasets.end(), [](const auto& d) { return d.differs(); });
}

FileDifference compare_files(const std::string& a, const std::string& b, Isolation isolation) {
  return Comparison(a, b, isolation).finish();
}

}  // namespace gihflow
