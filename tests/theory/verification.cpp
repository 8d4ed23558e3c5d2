#include "gihflow/theory/verification.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "support/tolerance.hpp"

using namespace gihflow;

namespace {

/// An objective whose gradient is wrong by a factor in some blocks, its loss right.
class Wrong final : public Objective {
 public:
  Wrong(std::shared_ptr<const Objective> right, double p, double w, double a)
      : right_(std::move(right)), p_(p), w_(w), a_(a) {}
  const Model& model() const override { return right_->model(); }
  Index chains() const override { return right_->chains(); }
  std::string engine() const override { return right_->engine(); }
  std::size_t memory() const override { return right_->memory(); }
  void gradient(const Point& at, Gradient& out, bool with_loss) const override {
    right_->gradient(at, out, with_loss);
    scale(out);
  }
  double loss(const Point& at) const override { return right_->loss(at); }
  void gradient_along(const Point& at, const Point& along, Gradient& out,
                      Gradient& derivative) const override {
    right_->gradient_along(at, along, out, derivative);
    scale(out);
    scale(derivative);
  }
  StandardErrors standard_errors(const Parameters& at) const override {
    return right_->standard_errors(at);
  }

 private:
  void scale(Gradient& g) const {
    for (double& x : g.p) x *= p_;
    for (double& x : g.w) x *= w_;
    g.a *= a_;
  }
  std::shared_ptr<const Objective> right_;
  double p_, w_, a_;
};

VerifyOptions options(std::vector<std::string> experiments, double p, double w, double a) {
  VerifyOptions o;
  o.experiments = std::move(experiments);
  o.flow_objective = [=](std::shared_ptr<const Objective> right) {
    return std::make_shared<Wrong>(std::move(right), p, w, a);
  };
  return o;
}

/// Whether the first row of a quantity passed; there must be one.
bool passed(const Verification& v, Quantity quantity, const Subject& subject = {}) {
  const auto row = std::ranges::find_if(v.rows, [&](const VerificationRow& r) {
    return r.quantity == quantity && (subject == Subject{} || r.subject == subject);
  });
  REQUIRE(row != v.rows.end());
  return row->passed;
}

}  // namespace

TEST_CASE("a right gradient passes, one wrong by 2 % in a single block does not") {
  const std::vector<std::string> one = {"selection of {1}"}, two = {"concentration on {1,3}"},
                                 three = {"start of growth"}, rest = {"plateau in finite context"};
  CHECK(verify(options(one, 1, 1, 1)).passed());
  CHECK(verify(options(three, 1, 1, 1)).passed());
  CHECK(verify(options(rest, 1, 1, 1)).passed());
  CHECK(verify(options(two, 1, 1, 1)).passed());

  const Verification p = verify(options(one, 1.02, 1, 1));
  CHECK(!p.passed());
  CHECK(!passed(p, Quantity::log_odds_slope));
  CHECK(!passed(p, Quantity::takeover_time));
  CHECK(!passed(p, Quantity::energy_residual));
  CHECK(passed(p, Quantity::takeover_set));

  const Verification w = verify(options(two, 1, 1.02, 1));
  CHECK(!w.passed());
  CHECK(!passed(w, Quantity::concentration_limit, {.head = 0}));
  CHECK(!passed(w, Quantity::unattended, {.head = 2}));
  CHECK(passed(w, Quantity::unused_motion));

  const Verification a = verify(options(three, 1, 1, 0.98));
  CHECK(!a.passed());
  CHECK(!passed(a, Quantity::growth_speed));
}

TEST_CASE("recall is as the laws say, and a speed of a that is 2 % off is seen") {
  const std::vector<std::string> recall = {"recall"};
  const Verification right = verify(options(recall, 1, 1, 1));
  CHECK(right.passed());
  CHECK(right.curves.size() == 1);
  const Verification wrong = verify(options(recall, 1, 1, 0.98));
  CHECK(!passed(wrong, Quantity::recall_growth));
  CHECK(!passed(wrong, Quantity::recall_rate));
  CHECK(passed(wrong, Quantity::recall_accuracy));
}

TEST_CASE("the edge of stability is where the gains say, and one that is 10 % off is seen") {
  const std::vector<std::string> edge = {"edge of stability"};
  CHECK(verify(options(edge, 1, 1, 1)).passed());
  CHECK(!passed(verify(options(edge, 1.1, 1, 1)), Quantity::largest_curvature));
}

TEST_CASE("c and a rest where no set gains, and a flow in which a does not move is seen") {
  const std::vector<std::string> rest = {"rest of c and a"};
  CHECK(verify(options(rest, 1, 1, 1)).passed());
  CHECK(!passed(verify(options(rest, 1, 1, 0)), Quantity::back_off_a));
}

TEST_CASE("curves carry as many points on both sides, sub-experiments are announced and chosen") {
  VerifyOptions o;
  o.experiments = {"start of growth", "selection of {1,2}"};
  std::vector<std::string> names;
  o.progress = [&](const std::string& name) { names.push_back(name); };
  const Verification v = verify(o);
  CHECK(names == std::vector<std::string>{"selection of {1,2}", "start of growth"});
  CHECK(v.curves.size() == 6);
  // Quantity, subject and setting identify a row, and each curve belongs to a row.
  for (const VerificationRow& row : v.rows)
    CHECK(std::ranges::count_if(v.rows, [&](const VerificationRow& r) {
            return r.quantity == row.quantity && r.subject == row.subject &&
                   r.setting == row.setting;
          }) == 1);
  for (const Curve& c : v.curves)
    CHECK(std::ranges::any_of(v.rows, [&](const VerificationRow& r) {
      return r.quantity == c.quantity && r.subject == c.subject && r.setting == c.setting;
    }));
  CHECK(v.rows.front().quantity == Quantity::takeover_set);
  CHECK(v.rows.front().predicted_set == "{1,2}");
  CHECK(label(v.rows.front()) == "set that takes over, parents {1,2}");
  CHECK(label(v.rows.back()) == "every run reached its end");
  for (const Curve& c : v.curves) {
    CHECK(c.x.size() == c.measured.size());
    CHECK(c.x.size() == c.predicted.size());
    CHECK(c.x.size() >= 10);
  }
  CHECK(!Verification{}.passed());
}

TEST_CASE("another seed draws other kernels, and theory holds for them too") {
  VerifyOptions o;
  o.experiments = {"start of growth"};
  const Verification first = verify(o);
  o.seed = 2;
  const Verification second = verify(o);
  CHECK(second.passed());
  CHECK(first.rows[0].predicted != second.rows[0].predicted);
}
