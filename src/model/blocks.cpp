#include "gihflow/model/blocks.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "base/make_fault.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/base/size.hpp"
#include "gihflow/base/subsets.hpp"
#include "gihflow/base/text.hpp"

namespace gihflow {

namespace {

bool has_heads(const PlainArray& array) {
  return array.axes[0] == 'H';
}

bool may_be_split(char letter) {
  return std::any_of(plain_arrays.begin(), plain_arrays.end(), [&](const PlainArray& array) {
    return array.letter == letter && has_heads(array);
  });
}

[[noreturn]] void refuse(std::string_view text, const std::string& what) {
  throw InputError(Fault{Field::stages, std::string(text), Phrase(what)});
}

/// Removes the bracketed list at the front of `rest`, up to `close`, and returns what is between
/// the brackets.
std::string_view take_list(std::string_view text, char close, std::string_view& rest) {
  const std::size_t end = rest.find(close);
  if (end == std::string_view::npos)
    refuse(text, fmt::format("has a '{}' without a '{}'", rest.front(), close));
  const std::string_view list = rest.substr(1, end - 1);
  rest.remove_prefix(end + 1);
  return list;
}

/// The heads of "1,3", 0-based and increasing; `what` names their block or set in messages.
std::vector<Index> heads_of(std::string_view text, std::string_view list, std::string_view what) {
  std::vector<Index> heads;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t comma = std::min(list.find(',', begin), list.size());
    const std::string word(list.substr(begin, comma - begin));
    const std::optional<Index> head = parse_number<Index>(word);
    if (!head || *head < 1 || *head > most_elements)
      refuse(text, fmt::format("names the head '{}', which is not a number from 1 to {}", word,
                               most_elements));
    heads.push_back(*head - 1);
    begin = comma + 1;
  }
  std::sort(heads.begin(), heads.end());
  if (std::adjacent_find(heads.begin(), heads.end()) != heads.end())
    refuse(text, fmt::format("names a head of {} twice", what));
  return heads;
}

/// Removes the sets "{1,2}{3}" at the front of `rest` and returns them.
std::vector<std::uint32_t> take_sets(std::string_view text, std::string_view& rest) {
  std::vector<std::uint32_t> sets;
  while (!rest.empty() && rest.front() == '{') {
    const std::string_view list = take_list(text, '}', rest);
    std::uint32_t set = 0;
    if (!list.empty())
      for (const Index head : heads_of(text, list, "a set")) set |= std::uint32_t{1} << head;
    if (std::find(sets.begin(), sets.end(), set) != sets.end())
      refuse(text, fmt::format("names the set {} twice", to_string_subset(set)));
    sets.push_back(set);
  }
  std::sort(sets.begin(), sets.end(), [](std::uint32_t x, std::uint32_t y) {
    return subset_index(x, most_elements) < subset_index(y, most_elements);
  });
  return sets;
}

}  // namespace

const std::string& all_block_letters() {
  static const std::string letters = [] {
    std::string out = "c";
    for (const PlainArray& array : plain_arrays)
      if (out.find(array.letter) == std::string::npos) out += array.letter;
    return out;
  }();
  return letters;
}

std::vector<Index> shape_of(const PlainArray& array, const Model& model) {
  std::vector<Index> shape;
  for (const char* axis = array.axes; *axis != '\0'; ++axis)
    shape.push_back(*axis == 'H' ? model.heads : *axis == 'M' ? model.window : model.vocabulary);
  return shape;
}

Index size_of(const PlainArray& array, const Model& model) {
  if (!array.present(model)) return 0;
  const std::vector<Index> shape = shape_of(array, model);
  return std::accumulate(shape.begin(), shape.end(), Index{1}, std::multiplies<>());
}

std::string letters_of(const Model& model) {
  std::string out = "c";
  for (const PlainArray& array : plain_arrays)
    if (array.present(model) && out.back() != array.letter) out += array.letter;
  return out;
}

PlainBlocks zero_blocks(const Model& model) {
  PlainBlocks out;
  for (const PlainArray& array : plain_arrays)
    if (const Index n = size_of(array, model); n > 0)
      array.assign(out, std::vector<double>(size(n), 0.0));
  return out;
}

PlainBlocks zeros_like(const PlainBlocks& blocks) {
  PlainBlocks out;
  for (const PlainArray& array : plain_arrays)
    array.assign(out, std::vector<double>(array.in(blocks).size(), 0.0));
  return out;
}

double dot(const PlainBlocks& x, const PlainBlocks& y) {
  double sum = 0.0;
  for (const PlainArray& array : plain_arrays) {
    const auto of_x = array.in(x), of_y = array.in(y);
    sum += std::inner_product(of_x.begin(), of_x.end(), of_y.begin(), 0.0);
  }
  return sum;
}

