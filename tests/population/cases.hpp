#pragma once

// Models and samples on which every engine is compared with the reference objective: awkward sizes,
// all conventions of theory §2.

#include <string>
#include <vector>

#include "support/settings.hpp"

namespace gihflow::testing {

struct Case {
  std::string name;
  Model model;
  SamplingOptions sampling;
  double a = 1.7;
  double tolerance = 1e-12;  ///< max|Δ|/max|g| of a gradient
};

inline std::vector<Case> cases() {
  std::vector<Case> all;
  auto add = [&](std::string name, Model model, SamplingOptions options, double a = 1.7,
                 double tolerance = 1e-12) {
    options.prior.vocabulary = model.vocabulary;
    all.push_back({std::move(name), model, options, a, tolerance});
  };
  Model paper;
  Model reference{.boundary = Boundary::partial,
                  .head_windows = HeadWindows::shifted,
                  .head_normalization = HeadNormalization::l2,
                  .readout = Readout::softmax};
  SamplingOptions small = sampling(23, 40);
  SamplingOptions published = small;
  published.initial_law = InitialLaw::uniform;
  published.labels = Labels::sampled;
  add("paper", paper, small);
  add("reference", reference, published);

  auto vary = [&](const char* name, auto change, double tolerance = 1e-12) {
    Model model = paper;
    change(model);
    add(std::string("paper with ") + name, model, small, 1.7, tolerance);
    model = reference;
    change(model);
    add(std::string("reference with ") + name, model, published, 1.7, tolerance);
  };
  vary("masked", [](Model& m) { m.boundary = Boundary::masked; });
  vary("partial", [](Model& m) { m.boundary = Boundary::partial; });
  vary("shared", [](Model& m) { m.head_windows = HeadWindows::shared; });
  vary("shifted", [](Model& m) { m.head_windows = HeadWindows::shifted; });
  vary("no normalisation", [](Model& m) { m.head_normalization = HeadNormalization::none; });
  vary("l2", [](Model& m) { m.head_normalization = HeadNormalization::l2; });
  vary("log", [](Model& m) { m.readout = Readout::log; });
  vary("softmax", [](Model& m) { m.readout = Readout::softmax; });
  vary("epsilon 0.3", [](Model& m) { m.epsilon = 0.3; });
  for (Index degree = 0; degree <= 3; ++degree)
    vary("another degree", [&](Model& m) { m.degree = degree; });
  for (Index d = 2; d <= 5; ++d) vary("another vocabulary", [&](Model& m) { m.vocabulary = d; });
  vary("one head", [](Model& m) { m.heads = 1, m.degree = 1; });
  vary("a window of one lag", [](Model& m) { m.window = 1, m.heads = 1, m.degree = 1; });
  vary("windows longer than the parents", [](Model& m) { m.window = 5; });
  vary("five heads", [](Model& m) { m.window = 5, m.heads = 5, m.degree = 4; });

  // Model variants whose features come from a table of windows.
  vary("token scores", [](Model& m) { m.scores = Scores::tokens; });
  vary("own position", [](Model& m) { m.own_position = true; });
  vary("value matrices", [](Model& m) { m.values = HeadValues::matrix; });
  vary("layer norm", [](Model& m) { m.head_normalization = HeadNormalization::layer; });
  vary("rms norm", [](Model& m) { m.head_normalization = HeadNormalization::rms; });
  vary("rectified products", [](Model& m) { m.rectify = true; });
  vary("smoothed rectified products", [](Model& m) { m.rectify = true, m.rectify_width = 0.1; });
  vary("lists of lags", [](Model& m) {
    m.head_lags = {{1, 3}, {6}, {2, 3, 9}};
    m.window = 3;
  });
  const auto full = [](Model& m) {
    m.scores = Scores::tokens;
    m.own_position = true;
    m.values = HeadValues::matrix;
    m.head_normalization = HeadNormalization::layer;
    m.rectify = true;
  };
  // Products of heads are large here, and a·k with them.
  vary("all parts of the full model", full, 2e-12);
  for (Index d : {2, 5}) {
    Model model = reference;
    full(model);
    model.vocabulary = d;
    model.rectify_width = 0.1;
    add("all parts of the full model, another vocabulary", model, published, d == 2 ? 0.2 : 1.7);
    model.boundary = Boundary::masked;
    model.readout = Readout::log;
    add("all parts of the full model, masked, another vocabulary", model, small,
        d == 2 ? 0.2 : 1.7);
  }
  Model own = reference;
  full(own);
  for (Index count : {1, 9}) {
    SamplingOptions options = small;
    options.count = count;
    add("full model, few chains", own, options, 0.2);
    options.length = 2;
    add("full model, length below the window", own, options, 0.2);
  }
  Model listed = paper;
  listed.head_lags = {{1, 4}, {2}, {2, 3}};
  listed.window = 2;
  // a·k has the rounding error of 650.
  add("lists of lags, a = 650", listed, small, 650.0, 1e-11);
  const Model full_model = own;
  own.scores = Scores::positions;
  add("layer norm of constant v in empty windows", own, published);

  // All the context: 19 lags over 10 tokens are more windows than 62 bits can number.
  for (Model wide : {paper, reference, full_model}) {
    wide.vocabulary = 10;
    wide.window = 19;
    wide.boundary = Boundary::partial;
    SamplingOptions options = published;
    options.length = 20;
    add("full context", wide, options, 0.7);
  }
  Model masked = paper;
  masked.vocabulary = 10;
  masked.window = 19;
  add("windows of 19 of 10 tokens, masked", masked, small);

  for (Index count : {1, 7, 8, 9}) {
    SamplingOptions options = small;
    options.count = count;
    add("paper, few chains", paper, options);
    options.initial_law = InitialLaw::uniform;
    add("reference, few chains", reference, options);
  }
  SamplingOptions tight = small;
  tight.length = 4;
  add("length just above the window", paper, tight);
  tight.initial_law = InitialLaw::uniform;
  tight.length = 5;
  add("reference, length of the window", reference, tight);
  tight.length = 2;
  add("reference, length below the window", reference, tight);
  SamplingOptions far = small;
  far.prior.parents = {1, 6};
  add("parents beyond the window", paper, far);
  add("a = 0", paper, small, 0.0);
  add("a < 0", paper, small, -3.0);
  add("a = 40", paper, small, 40.0);
  add("a = 1000", paper, small, 1000.0);
  add("a = 1000, reference", reference, published, 1000.0);
  SamplingOptions sharp = small;
  sharp.prior.alpha = 0.01;
  sharp.length = 700;  // counts above 255
  sharp.count = 9;
  add("counts in two bytes", paper, sharp);
  SamplingOptions posterior = small;
  posterior.labels = Labels::posterior;
  posterior.initial_law = InitialLaw::uniform;
  add("posterior labels", paper, posterior);
  SamplingOptions rare = small;
  rare.prior.alpha = 5.0;
  rare.length = 30;
  Model wide{.vocabulary = 5, .window = 6, .heads = 4, .degree = 2};
  add("windows that occur once", wide, rare);
  wide.boundary = Boundary::partial;
  add("partial windows that occur once", wide, rare);

  // Every token asked for, each of its own prefix (1.6).
  const auto ask_all = [&](std::string name, Model model, SamplingOptions options, double a = 1.7) {
    model.positions = Positions::all;
    options.count = 7;
    options.length = 14;
    add(name + ", all positions", std::move(model), options, a);
  };
  ask_all("paper", paper, small);
  ask_all("reference", reference, published);
  ask_all("full model", full_model, published);
  ask_all("lists of lags", listed, small, 40.0);
  ask_all("posterior labels", paper, posterior);
  ask_all("parents beyond the window", reference, far);
  wide.boundary = Boundary::masked;
  ask_all("windows that occur once", wide, rare);
  Model last = paper;
  last.positions = Positions::all;
  tight.initial_law = InitialLaw::stationary;
  tight.length = 4;
  add("all positions, one alone", last, tight);
  return all;
}

}  // namespace gihflow::testing
