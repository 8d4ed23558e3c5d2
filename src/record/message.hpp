#pragma once

#include <cstddef>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

namespace gihflow::hdf5 {

/// A message is too short or has invalid contents.
class Malformed : public std::runtime_error {
 public:
  Malformed() : std::runtime_error("malformed message") {}
};

/// Types that go into a message as their bytes. Pointers must be valid in both processes.
template <class T>
concept Plain = std::is_arithmetic_v<T> || std::is_enum_v<T> || std::is_pointer_v<T>;

/// A sequence of values as bytes, for two processes of one program. Numbers, enumerations,
/// addresses, texts, vectors and optionals are put in by << and taken out in the same order by
/// take<T>(), which checks everything: it throws Malformed for missing bytes and for sizes beyond
/// the bytes that follow.
class Message {
 public:
  Message() = default;
  explicit Message(std::string bytes) : bytes_(std::move(bytes)) {}

  const std::string& bytes() const { return bytes_; }

  template <Plain T>
  Message& operator<<(T value) {
    return append(&value, sizeof value);
  }
  Message& operator<<(const std::string& text) {
    *this << text.size();
    return append(text.data(), text.size());
  }
  template <class T>
  Message& operator<<(const std::vector<T>& values) {
    *this << values.size();
    for (const T& value : values) *this << value;
    return *this;
  }
  template <class T>
  Message& operator<<(const std::optional<T>& value) {
    *this << value.has_value();
    return value ? *this << *value : *this;
  }

  template <class T>
  T take() {
    return taker(static_cast<T*>(nullptr));
  }

 private:
  Message& append(const void* from, std::size_t size) {
    bytes_.append(static_cast<const char*>(from), size);
    return *this;
  }
  const char* next(std::size_t size) {
    if (size > bytes_.size() - read_) throw Malformed();
    const char* const result = bytes_.data() + read_;
    read_ += size;
    return result;
  }

  // One overload for each kind of type, chosen by the null pointer.
  template <Plain T>
  T taker(T*) {
    T value;
    std::memcpy(&value, next(sizeof value), sizeof value);
    return value;
  }
  bool taker(bool*) { return take<unsigned char>() != 0; }
  std::string taker(std::string*) {
    const auto size = take<std::size_t>();
    return {next(size), size};
  }
  template <class T>
  std::vector<T> taker(std::vector<T>*) {
    std::vector<T> values;
    for (auto left = take<std::size_t>(); left > 0; --left) values.push_back(take<T>());
    return values;
  }
  template <class T>
  std::optional<T> taker(std::optional<T>*) {
    return take<bool>() ? std::optional<T>(take<T>()) : std::nullopt;
  }

  std::string bytes_;
  std::size_t read_ = 0;
};

}  // namespace gihflow::hdf5
