// Attention and predictions of the model of a run on some of its sequences.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "gihflow/base/errors.hpp"
#include "gihflow/base/size.hpp"
#include "gihflow/flow/flow.hpp"
#include "gihflow/population/reading.hpp"
#include "gihflow/run/problem.hpp"
#include "gihflow/theory/distance.hpp"
#include "gihflow/theory/predictors.hpp"
#include "run/report_parts.hpp"

namespace gihflow {

namespace {

constexpr Index most_sequences = 4;
constexpr Index most_positions = 300;  // the last ones of a sequence

std::string base64(const std::vector<unsigned char>& bytes) {
  constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t left = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k) bits = bits << 8 | (k < left ? bytes[i + k] : 0u);
    for (std::size_t k = 0; k < 4; ++k) {
      text += k <= left ? digits[bits >> (18 - 6 * k) & 63u] : '=';
    }
  }
  return text;
}

template <class Bits>
void append(std::vector<unsigned char>& bytes, Bits bits) {
  for (std::size_t k = 0; k < sizeof(Bits); ++k) {
    bytes.push_back(static_cast<unsigned char>(bits >> 8 * k & 0xffu));
  }
}

double total_variation(const std::vector<double>& x, const std::vector<double>& y) {
  double sum = 0.0;
  for (std::size_t e = 0; e < x.size(); ++e) sum += std::abs(x[e] - y[e]);
  return 0.5 * sum;
}

// A sequence with the law of its label, and the readings at all shown outputs, stage by stage.
Json sequence_of(const RunFile& run, const Model& model, const SequenceSource& source, Index chain,
                 const std::vector<Index>& lags, const ShownOutputs& shown) {
  const Index length = source.length();
  const std::size_t d = size(model.vocabulary);
  std::vector<Token> tokens(size(length + 1));
  std::vector<double> targets(d), truth(d);
  source.draw(chain, tokens, targets);
  const bool known = source.conditional_law(chain, tokens, truth);
  const SequenceReader reader(model, tokens);

  // Positions with equal windows have equal weights, of which one is stored.
  const std::vector<Index> alike = reader.first_alike();
  const Index kept = std::min(length, most_positions);
  std::vector<Index> classes(alike.end() - kept, alike.end());
  std::sort(classes.begin(), classes.end());
  classes.erase(std::unique(classes.begin(), classes.end()), classes.end());
  std::vector<std::ptrdiff_t> class_of;
  for (auto first = alike.end() - kept; first != alike.end(); ++first) {
    class_of.push_back(std::lower_bound(classes.begin(), classes.end(), *first) - classes.begin());
  }
  Json json{{"chain", chain + 1},
            {"length", length},
            {"first", length - kept + 1},
            {"tokens", std::vector<Token>(tokens.end() - 1 - kept, tokens.end() - 1)},
            {"label", tokens.back()},
            {"taking_part", json_list(classes, [](Index first) { return first > 0; })},
            {"class_of", class_of},
            {"truth", known ? truth : targets},
            {"truth_is_law", known},
            {"gih", gih_predict(tokens, model, lags)}};
  std::vector<double> at_start, at_end;
  json["stages"] = Json::array();
  for (std::size_t k = 0; k < shown.size(); ++k) {
    std::vector<double> weights, laws;
    for (const std::size_t i : shown[k]) {
      const Reading reading =
          reader.read(point_of(run.state.trajectory.stages[k].snapshots[i].parameters));
      for (const Index first : classes) {
        weights.push_back(first > 0 ? reading.weights[size(first - 1)] : 0.0);
      }
      laws.insert(laws.end(), reading.law.begin(), reading.law.end());
      if (at_start.empty()) at_start = reading.law;
      at_end = reading.law;
    }
    json["stages"].push_back({{"weights", base64_shares(weights)}, {"law", base64_reals(laws)}});
  }
  json["change"] = total_variation(at_start, at_end);
  return json;
}

}  // namespace

std::string base64_reals(const std::vector<double>& numbers) {
  std::vector<unsigned char> bytes;
  for (const double x : numbers) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, &x, sizeof x);
    append(bytes, bits);
  }
  return base64(bytes);
}

std::string base64_shares(const std::vector<double>& shares) {
  std::vector<unsigned char> bytes;
  for (const double x : shares) append(bytes, static_cast<std::uint16_t>(std::lround(65535.0 * x)));
  return base64(bytes);
}

Json report_sequences(const RunFile& run, const Setting& setting, const Inputs& held,
                      const ShownOutputs& shown) {
  Setting needed = setting;
  needed.parameters.clear();
  needed.context = ContextLength::finite;  // sequences are shown for infinite context too
  try {
    const Problem problem = prepare(Assembled{.setting = Setting(needed.as<EvaluateSetting>()),
                                              .groups = groups_of<EvaluateSetting>,
                                              .inputs = held});
    const auto source = problem.chains();
    const Model& model = problem.setting.model;
    const std::vector<Index> lags = leading_lags(final_parameters(run.state), model);
    Json list = Json::array();
    for (Index chain = 0; chain < std::min(source->count(), most_sequences); ++chain) {
      list.push_back(sequence_of(run, model, *source, chain, lags, shown));
    }
    return {{"lags", lags}, {"list", std::move(list)}};
  } catch (const InputError& error) {
    return {{"lags", Json::array()}, {"list", Json::array()}, {"reason", error.what()}};
  }
}

}  // namespace gihflow
