#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gihflow/base/errors.hpp"
#include "record/handle.hpp"
#include "record/image.hpp"

namespace gihflow::hdf5 {

/// "[3, 101]", "a scalar" for an empty shape.
std::string to_string(const Shape& shape);

/// A dataset of an input file, found to be plain, numeric and of a size that memory holds.
struct InputDataset {
  std::string name;
  Handle handle;
  Shape shape;

  std::size_t entries() const;
};

/// What a dataset holds; reals: integers too.
enum class Numbers { integers, reals, texts };

/// An HDF5 file of unknown origin, open for reading. Only hard links are followed, so that no path
/// leads out of the file, to another place or in a circle; neither external storage, nor virtual
/// datasets, nor filter plug-ins are used. Sizes are compared with memory before anything is allocated.
///
/// Readers collect the faults they find, each a sentence naming the file and the field, and answer
/// nothing for what is faulty; `finish` throws them all.
class InputFile {
 public:
  /// Throws InputError when `path` is not a readable HDF5 file.
  explicit InputFile(std::string path);

  const std::string& path() const { return path_; }

  void fault(const std::string& sentence) { errors_.add(path_ + ": " + sentence); }
  bool faulty() const { return !errors_.empty(); }
  /// Throws InputError with all faults, if any.
  void finish() const { errors_.throw_if_any(); }

  /// Whether something is at this absolute path, whatever it is.
  bool has(const std::string& object) const;
  bool has_attribute(const std::string& object, const std::string& name) const;

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

  /// A one-dimensional dataset of texts.
  std::optional<std::vector<std::string>> texts(const std::string& name);

  /// Attributes of the object at an absolute path, which must exist.
  std::optional<std::int64_t> integer_attribute(const std::string& object, const std::string& name,
                                                const std::string& wanted);
  std::optional<std::vector<std::int64_t>> integers_attribute(const std::string& object,
                                                              const std::string& name,
                                                              const std::string& wanted);
  std::optional<double> real_attribute(const std::string& object, const std::string& name);
  std::optional<std::string> text_attribute(const std::string& object, const std::string& name);

 private:
  std::optional<Handle> attribute(const std::string& object, const std::string& name,
                                  H5T_class_t type_class, const std::string& wanted);
  bool reachable(const std::string& object, const std::string& wanted);
  std::optional<InputDataset> dataset_of_shape(const std::string& name, Numbers numbers,
                                               const Shape& shape);
  template <class T>
  std::optional<std::vector<T>> values(const InputDataset& dataset);

  std::string path_;
  Handle file_;
  ErrorList errors_;
};

/// Reads rows [begin, begin + rows) of a dataset of rank ≥ 1 into `out`. Throws Error.
void read_rows(const InputDataset& dataset, hsize_t begin, hsize_t rows,
               std::span<std::int64_t> out);

}  // namespace gihflow::hdf5
