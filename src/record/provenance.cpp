#include "record/provenance.hpp"

#include <array>
#include <fstream>

#include "record/fields.hpp"

namespace gihflow {

namespace {

// Releases a lock while this object lives.
class Unlocked {
 public:
  explicit Unlocked(std::unique_lock<std::mutex>& lock) : lock_(lock) { lock_.unlock(); }
  Unlocked(const Unlocked&) = delete;
  Unlocked& operator=(const Unlocked&) = delete;
  ~Unlocked() { lock_.lock(); }

 private:
  std::unique_lock<std::mutex>& lock_;
};

}  // namespace

void write_provenance(hdf5::Image& image, const Provenance& provenance) {
  image.attribute("/", "program", "gihflow");
  write_attributes(image, "/", provenance);
}

Provenance read_provenance(hdf5::InputFile& file) {
  Provenance provenance;
  read_attributes(file, "/", provenance);
  return provenance;
}

bool is_hdf5(const std::string& path) {
  constexpr std::array<char, 8> signature{'\x89', 'H', 'D', 'F', '\r', '\n', '\x1a', '\n'};
  std::array<char, 8> beginning{};
  std::ifstream file(path, std::ios::binary);
  return file.read(beginning.data(), beginning.size()) && beginning == signature;
}

Provenance read_provenance(const std::string& path, Isolation isolation) {
  hdf5::InputFile file(path, isolation);
  Provenance provenance = read_provenance(file);
  file.finish();
  return provenance;
}

void write_image(OutputFile& file, const std::function<void(hdf5::Image&)>& build) {
  std::unique_lock lock(hdf5::library_mutex());
  try {
    hdf5::Image image;
    build(image);
    const std::span<const std::byte> bytes = image.bytes();
    const Unlocked others_may(lock);
    file.replace(bytes);
  } catch (const hdf5::Error& failure) {
    throw WriteError(file.path() + " could not be built: " + failure.what());
  }
}

}  // namespace gihflow
