#include "cli/json.hpp"

namespace gihflow::cli {

Json json_difference(const std::string& name, const NumberDifference& numbers) {
  return {{"name", name},
          {"entries", numbers.entries},
          {"different", numbers.different},
          {"absolute", numbers.absolute},
          {"relative", numbers.relative},
          {"ulp", numbers.ulp}};
}

std::string to_text(const Json& json) {
  // Paths may contain bytes that are not UTF-8; they are replaced.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace gihflow::cli
