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
