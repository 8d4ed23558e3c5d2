#include "gihflow/chain/prior.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/make_fault.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/base/parallel.hpp"
#include "gihflow/base/size.hpp"
#include "gihflow/base/text.hpp"

namespace gihflow {

namespace {

constexpr Index chains_per_block = 64;

// Name of a family, and name and member of its parameter, if it has one. GivenKernels has no entry.
template <class Family, class Number>
struct Name {
  const char* name;
  const char* number = nullptr;
  Number Family::*member = nullptr;
};

// Calls visit(name) for each until one returns true.
template <class Visit>
bool any_name(Visit visit) {
  return visit(Name<DirichletRows, double>{"dirichlet"}) ||
         visit(Name<DoublyStochastic, double>{"doubly-stochastic"}) ||
         visit(Name<LazyCopy, double>{"lazy", "RHO", &LazyCopy::copied}) ||
         visit(Name<NoisyPermutation, double>{"permutation", "ETA", &NoisyPermutation::noise}) ||
         visit(Name<LowRank, Index>{"low-rank", "K", &LowRank::classes}) ||
         visit(Name<KernelMixture, Index>{"mixture", "K", &KernelMixture::components}) ||
         visit(Name<FixedKernel, std::vector<double>>{"fixed", "P,P,...",
                                                      &FixedKernel::probabilities});
}

template <class Number>
std::optional<Number> parsed(std::string_view text, Number*) {
  return parse_number<Number>(text);
}
std::optional<std::vector<double>> parsed(std::string_view text, std::vector<double>*) {
  std::vector<double> numbers;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const auto number = parse_number<double>(text.substr(begin, end - begin));
    if (!number) return std::nullopt;
    numbers.push_back(*number);
    begin = end + 1;
  }
  return numbers;
}

template <class Number>
std::string printed(Number number) {
  return fmt::format("{}", number);
}
std::string printed(const std::vector<double>& numbers) {
  return fmt::format("{}", fmt::join(numbers, ","));
}

}  // namespace

Prior prior_of(std::shared_ptr<const Kernels> kernels) {
  Prior prior;
  prior.vocabulary = kernels->vocabulary;
  prior.parents = kernels->parents;
  prior.family = GivenKernels{std::move(kernels)};
  return prior;
}

const Kernels* given_kernels(const Prior& prior) {
  const auto* given = std::get_if<GivenKernels>(&prior.family);
  return given == nullptr ? nullptr : given->kernels.get();
}

std::optional<PriorFamily> family_named(const std::string& text) {
  const std::size_t colon = text.find(':');
  const std::string name = text.substr(0, colon);
  std::optional<PriorFamily> found;
  any_name([&]<class Family, class Number>(const Name<Family, Number>& known) {
    if (known.name != name) return false;
    Family family;
    if (colon != std::string::npos) {
      const auto number =
          parsed(std::string_view(text).substr(colon + 1), static_cast<Number*>(nullptr));
      if (known.member == nullptr || !number) return true;
      family.*known.member = *number;
    }
    found = family;
    return true;
  });
  return found;
}

std::string to_string(const PriorFamily& family) {
  std::string text = "given";
  any_name([&]<class Family, class Number>(const Name<Family, Number>& known) {
    const auto* own = std::get_if<Family>(&family);
    if (own == nullptr) return false;
    text = known.member == nullptr ? std::string(known.name)
                                   : fmt::format("{}:{}", known.name, printed(own->*known.member));
    return true;
  });
  return text;
}

std::string family_names() {
  std::string text;
  any_name([&](const auto& known) {
    if (!text.empty()) text += ", ";
    text += known.name;
    if (known.number != nullptr) text += fmt::format(":{}", known.number);
    return false;
  });
  return text;
}

ErrorList prior_errors(const Prior& prior) {
  ErrorList errors;
  const Index d = prior.vocabulary;
  if (d < 2 || d > max_vocabulary) {
    errors.add(fault(Field::vocabulary, d, "must be between 2 and {}", max_vocabulary));
  }
  if (!are_parents(prior.parents)) {
    errors.add(fault(Field::parents, to_string_lags(prior.parents), parents_allowed));
  }
  if (!std::isfinite(prior.alpha) || prior.alpha <= 0.0) {
    errors.add(fault(Field::alpha, prior.alpha, "must be a finite number above 0"));
  }
  if (!(prior.floor >= 0.0) || (d >= 2 && !(prior.floor < 1.0 / static_cast<double>(d)))) {
    errors.add(fault(Field::floor, prior.floor, "must be at least 0 and below 1/{} = {}",
                     Field::vocabulary, 1.0 / static_cast<double>(d)));
  }
  if (!errors.empty()) return errors;
  Index entries = d;  // d^{n+1}
  for (std::size_t i = 0; i < prior.parents.size() && entries <= max_kernel_entries; ++i) {
    entries *= d;
  }
  if (entries > max_kernel_entries) {
    errors.add(fault(Field::parents, to_string_lags(prior.parents),
                     "a kernel of {}^{} = {}^{} entries: must not exceed {}", Field::vocabulary,
                     prior.parents.size() + 1, d, prior.parents.size() + 1, max_kernel_entries));
  }
  if (errors.empty()) std::visit([&](const auto& own) { own.check(prior, errors); }, prior.family);
  return errors;
}

void draw_kernel(const Prior& prior, std::uint64_t seed, Purpose purpose, Index chain,
                 std::span<double> values) {
  const ChainKey key{seed, purpose, chain};
  std::visit([&](const auto& own) { own.draw(prior, key, values); }, prior.family);
  if (prior.floor > 0.0) {  // (1.3)
    const double kept = 1.0 - static_cast<double>(prior.vocabulary) * prior.floor;
    for (double& entry : values) entry = kept * entry + prior.floor;
  }
}

Kernels draw_kernels(const Prior& prior, std::uint64_t seed, Purpose purpose, Index count) {
  ErrorList errors = prior_errors(prior);
  if (count < 1) errors.add(fault(Field::chains, count, "must be at least 1"));
  errors.throw_if_any();

  Kernels kernels;
  kernels.vocabulary = prior.vocabulary;
  kernels.parents = prior.parents;
  kernels.count = count;
  const Index entries = kernels.contexts() * prior.vocabulary;
  if (count > (Index{1} << 62) / entries) {
    throw InputError(fault(Field::chains, count, "{} kernel entries each are too many", entries));
  }
  kernels.values.resize(size(count * entries));
  parallel_ranges(count, chains_per_block, [&](Index begin, Index end) {
    for (Index chain = begin; chain < end; ++chain)
      draw_kernel(prior, seed, purpose, chain, kernels.of_chain(chain));
  });
  return kernels;
}

std::optional<double> conjugate_concentration(const Prior& prior) {
  if (!std::holds_alternative<DirichletRows>(prior.family) || prior.floor > 0.0)
    return std::nullopt;
  return prior.alpha;
}

double least_probability(const Prior& prior) {
  const double least =
      std::visit([&](const auto& own) { return own.least_probability(prior); }, prior.family);
  return (1.0 - static_cast<double>(prior.vocabulary) * prior.floor) * least + prior.floor;
}

double small_entries(const Prior& prior) {
  if (prior.floor > 0.0) return std::numeric_limits<double>::infinity();
  return std::visit([&](const auto& own) { return own.small_entries(prior); }, prior.family);
}

}  // namespace gihflow
