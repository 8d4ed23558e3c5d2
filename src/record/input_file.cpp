#include "record/input_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <queue>

#include "base/make_fault.hpp"
#include "gihflow/base/memory.hpp"

namespace gihflow::hdf5 {

namespace {

// Limits on processor time, more than ten times the need of the largest row of compressed chunks.
constexpr unsigned seconds_of_values = 20, seconds_of_structure = 2;
constexpr std::size_t piece = std::size_t{1} << 18;  // numbers in one half of the window

// Number of entries of a shape; nullopt if they do not fit in memory.
std::optional<std::size_t> entries_in_memory(const Shape& shape, std::size_t entry_bytes) {
  const std::size_t most = memory_limit() / entry_bytes;
  std::size_t entries = 1;
  for (const hsize_t size : shape) {
    if (size != 0 && entries > most / size) return std::nullopt;
    entries *= size;
  }
  return entries;
}

// Cuts a shape into contiguous row-major pieces of at most `piece` entries.
class Cut {
 public:
  explicit Cut(const Shape& shape) : shape_(shape), start_(shape.size(), 0), count_(shape) {
    if (shape.empty()) return;
    hsize_t below = 1;  // entries of one index of the axis that is cut
    for (axis_ = shape.size() - 1; axis_ > 0 && below * shape[axis_] <= piece; --axis_)
      below *= shape[axis_];
    length_ = std::max<hsize_t>(1, piece / below);
    std::fill_n(count_.begin(), axis_, 1);
    count_[axis_] = std::min(length_, shape[axis_]);
  }

  const Shape& start() const { return start_; }
  const Shape& count() const { return count_; }
  std::size_t entries() const {
    return std::accumulate(count_.begin(), count_.end(), std::size_t{1}, std::multiplies<>());
  }
  /// Goes to the next piece; false after the last one.
  bool advance() {
    if (shape_.empty()) return false;
    start_[axis_] += count_[axis_];
    for (std::size_t axis = axis_; start_[axis] >= shape_[axis]; --axis) {
      if (axis == 0) return false;
      start_[axis] = 0;
      ++start_[axis - 1];
    }
    count_[axis_] = std::min(length_, shape_[axis_] - start_[axis_]);
    return true;
  }

 private:
  Shape shape_, start_, count_;
  std::size_t axis_ = 0;
  hsize_t length_ = 1;
};

constexpr std::size_t window_bytes = 2 * piece * sizeof(double);

// Answers in this process.
class InProcess final : public Answerer {
 public:
  InProcess() : window_(new double[window_bytes / sizeof(double)]) {}
  InProcess(const InProcess&) = delete;
  InProcess& operator=(const InProcess&) = delete;
  ~InProcess() override {
    const std::lock_guard lock(library_mutex());
    reading_.reset();
  }

  std::span<std::byte> window() const override {
    return {reinterpret_cast<std::byte*>(window_.get()), window_bytes};
  }
  void send(const Message& request, unsigned) override try {
    const std::lock_guard lock(library_mutex());
    replies_.push((*reading_)(request, window()));
  } catch (const Error&) {
    throw ChildFailure(nonsense);
  }
  Message receive() override {
    Message reply = std::move(replies_.front());
    replies_.pop();
    return reply;
  }

