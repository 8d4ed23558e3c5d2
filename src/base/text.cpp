#include "gihflow/base/text.hpp"

#include <algorithm>
#include <cstddef>

namespace gihflow {

namespace {

// Number of bytes of the first UTF-8 character of a text; 0 if it is malformed.
std::size_t first_character(std::string_view text) {
  const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(text[k]); };
  const unsigned lead = byte(0);
  const std::size_t length = lead < 0x80   ? 1
                             : lead < 0xc2 ? 0
                             : lead < 0xe0 ? 2
                             : lead < 0xf0 ? 3
                             : lead < 0xf5 ? 4
                                           : 0;
  if (length == 0 || length > text.size()) return 0;
  char32_t code = length == 1 ? lead : lead & (0x7fu >> length);
  for (std::size_t k = 1; k < length; ++k) {
    if ((byte(k) & 0xc0u) != 0x80u) return 0;
    code = (code << 6) | (byte(k) & 0x3fu);
  }
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  return overlong || surrogate || code > 0x10ffff ? 0 : length;
}

// C0 and C1 controls and DEL, except tab and end of line.
bool is_control(std::string_view character) {
  const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(character[k]); };
  if (character.size() == 1) {
    return byte(0) == 0x7f || (byte(0) < 0x20 && character != "\n" && character != "\t");
  }
  return character.size() == 2 && byte(0) == 0xc2 && byte(1) < 0xa0;
}

}  // namespace

std::optional<std::vector<std::string_view>> characters_of(std::string_view text) {
  std::vector<std::string_view> characters;
  while (!text.empty()) {
    const std::size_t length = first_character(text);
    if (length == 0) return std::nullopt;
    characters.push_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return characters;
}

bool is_plain_utf8(const std::string& text) {
  const auto characters = characters_of(text);
  return characters && std::none_of(characters->begin(), characters->end(), is_control);
}

}  // namespace gihflow
