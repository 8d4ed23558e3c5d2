#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "gihflow/record/isolation.hpp"
#include "record/handle.hpp"
#include "record/image.hpp"
#include "record/message.hpp"

namespace gihflow::hdf5 {

/// How a dataset is read. reals: also from integers. codes: integers and enums bit for bit,
/// unsigned ones as the int64 of the same bits.
enum class Numbers : std::uint8_t { integers, reals, texts, codes };
const char* to_words(Numbers numbers);

/// "[3, 101]", "a scalar" for an empty shape.
std::string to_string(const Shape& shape);

/// A dataset of an input file, identified by the number that its reader gave it.
struct InputDataset {
  std::string name;
  std::size_t number = 0;
  Numbers numbers = Numbers::reals;
  Shape shape;

  std::size_t entries() const;
};

/// Text of an attribute whose values cannot be compared, such as references and lists.
inline constexpr const char* not_compared = "not compared";

/// The HDF5 half of an InputFile, which treats the file as hostile. Each member either returns a
/// result or adds sentences, without the file's path, to the faults.
class InputReader {
 public:
  /// part() reads into `window`.
  InputReader(const std::string& path, std::span<std::byte> window);

  bool has(const std::string& object);
  bool has_attribute(const std::string& object, const std::string& name);
  /// Opens a dataset and returns its shape; its number is the number of datasets opened before.
  std::optional<Shape> dataset(const std::string& name, Numbers numbers, const std::string& wanted);
  /// Reads entries [start, start + count) along each axis of the dataset of that number, row-major,
  /// as int64 or double, into the window from `offset` on. Returns whether it succeeded.
  bool part(std::size_t number, std::size_t offset, const Shape& start, const Shape& count);
  std::optional<std::vector<std::string>> texts(std::size_t number);
  std::optional<std::vector<std::int64_t>> integers_attribute(const std::string& object,
                                                              const std::string& name,
                                                              const std::string& wanted);
  std::optional<double> real_attribute(const std::string& object, const std::string& name);
  std::optional<std::string> text_attribute(const std::string& object, const std::string& name);

  /// Loads the plug-ins for filters of the file's datasets, if HDF5 finds them.
  void load_filters();

  /// Texts about each object and each link that is not followed, the root first, then by name: its
  /// path; its kind "dataset", "group", "type" or "link"; its type (with a hash of values that are
  /// neither numbers nor texts), a link's target, or ""; then name, type and text of each
  /// attribute, by name.
  std::optional<std::vector<std::vector<std::string>>> objects();

  std::vector<std::string> take_faults() { return std::exchange(faults_, {}); }

 private:
  std::vector<std::string> description(const std::string& object);
  std::string attribute_text(hid_t attribute, hid_t type);
  void fault(std::string sentence) { faults_.push_back(std::move(sentence)); }
  std::optional<Handle> attribute(const std::string& object, const std::string& name,
                                  H5T_class_t type_class, const std::string& wanted);
  bool reachable(const std::string& object, const std::string& wanted);

  Handle file_;
  std::span<std::byte> window_;
  std::vector<std::pair<InputDataset, Handle>> datasets_;
  std::vector<std::string> faults_;
};

/// Calls one member of InputReader and returns the reply: the faults found, then the result.
using Call = Message (*)(InputReader& reader, Message& request);
/// Calls a member with the arguments in the request.
template <class Answer, class... Arguments>
Message reply_of(InputReader& reader, Message& request,
                 Answer (InputReader::*member)(Arguments...)) {
  const std::tuple arguments{request.take<std::decay_t<Arguments>>()...};
  const Answer answer =
      std::apply([&](const auto&... each) { return (reader.*member)(each...); }, arguments);
  return std::move(Message() << reader.take_faults() << answer);
}
template <auto member>
Message call(InputReader& reader, Message& request) {
  return reply_of(reader, request, member);
}

/// Answers requests one after another. The first is the path of the file to open; the others are a
/// Call, whose address is the same in a fork of this process, and its arguments. A child cannot
/// open other files after the first request.
class Reading {
 public:
  explicit Reading(Isolation isolation) : isolation_(isolation) {}
  Message operator()(Message request, std::span<std::byte> window);

 private:
  Isolation isolation_;
  std::shared_ptr<InputReader> reader_;
};

}  // namespace gihflow::hdf5
