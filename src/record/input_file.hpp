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

/// An HDF5 file of unknown origin, open for reading. Only hard links are followed, so that no path
/// leads out of the file, to another place or in a circle; neither external storage nor virtual
/// datasets are used. Sizes are compared with memory before anything is allocated. HDF5 itself runs
/// in this process or in a child, see Isolation.
///
/// Readers collect the faults they find, each a sentence naming the file and the field, and answer
/// nothing for what is faulty; `finish` throws them all. After the death of a child every call
/// throws.
class InputFile {
 public:
  /// Throws InputError when `path` is not a readable HDF5 file.
  InputFile(std::string path, Isolation isolation);

  const std::string& path() const { return path_; }

  void fault(Fault fault) { errors_.add(within(path_, std::move(fault))); }
  void fault(const std::string& sentence) { fault(Fault{.allowed = sentence}); }
  bool faulty() const { return !errors_.empty(); }
  /// Throws InputError with all faults, if any.
  void finish() const { errors_.throw_if_any(); }

  /// All objects that hard links lead to, and the other links: the root, then by name.
  std::vector<InputObject> objects();

  /// Whether something is at this absolute path, whatever it is.
  bool has(const std::string& object);
  bool has_attribute(const std::string& object, const std::string& name);

  /// The dataset `name`, which must exist; `wanted` says what it must be, for the message. An entry
  /// will take `entry_bytes` of memory.
  std::optional<InputDataset> dataset(const std::string& name, Numbers numbers,
                                      const std::string& wanted,
                                      std::size_t entry_bytes = sizeof(double));

  /// All values of a dataset.
  std::optional<std::vector<double>> reals(const InputDataset& dataset);
  std::optional<std::vector<std::int64_t>> integers(const InputDataset& dataset);
  /// The same by name, with a shape that is known and checked before anything is read.
  std::optional<std::vector<double>> reals(const std::string& name, const Shape& shape);
  std::optional<std::vector<std::int64_t>> integers(const std::string& name, const Shape& shape);

  /// Hands over all values of a dataset, in order and in pieces of at most 2^18, each valid during
  /// the call: take(index of the first, values). While a piece is looked at the next one is read. T
  /// is double or std::int64_t, as the dataset was asked for. Returns whether all could be read.
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

  // A request for a member of InputReader, and the reply; a failure to answer is a fault, thrown
  // with the others.
  template <auto member, class... Arguments>
  void send(const Arguments&... arguments);
  template <class Answer>
  Answer receive();
  template <auto member, class... Arguments>
  auto ask(const Arguments&... arguments);
  [[noreturn]] void fail(const std::string& sentence);

  std::string path_;
  std::unique_ptr<Answerer> reader_;
  std::size_t datasets_ = 0;  // found so far; the reader counts them too
  ErrorList errors_;
};

}  // namespace gihflow::hdf5
