#include "gihflow/record/kernel_file.hpp"

#include <fmt/format.h>

#include "gihflow/base/errors.hpp"
#include "record/provenance.hpp"

namespace gihflow {

namespace {

const char* const kernels_wanted = "numbers, [N, d^n, d] with N at least 1 and d at least 2";

// Runs a check and adds the faults that it throws to those of the file.
template <class Check>
auto checked(hdf5::InputFile& file, Check check) -> std::optional<decltype(check())> try {
  return check();
} catch (const InputError& error) {
  for (const Fault& fault : error.faults()) file.fault(fault);
  return std::nullopt;
}

// Reads `kernels` if the shape fits the parents.
void read_values(hdf5::InputFile& file, const hdf5::InputDataset& dataset,
                 const std::vector<Index>& parents, Kernels& kernels) {
  if (dataset.shape.size() != 3) {
    file.fault(fmt::format("/kernels has shape {}: must be {}", hdf5::to_string(dataset.shape),
                           kernels_wanted));
    return;
  }
  kernels.count = static_cast<Index>(dataset.shape[0]);
  kernels.vocabulary = static_cast<Index>(dataset.shape[2]);
  kernels.parents = parents;
  const Index contexts = static_cast<Index>(dataset.shape[1]);
  const auto expected = checked(file, [&] { return kernels.contexts(); });
  if (!expected) return;
  if (*expected != contexts) {
    file.fault(fmt::format("/kernels has {} contexts: must be d^n = {}^{} for the parents {}",
                           contexts, kernels.vocabulary, parents.size(), fmt::join(parents, ",")));
    return;
  }
  if (auto values = file.reals(dataset)) {
    kernels.values = std::move(*values);
    checked(file, [&] { return validate(kernels, "/kernels"), true; });
  }
}

}  // namespace

Kernels read_kernels(const std::string& path, Isolation isolation) {
  hdf5::InputFile file(path, isolation);
  Kernels kernels;
  const auto dataset = file.dataset("/kernels", hdf5::Numbers::reals, kernels_wanted);
  const std::string holder = file.has_attribute("/kernels", "parents") ? "/kernels" : "/";
  const auto parents = file.integers_attribute(holder, "parents", "increasing lags of at least 1");
  if (parents && holder == "/kernels" && file.has_attribute("/", "parents")) {
    const auto others = file.integers_attribute("/", "parents", "increasing lags of at least 1");
    if (others && *others != *parents) {
      file.fault(fmt::format("attribute parents of /kernels is {}: must be that of the file, {}",
                             fmt::join(*parents, ","), fmt::join(*others, ",")));
    }
  }
  if (dataset && parents) read_values(file, *dataset, *parents, kernels);
  file.finish();
  return kernels;
}

void write_kernels(OutputFile& file, const Kernels& kernels, const Provenance& provenance) {
  write_image(file, [&](hdf5::Image& image) {
    const hsize_t chains = static_cast<hsize_t>(kernels.count);
    const hsize_t contexts = static_cast<hsize_t>(kernels.contexts());
    const hsize_t tokens = static_cast<hsize_t>(kernels.vocabulary);
    write_provenance(image, provenance);
    image.attribute("/", "parents", kernels.parents);
    image.counting_scale("/chain", 0, chains, "chain");
    image.counting_scale("/context", 0, contexts,
                         "parent context, base d, the nearest parent most significant");
    image.counting_scale("/token", 0, tokens, "token");
    image.dataset<double>("/kernels", kernels.values, {chains, contexts, tokens},
                          {"1", "transition probability", {"/chain", "/context", "/token"}});
  });
}

}  // namespace gihflow
