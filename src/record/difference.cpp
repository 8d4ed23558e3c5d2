#include "gihflow/record/difference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <sstream>

#include "gihflow/base/errors.hpp"
#include "record/input_file.hpp"

namespace gihflow {

namespace {

using hdf5::InputFile;
using hdf5::InputObject;
using hdf5::Numbers;

constexpr double infinite = std::numeric_limits<double>::infinity();

// Doubles in their order, −0 just before +0.
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

// Attributes that say how HDF5 links scales, or repeat what datasets say.
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
  Index stage = 0;
  const char* const last = path.data() + (end == std::string::npos ? path.size() : end);
  const auto [stop, code] = std::from_chars(path.data() + start.size(), last, stage);
  return code == std::errc() && stop == last ? stage : 0;
}

// "key = value" lines.
std::map<std::string, std::string> lines_of(const std::string& config) {
  std::map<std::string, std::string> lines;
  std::istringstream text(config);
  for (std::string line; std::getline(text, line);) {
    const std::size_t equals = line.find(" = ");
    if (equals != std::string::npos) lines[line.substr(0, equals)] = line.substr(equals + 3);
  }
  return lines;
}

// Entries of two maps that differ.
std::vector<WordDifference> differing(const std::map<std::string, std::string>& a,
                                      const std::map<std::string, std::string>& b) {
  std::vector<WordDifference> result;
  const auto at = [](const auto& map, const std::string& name) {
    const auto found = map.find(name);
    return found == map.end() ? std::string() : found->second;
  };
  std::map<std::string, std::string> all = a;
  all.insert(b.begin(), b.end());
  for (const auto& [name, ignored] : all) {
    if (at(a, name) != at(b, name)) result.push_back({name, at(a, name), at(b, name)});
  }
  return result;
}

// A file with what it lists of itself.
struct Side {
  Side(const std::string& path, Isolation isolation) : file(path, isolation) {
    for (InputObject& object : file.objects()) {
      if (!is_left_out(object.path)) objects.push_back(std::move(object));
    }
    file.finish();
  }
  const InputObject* find(const std::string& path) const {
    const auto found = std::find_if(objects.begin(), objects.end(),
                                    [&](const InputObject& o) { return o.path == path; });
    return found == objects.end() ? nullptr : &*found;
  }
  std::string attribute(const std::string& path, const std::string& name) const {
    const InputObject* object = find(path);
    if (object == nullptr) return "";
    for (const auto& [key, text] : object->attributes) {
      if (key == name) return text;
    }
    return "";
  }

  InputFile file;
  std::vector<InputObject> objects;
};

class Comparison {
 public:
  Comparison(const std::string& a, const std::string& b, Isolation isolation)
      : a_(a, isolation), b_(b, isolation) {}

  FileDifference finish() {
    for (const InputObject& object : a_.objects) {
      if (object.dataset) add(object.path, b_.find(object.path));
    }
    for (const InputObject& object : b_.objects) {
      const InputObject* other = a_.find(object.path);
      if (object.dataset && (other == nullptr || !other->dataset)) {
        only(object.path, b_.file.path());
      }
    }
    compare_attributes();
    a_.file.finish();
    b_.file.finish();
    find_first();
    return std::move(result_);
  }

 private:
  void only(const std::string& path, const std::string& file) {
    result_.datasets.push_back({path, {}, "only in " + file, {}});
  }

  void add(const std::string& path, const InputObject* other) {
    if (other == nullptr || !other->dataset) {
      only(path, a_.file.path());
    } else if (*a_.find(path)->dataset == Numbers::texts || *other->dataset == Numbers::texts) {
      result_.datasets.push_back(of_texts(path));
    } else {
      result_.datasets.push_back(of_numbers(path));
    }
  }

  DatasetDifference of_texts(const std::string& path) {
    DatasetDifference result{path, {}, "", {}};
    const auto a = a_.file.texts(path), b = b_.file.texts(path);
    if (!a || !b) return result;
    result.numbers.entries = a->size();
    if (a->size() != b->size()) {
      result.what = fmt::format("{} texts beside {}", a->size(), b->size());
      return result;
    }
    for (std::size_t i = a->size(); i-- > 0;) {
      if ((*a)[i] == (*b)[i]) continue;
      ++result.numbers.different;
      result.numbers.first = i;
    }
    return result;
  }

  DatasetDifference of_numbers(const std::string& path) {
    DatasetDifference result{path, {}, "", {}};
    const auto a = a_.file.dataset(path, Numbers::reals, "numbers");
    const auto b = b_.file.dataset(path, Numbers::reals, "numbers");
    if (!a || !b) return result;
    if (a->shape != b->shape) {
      result.what =
          fmt::format("shape {} beside {}", hdf5::to_string(a->shape), hdf5::to_string(b->shape));
      return result;
    }
    const auto x = a_.file.reals(*a), y = b_.file.reals(*b);
    if (!x || !y) return result;
    result.numbers = difference(*x, *y);
    if (result.numbers.different > 0)
      result.first = output_at(path, a->shape, result.numbers.first);
    return result;
  }

  // The output that an entry of a stage's dataset belongs to, if its first axis is that of outputs.
  std::optional<OutputPosition> output_at(const std::string& path, const hdf5::Shape& shape,
                                          std::size_t entry) {
    const Index stage = stage_of(path);
    const std::string scale = fmt::format("/stage_{}/t", stage);
    if (stage == 0 || shape.empty() || path.rfind('/') + 1 != scale.size() - 1) return std::nullopt;
    if (times_of_ != stage) {
      const InputObject* t = a_.find(scale);
      if (t == nullptr || !t->dataset) return std::nullopt;
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
    std::map<std::string, std::string> mine, theirs, my_program, their_program;
    const auto collect = [](const Side& side, auto& results, auto& program) {
      for (const InputObject& object : side.objects) {
        for (const auto& [name, text] : object.attributes) {
          if (is_bookkeeping(name)) continue;
          if (object.path != "/") {
            results[fmt::format("{} of {}", name, object.path)] = text;
          } else if (is_program(name)) {
            program[name] = text;
          } else if (name != "config") {
            results[name] = text;
          }
        }
      }
    };
    collect(a_, mine, my_program);
    collect(b_, theirs, their_program);
    result_.attributes = differing(mine, theirs);
    result_.program = differing(my_program, their_program);
    result_.config =
        differing(lines_of(a_.attribute("/", "config")), lines_of(b_.attribute("/", "config")));
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
  result.entries = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < result.entries; ++i) {
    const double x = a[i], y = b[i];
    if (std::bit_cast<std::uint64_t>(x) == std::bit_cast<std::uint64_t>(y)) continue;
    if (std::isnan(x) && std::isnan(y)) continue;
    if (result.different++ == 0) result.first = i;
    const bool finite = std::isfinite(x) && std::isfinite(y);
    const double absolute = finite ? std::abs(x - y) : infinite;
    const double largest = std::max(std::abs(x), std::abs(y));
    result.absolute = std::max(result.absolute, absolute);
    if (absolute > 0.0) {
      result.relative = std::max(result.relative, finite ? absolute / largest : infinite);
    }
    result.ulp = std::max(result.ulp, ulps_between(x, y));
  }
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
