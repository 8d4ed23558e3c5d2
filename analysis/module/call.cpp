#include "call.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "gihflow/base/context.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/base/subsets.hpp"
#include "options.hpp"

namespace gihflow::python {

namespace {

constexpr std::chrono::milliseconds told_every(50);

// Where a run stands, in numbers that outlive the step.
struct Standing {
  double done = 0.0;
  Index stage = 0, stages = 0;
  double t = 0.0, loss = 0.0, p = 0.0, a = 0.0;
  std::string leading = {};
};

Standing standing(const Progress& progress) {
  Standing now{.done = fraction_done(progress),
               .stage = progress.stage + 1,
               .stages = progress.stages,
               .t = progress.t};
  if (progress.latest == nullptr) return now;
  const Parameters& parameters = progress.latest->parameters;
  const std::vector<double> p = parameters.p();
  const auto leading = std::max_element(p.begin(), p.end());
  now.loss = progress.latest->loss;
  now.a = parameters.a;
  now.p = *leading;
  now.leading = to_string_subset(
      subsets(parameters.heads, parameters.degree)[static_cast<std::size_t>(leading - p.begin())]);
  return now;
}

// Between the thread that works and the one that speaks Python.
class Mailbox final : public RunObserver {
 public:
  void note(const Phrase& text) override {
    const std::lock_guard guard(mutex_);
    notes_.push_back(words(text, keyword));
  }
  void phase(const std::string& name) override {
    const std::lock_guard guard(mutex_);
    phase_ = name;
    standing_.reset();  // of the phase before
  }
  void progress(const Progress& progress) override {
    // Seldom enough that it costs a step nothing.
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ < told_every) return;
    last_ = now;
    Standing where = standing(progress);
    const std::lock_guard guard(mutex_);
    standing_ = std::move(where);
  }

  void close() {
    const std::lock_guard guard(mutex_);
    over_ = true;
    changed_.notify_one();
  }
  // Whether the work is over; waits for it, but not for long.
  bool over() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, told_every, [&] { return over_; });
  }

  // Takes out what has come since and tells it.
  void tell(const nb::object& listener) {
    std::vector<std::string> notes;
    std::optional<std::string> phase;
    std::optional<Standing> where;
    {
      const std::lock_guard guard(mutex_);
      notes.swap(notes_);
      phase.swap(phase_);
      where.swap(standing_);
    }
    if (listener.is_none()) return;
    for (const std::string& note : notes) listener.attr("note")(note);
    if (phase) listener.attr("phase")(*phase);
    if (where) {
      listener.attr("progress")(where->done, where->stage, where->stages, where->t, where->loss,
                                where->leading, where->p, where->a);
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::vector<std::string> notes_;
  std::optional<std::string> phase_;
  std::optional<Standing> standing_;
  std::chrono::steady_clock::time_point last_{};
};

// What the call raises in the end, the first of all that was raised meanwhile.
class Raised {
 public:
  explicit Raised(Interrupt& interrupt) : interrupt_(interrupt) {}

  template <class Speak>
  void guard(Speak speak) {
    try {
      speak();
      if (PyErr_CheckSignals() != 0) throw nb::python_error();
    } catch (nb::python_error& error) {
      interrupt_.request();
      if (!first_) first_.emplace(std::move(error));
    }
  }
  bool any() const { return first_.has_value(); }
  [[noreturn]] void raise(const nb::object& unfinished) {
    nb::setattr(first_->value(), "unfinished", unfinished);
    throw std::move(*first_);
  }

 private:
  Interrupt& interrupt_;
  std::optional<nb::python_error> first_;
};

}  // namespace

nb::object follow(const nb::object& listener, const Work& work) {
  Mailbox box;
  Interrupt interrupt;
  Raised raised(interrupt);
  Finish finish;
  std::exception_ptr failure;
  std::thread worker([&] {
    const ContextScope scope({.interrupt = &interrupt});
    try {
      finish = work(box);
    } catch (...) {
      failure = std::current_exception();
    }
    box.close();
  });
  const auto over = [&] {
    const nb::gil_scoped_release others_may_run;
    return box.over();
  };
  while (!over()) raised.guard([&] { box.tell(listener); });
  worker.join();
  raised.guard([&] { box.tell(listener); });
  if (failure && !(raised.any() && interrupt.requested())) std::rethrow_exception(failure);
  if (raised.any()) raised.raise(finish ? finish() : nb::object(nb::none()));
  return finish();
}

}  // namespace gihflow::python