 private:
  std::unique_ptr<double[]> window_;  // not initialised
  std::optional<Reading> reading_{Reading(Isolation::in_process)};
  std::queue<Message> replies_;
};

std::unique_ptr<Answerer> make_reader(const std::string& path, Isolation isolation) try {
  if (isolation == Isolation::in_process) return std::make_unique<InProcess>();
  const std::lock_guard lock(library_mutex());  // no thread may be inside HDF5 during the fork
  return std::make_unique<Child>(window_bytes, Reading(isolation));
} catch (const ChildFailure& failure) {
  throw InputError(fault(path, failure.what(), ""));
}

}  // namespace

InputFile::InputFile(std::string path, Isolation isolation) : path_(std::move(path)) {
  std::error_code error;
  const auto status = std::filesystem::status(path_, error);
  if (!std::filesystem::exists(status)) throw InputError(gihflow::fault(path_, "", "no such file"));
  if (!std::filesystem::is_regular_file(status))
    throw InputError(gihflow::fault(path_, "", "is not a regular file"));
  reader_ = make_reader(path_, isolation);
  request(Message() << path_, seconds_of_structure);
  receive<bool>();
  finish();
}

void InputFile::fail(const std::string& sentence) {
  fault(sentence);
  throw InputError(errors_.faults());
}

void InputFile::request(const Message& message, unsigned processor_seconds) try {
  reader_->send(message, processor_seconds);
} catch (const ChildFailure& failure) {
  fail(failure.what());
}

template <class Answer, class... Wanted>
Message request_for(Call call, Answer (InputReader::*)(Wanted...),
                    const std::decay_t<Wanted>&... arguments) {
  Message message;
  message << call;
  static_cast<void>((message << ... << arguments));
  return message;
}

template <auto member, class... Arguments>
void InputFile::send(const Arguments&... arguments) {
  constexpr Call wanted = call<member>;
  constexpr bool values =
      wanted == Call(call<&InputReader::part>) || wanted == Call(call<&InputReader::objects>);
  request(request_for(wanted, member, arguments...),
          values ? seconds_of_values : seconds_of_structure);
}

template <class Answer>
Answer InputFile::receive() try {
  Message reply = reader_->receive();
  for (const std::string& sentence : reply.take<std::vector<std::string>>()) fault(sentence);
  return reply.take<Answer>();
} catch (const ChildFailure& failure) {
  fail(failure.what());
} catch (const Malformed&) {
  fail(nonsense);
}

template <class Answer, class... Arguments>
Answer answer_of(Answer (InputReader::*)(Arguments...));

template <auto member, class... Arguments>
auto InputFile::ask(const Arguments&... arguments) {
  send<member>(arguments...);
  return receive<decltype(answer_of(member))>();
}

std::vector<InputObject> InputFile::objects() {
  const auto listing = ask<&InputReader::objects>();
  std::vector<InputObject> result;
  for (const auto& words : listing.value_or(std::vector<std::vector<std::string>>())) {
    if (words.size() % 3 != 0 || words.empty()) fail(nonsense);
    InputObject object{words[0], words[1], words[2], {}};
    for (std::size_t i = 3; i < words.size(); i += 3)
      object.attributes.push_back({words[i], words[i + 1], words[i + 2]});
    result.push_back(std::move(object));
  }
  return result;
}

bool InputFile::has(const std::string& object) {
  return ask<&InputReader::has>(object);
}

bool InputFile::has_attribute(const std::string& object, const std::string& name) {
  return ask<&InputReader::has_attribute>(object, name);
}

std::optional<InputDataset> InputFile::dataset(const std::string& name, Numbers numbers,
                                               const std::string& wanted, std::size_t entry_bytes) {
  const auto shape = ask<&InputReader::dataset>(name, numbers, wanted);
  if (!shape) return std::nullopt;
  InputDataset found{name, datasets_++, numbers, *shape};
  if (!entries_in_memory(found.shape, entry_bytes)) {
    fault(fmt::format("{} has shape {}: more than the {:.1f} GiB of memory here can hold", name,
                      to_string(found.shape), static_cast<double>(memory_limit()) / 0x1p30));
    return std::nullopt;
  }
  return found;
}

std::optional<InputDataset> InputFile::dataset_of_shape(const std::string& name, Numbers numbers,
                                                        const Shape& shape) {
  const std::string wanted = fmt::format("{}, {}", to_words(numbers), to_string(shape));
  std::optional<InputDataset> found = dataset(name, numbers, wanted);
  if (found && found->shape != shape) {
    fault(fmt::format("{} has shape {}: must be {}", name, to_string(found->shape),
                      to_string(shape)));
    return std::nullopt;
  }
  return found;
}

template <class T>
bool InputFile::stream(const InputDataset& found,
                       const std::function<void(std::size_t, std::span<const T>)>& take) {
  const std::span<const T> window(reinterpret_cast<const T*>(reader_->window().data()), 2 * piece);
  const std::size_t entries = found.entries();
  if (entries == 0) return true;
  Cut cut(found.shape);
  std::size_t half = 0;
  const auto ask_for_piece = [&] {
    send<&InputReader::part>(found.number, half * piece * sizeof(T), cut.start(), cut.count());
  };
  ask_for_piece();
  for (std::size_t first = 0; first < entries;) {
    const std::span<const T> values = window.subspan(half * piece, cut.entries());
    if (!receive<bool>()) return false;
    half = 1 - half;
    if (cut.advance()) ask_for_piece();
    take(first, values);
    first += values.size();
  }
  return true;
}
template bool InputFile::stream<double>(
    const InputDataset&, const std::function<void(std::size_t, std::span<const double>)>&);
template bool InputFile::stream<std::int64_t>(
    const InputDataset&, const std::function<void(std::size_t, std::span<const std::int64_t>)>&);

template <class T>
std::optional<std::vector<T>> InputFile::values(const InputDataset& found) {
  // Memory is reserved after the first values were read: a declared size alone allocates nothing.
  std::vector<T> result;
  const bool complete = stream<T>(found, [&](std::size_t, std::span<const T> piece_read) {
    result.reserve(found.entries());
    result.insert(result.end(), piece_read.begin(), piece_read.end());
  });
  return complete ? std::optional(std::move(result)) : std::nullopt;
}

std::optional<std::vector<double>> InputFile::reals(const InputDataset& found) {
  return values<double>(found);
}

std::optional<std::vector<std::int64_t>> InputFile::integers(const InputDataset& found) {
  return values<std::int64_t>(found);
}

std::optional<std::vector<double>> InputFile::reals(const std::string& name, const Shape& shape) {
  const auto found = dataset_of_shape(name, Numbers::reals, shape);
  return found ? reals(*found) : std::nullopt;
}

std::optional<std::vector<std::int64_t>> InputFile::integers(const std::string& name,
                                                             const Shape& shape) {
  const auto found = dataset_of_shape(name, Numbers::integers, shape);
  return found ? integers(*found) : std::nullopt;
}

std::optional<std::vector<std::string>> InputFile::texts(const std::string& name) {
  const auto found = dataset(name, Numbers::texts, "a list of texts");
  if (!found) return std::nullopt;
  if (found->shape.size() != 1) {
    fault(fmt::format("{} has shape {}: must be one-dimensional", name, to_string(found->shape)));
    return std::nullopt;
  }
  return texts(*found);
}

std::optional<std::vector<std::string>> InputFile::texts(const InputDataset& found) {
  return ask<&InputReader::texts>(found.number);
}

std::optional<std::vector<std::int64_t>> InputFile::integers_attribute(const std::string& object,
                                                                       const std::string& name,
                                                                       const std::string& wanted) {
  return ask<&InputReader::integers_attribute>(object, name, wanted);
}

std::optional<std::int64_t> InputFile::integer_attribute(const std::string& object,
                                                         const std::string& name,
                                                         const std::string& wanted) {
  const auto values = integers_attribute(object, name, wanted);
  if (!values) return std::nullopt;
  if (values->size() != 1) {
    fault(fmt::format("attribute {} holds {} numbers; must be {}", name, values->size(), wanted));
    return std::nullopt;
  }
  return values->front();
}

std::optional<double> InputFile::real_attribute(const std::string& object,
                                                const std::string& name) {
  return ask<&InputReader::real_attribute>(object, name);
}

std::optional<std::string> InputFile::text_attribute(const std::string& object,
                                                     const std::string& name) {
  return ask<&InputReader::text_attribute>(object, name);
}

}  // namespace gihflow::hdf5
