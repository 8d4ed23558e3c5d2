#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gihflow/base/errors.hpp"
#include "record/child.hpp"
#include "record/input_reader.hpp"

namespace gihflow::hdf5 {

/// An object of an input file, or a link in it that is not followed.
struct InputObject {
  struct Attribute {
    std::string name, type, text;
  };
  std::string path;
  std::string kind;  ///< "dataset", "group", "type" or "link"
  std::string
      type;  ///< in words, with a hash of values that are no numbers or texts; a link's target
  std::vector<Attribute> attributes;
};

/// An HDF5 file of unknown origin, open for reading. Only hard links are followed, so no path leads
/// out of the file or in a circle; external storage and virtual datasets are refused. Sizes are
/// compared with memory before anything is allocated. HDF5 runs in this process or in a child, see
/// Isolation.
///
/// Members collect the faults they find, each a sentence that names the file and the field, and
/// return nullopt for faulty objects; finish() throws all faults. After a child has failed every
/// call throws.
class InputFile {
 public:
  /// Throws InputError if `path` is not a readable HDF5 file.
  InputFile(std::string path, Isolation isolation);

  const std::string& path() const { return path_; }

  void fault(Fault fault) { errors_.add(within(path_, std::move(fault))); }
  void fault(const std::string& sentence) { fault(Fault{.allowed = sentence}); }
  bool faulty() const { return !errors_.empty(); }
  /// Throws InputError with all faults, if any.
  void finish() const { errors_.throw_if_any(); }

  /// All objects reached by hard links, and all other links: the root first, then by name.
  std::vector<InputObject> objects();

  /// Whether there is an object or a link at this absolute path.
  bool has(const std::string& object);
  bool has_attribute(const std::string& object, const std::string& name);

  /// The dataset `name`, which must exist; `wanted` describes it in messages. An entry will take
  /// `entry_bytes` of memory.
  std::optional<InputDataset> dataset(const std::string& name, Numbers numbers,
                                      const std::string& wanted,
                                      std::size_t entry_bytes = sizeof(double));

  /// All values of a dataset.
  std::optional<std::vector<double>> reals(const InputDataset& dataset);
  std::optional<std::vector<std::int64_t>> integers(const InputDataset& dataset);
  /// The same by name, with a known shape that is checked before anything is read.
  std::optional<std::vector<double>> reals(const std::string& name, const Shape& shape);
  std::optional<std::vector<std::int64_t>> integers(const std::string& name, const Shape& shape);

  /// Calls take(index of the first value, values) for all values of a dataset, in order and in
  /// pieces of at most 2^18, valid during the call. The next piece is read during the call. T is
  /// double or std::int64_t, as the dataset was opened. Returns whether all could be read.
  template <class T>
  bool stream(const InputDataset& dataset,
              const std::function<void(std::size_t, std::span<const T>)>& take);

  /// A one-dimensional dataset of texts.
  std::optional<std::vector<std::string>> texts(const std::string& name);
  std::optional<std::vector<std::string>> texts(const InputDataset& dataset);

  /// Attributes of the object at an absolute path, which must exist.
  std::optional<std::int64_t> integer_attribute(const std::string& object, const std::string& name,
                                                const std::string& wanted);
  std::optional<std::vector<std::int64_t>> integers_attribute(const std::string& object,
                                                              const std::string& name,
                                                              const std::string& wanted);
  std::optional<double> real_attribute(const std::string& object, const std::string& name);
  std::optional<std::string> text_attribute(const std::string& object, const std::string& name);

 private:
  std::optional<InputDataset> dataset_of_shape(const std::string& name, Numbers numbers,
                                               const Shape& shape);
  template <class T>
  std::optional<std::vector<T>> values(const InputDataset& dataset);
  void request(const Message& message, unsigned processor_seconds);

  // Requests a call of a member of InputReader, and receives the reply. If there is no reply,
  // throws that fault with all others.
  template <auto member, class... Arguments>
  void send(const Arguments&... arguments);
  template <class Answer>
  Answer receive();
  template <auto member, class... Arguments>
  auto ask(const Arguments&... arguments);
  [[noreturn]] void fail(const std::string& sentence);

  std::string path_;
  std::unique_ptr<Answerer> reader_;
  std::size_t datasets_ = 0;  // number found so far, counted in the reader too
  ErrorList errors_;
};

}  // namespace gihflow::hdf5
