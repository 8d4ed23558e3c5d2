#pragma once

// Messages between processes that share an objective: numbers and texts in sequence, as the bytes
// that they have in memory.

#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "gihflow/population/objective.hpp"

namespace gihflow {

/// Writes a message.
class Packer {
 public:
  std::string message;

  template <class T>
  void put(const T& number) requires std::is_arithmetic_v<T> {
    message.append(reinterpret_cast<const char*>(&number), sizeof number);
  }
  template <class T>
  void put(const std::vector<T>& numbers) {
    put_all(std::span<const T>(numbers));
  }
  void put(std::string_view text) { put_all(std::span<const char>(text)); }
  void put(const PlainBlocks& blocks) {
    for (const PlainArray& array : plain_arrays) put_all(array.in(blocks));
  }
  void put(const Point& point) {
    put(static_cast<const PlainBlocks&>(point));
    put(point.p);
  }
  void put(const Gradient& gradient) {
    put(static_cast<const PlainBlocks&>(gradient));
    put(gradient.loss);
    put(gradient.p);
    put(gradient.attention);
  }

 private:
  template <class T>
  void put_all(std::span<const T> numbers) {
    put(numbers.size());
    message.append(reinterpret_cast<const char*>(numbers.data()), numbers.size_bytes());
  }
};

/// Reads a message, in the order in which it was written.
class Unpacker {
 public:
  explicit Unpacker(std::string_view message) : rest_(message) {}

  bool empty() const { return rest_.empty(); }
  template <class T>
  T number() {
    T value;
    take(&value, sizeof value);
    return value;
  }
  template <class T>
  std::vector<T> numbers() {
    std::vector<T> values(number<std::size_t>());
    take(values.data(), values.size() * sizeof(T));
    return values;
  }
  std::string text() {
    const std::vector<char> letters = numbers<char>();
    return {letters.begin(), letters.end()};
  }
  void read(PlainBlocks& blocks) {
    for (const PlainArray& array : plain_arrays) array.assign(blocks, numbers<double>());
  }
  Point point() {
    Point point;
    read(point);
    point.p = numbers<double>();
    return point;
  }
  Gradient gradient() {
    Gradient gradient;
    read(gradient);
    gradient.loss = number<double>();
    gradient.p = numbers<double>();
    gradient.attention = numbers<double>();
    return gradient;
  }

 private:
  void take(void* to, std::size_t bytes) {
    if (bytes > 0) std::memcpy(to, rest_.data(), bytes);  // data() of an empty vector may be null
    rest_.remove_prefix(bytes);
  }

  std::string_view rest_;
};

}  // namespace gihflow