BlockSet::BlockSet(std::string_view text) {
  std::string given;
  if (text.empty()) refuse(text, "names no block");
  for (std::string_view rest = text; !rest.empty();) {
    const char letter = rest.front();
    rest.remove_prefix(1);
    if (all_block_letters().find(letter) == std::string::npos)
      refuse(text, fmt::format("has the unknown block '{}'", letter));
    if (given.find(letter) != std::string::npos)
      refuse(text, fmt::format("names block '{}' twice", letter));
    given += letter;
    if (rest.empty()) continue;
    if (rest.front() == '[') {
      const std::string_view list = take_list(text, ']', rest);
      if (!may_be_split(letter))
        refuse(text, fmt::format("names heads of '{}', which has none", letter));
      parts_.push_back({letter, heads_of(text, list, fmt::format("'{}'", letter)), {}});
    } else if (rest.front() == '{') {
      if (letter != 'c') refuse(text, fmt::format("names sets of '{}', which has none", letter));
      parts_.push_back({letter, {}, take_sets(text, rest)});
    }
  }
  for (const char letter : all_block_letters())
    if (given.find(letter) != std::string::npos) letters_ += letter;
  std::sort(parts_.begin(), parts_.end(), [&](const Part& x, const Part& y) {
    return all_block_letters().find(x.letter) < all_block_letters().find(y.letter);
  });
}

bool BlockSet::has(char letter, Index head) const {
  if (!has(letter)) return false;
  for (const Part& part : parts_)
    if (part.letter == letter)
      return std::binary_search(part.heads.begin(), part.heads.end(), head);
  return true;
}

bool BlockSet::has_set(std::uint32_t set) const {
  if (!has('c')) return false;
  for (const Part& part : parts_)
    if (part.letter == 'c')
      return std::find(part.sets.begin(), part.sets.end(), set) != part.sets.end();
  return true;
}

std::string BlockSet::text() const {
  std::string out;
  for (const char letter : letters_) {
    out += letter;
    for (const Part& part : parts_) {
      if (part.letter != letter) continue;
      for (const std::uint32_t set : part.sets) out += to_string_subset(set);
      if (part.heads.empty()) continue;
      std::string list;
      for (const Index head : part.heads)
        list += fmt::format("{}{}", list.empty() ? "" : ",", head + 1);
      out += "[" + list + "]";
    }
  }
  return out;
}

std::vector<std::string> BlockSet::faults(const Model& model) const {
  std::vector<std::string> all;
  const std::string has = letters_of(model);
  for (const char letter : letters_)
    if (has.find(letter) == std::string::npos)
      all.push_back(
          fmt::format("the model has no block '{}', only {}", letter, fmt::join(has, ", ")));
  Index largest = 0;
  for (const Part& part : parts_) {
    if (!part.heads.empty()) largest = std::max(largest, part.heads.back() + 1);
    for (const std::uint32_t set : part.sets) {
      const std::vector<Index> heads = elements_of(set);
      if (!heads.empty()) largest = std::max(largest, heads.back());
      if (static_cast<Index>(heads.size()) > model.degree)
        all.push_back(fmt::format("names the set {}; the model has sets of at most {} heads",
                                  to_string_subset(set), model.degree));
    }
  }
  if (largest > model.heads)
    all.push_back(fmt::format("names head {}; the model has {}", largest, model.heads));
  return all;
}

std::string MovingPart::name(Index i) const {
  const std::string_view axes = array->axes;
  if (axes.empty()) return array->name;
  if (axes == "Hdd") {
    const Index d = std::llround(std::sqrt(static_cast<double>(size)));
    return fmt::format("{}[{},{},{}]", array->name, head + 1, i / d + 1, i % d + 1);
  }
  return head < 0 ? fmt::format("{}[{}]", array->name, i + 1)
                  : fmt::format("{}[{},{}]", array->name, head + 1, i + 1);
}

std::vector<MovingPart> moving_parts(const BlockSet& blocks, const PlainBlocks& sizes,
                                     Index heads) {
  std::vector<MovingPart> parts;
  for (const PlainArray& array : plain_arrays) {
    const std::span<const double> numbers = array.in(sizes);
    if (!blocks.has(array.letter) || numbers.empty()) continue;
    if (!has_heads(array)) {
      parts.push_back({&array, -1, 0, static_cast<Index>(numbers.size())});
      continue;
    }
    const Index row = static_cast<Index>(numbers.size()) / heads;
    for (Index h = 0; h < heads; ++h) {
      if (!blocks.has(array.letter, h)) continue;
      Index length = row;  // without the logits of lags that the head does not have
      while (length > 0 && std::isinf(numbers[size(h * row + length - 1)])) --length;
      parts.push_back({&array, h, h * row, length});
    }
  }
  return parts;
}

}  // namespace gihflow
