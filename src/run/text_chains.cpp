#include "run/text_chains.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/make_fault.hpp"
#include "gihflow/base/errors.hpp"

namespace gihflow {

namespace {

constexpr std::uintmax_t largest_text = std::uintmax_t{1} << 30;  // bytes

}  // namespace

TextTokens read_text_tokens(const std::string& path, Index vocabulary) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    throw InputError(fault(Field::text, path, "must be a file that exists"));
  }
  if (std::filesystem::file_size(path, error) > largest_text) {
    throw InputError(fault(Field::text, path, "must be at most 1 GiB"));
  }
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file.is_open() || file.bad()) throw InputError(fault(Field::text, path, "cannot be read"));
  return tokens_of_text(text, vocabulary);
}

Kernels text_kernels(const Setting& setting, const std::string& path) {
  const Prior& prior = setting.sampling.prior;
  return kernels_of_text(read_text_tokens(path, prior.vocabulary), prior.parents, prior.alpha,
                         setting.passage);
}

}  // namespace gihflow
