#include "gihflow/base/text.hpp"

#include <doctest/doctest.h>

using namespace gihflow;

TEST_CASE("texts that every format can hold are told from those that none should") {
  for (const char* good : {"", "a\tb\n", "caf\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x8c\x80"}) {
    CHECK(is_plain_utf8(good));
  }
  for (const char* bad : {"caf\xe9",           // Latin-1
                          "\x1b[31m",          // terminal control
                          "\x7f",              // delete
                          "\xc2\x80",          // C1 control
                          "\xc0\xaf",          // overlong
                          "\xe0\x80\xaf",      // overlong
                          "\xed\xa0\x80",      // surrogate
                          "\xf4\x90\x80\x80",  // beyond Unicode
                          "\xe2\x82"}) {       // cut short
    CHECK_FALSE(is_plain_utf8(bad));
  }
}

TEST_CASE("a text is a number as a whole or not at all") {
  CHECK(parse_number<int>("-17") == -17);
  CHECK(parse_number<double>("1e-3") == 1e-3);
  CHECK(parse_number<double>("5") == 5.0);
  for (const char* text : {"", " 1", "1 ", "+1", "0x1", "1,2", "one", "1e", "2e1", "3000000000"}) {
    CHECK_FALSE_MESSAGE(parse_number<int>(text).has_value(), text);
  }
  for (const char* text : {"", " 1", "1 ", "+1", "0,1", "1e", "1e999"}) {
    CHECK_FALSE_MESSAGE(parse_number<double>(text).has_value(), text);
  }
}
